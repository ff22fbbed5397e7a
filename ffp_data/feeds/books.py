"""The line that the hub keeps of each delivery: what became of it, when, and on whose word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.landing import Delivery
from ffp_data.feeds.stage import Staged

PARTS = ("rows_delivered", "rows_loaded", "rows_quarantined", "rows_superseded")


@dataclass(frozen=True)
class Entry:
    """What the books say of the bytes of a delivery under one name; `table` None: the file as a whole."""

    delivery_id: str
    feed: str
    table: str | None
    file_name: str
    delivered_at: datetime | None
    sequence: int
    status: str

    @property
    def delivered_name(self) -> str:
        """The name of what was delivered: of a drop's or an archive's member, that of the whole."""
        return self.file_name.split("/")[0]


def entries(con: duckdb.DuckDBPyConnection, delivery_id: str, feed: str) -> list[Entry]:
    """All lines of these bytes in `feed`, oldest first."""
    rows = con.execute(
        "SELECT delivery_id, feed, table_name, file_name, delivered_at, received_seq, status"
        " FROM meta.deliveries WHERE delivery_id = ? AND feed = ? ORDER BY received_seq, table_name",
        [delivery_id, feed],
    ).fetchall()
    return [Entry(*row) for row in rows]


def write_loaded(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    staged: Staged,
    sequence: int,
    loaded: int,
    quarantined: int,
    superseded: int,
) -> None:
    """The counts of one table of a loaded delivery."""
    counts = [staged.delivered, loaded, quarantined, superseded]
    _write(
        con,
        delivery,
        staged.table.name,
        staged.file_name,
        sequence,
        counts,
        ["loaded", None, staged.columns_dropped, staged.notes or None, staged.scope],
    )


def note(con: duckdb.DuckDBPyConnection, delivery: Delivery, status: str, reason: str) -> None:
    """A line without rows: why a delivery, or a name for it, was not loaded."""
    table = delivery.tables[0] if len(delivery.tables) == 1 else None
    sequence = next_sequence(con)
    rest = [status, reason, 0, None, None]
    _write(con, delivery, table, delivery.file_name, sequence, [0, 0, 0, 0], rest)


def note_former_name(con: duckdb.DuckDBPyConnection, former: Entry, now: str) -> None:
    """Keeps the name that a delivery had before it came again as `now`, so that it isn't taken as new."""
    if former.delivered_name == now:
        return
    con.execute(
        "INSERT INTO meta.deliveries VALUES"
        " (?, ?, NULL, ?, ?, ?, 0, 0, 0, 0, 'duplicate', ?, 0, NULL, NULL)",
        [
            former.delivery_id,
            former.feed,
            former.delivered_name,
            former.sequence,
            former.delivered_at,
            f"these bytes came again as {now}",
        ],
    )


def is_overwritten(con: duckdb.DuckDBPyConnection, entry: Entry) -> bool:
    """True when other bytes came later under the same name."""
    query = (
        "SELECT 1 FROM meta.deliveries WHERE feed = ? AND split_part(file_name, '/', 1) = ?"
        " AND status = 'loaded' AND delivery_id <> ? AND received_seq > ?"
    )
    own = [entry.feed, entry.delivered_name, entry.delivery_id, entry.sequence]
    return con.execute(query, own).fetchone() is not None


def forget_attempts(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """Takes away what an earlier attempt at the same bytes and name, that did not load, left behind."""
    con.execute(
        "DELETE FROM meta.deliveries WHERE delivery_id = ? AND feed = ?"
        " AND split_part(file_name, '/', 1) = ? AND status <> 'loaded'",
        [delivery.delivery_id, delivery.feed, delivery.file_name],
    )
    con.execute(
        "DELETE FROM meta.snapshot_scopes WHERE delivery_id = ? AND feed = ? AND is_held"
        " AND split_part(file_name, '/', 1) = ?",
        [delivery.delivery_id, delivery.feed, delivery.file_name],
    )


def forget_tables(
    con: duckdb.DuckDBPyConnection, delivery_id: str, feed: str, tables: Iterable[str]
) -> None:
    """Takes away the lines of loaded tables, their scopes and what was set aside of them."""
    for table in tables:
        key = [delivery_id, feed, table]
        where = "WHERE delivery_id = ? AND feed = ? AND table_name = ?"
        con.execute(f"DELETE FROM meta.deliveries {where} AND status = 'loaded'", key)
        for book in ("meta.snapshot_scopes", "quarantine.rows", 'quarantine."values"'):
            con.execute(f"DELETE FROM {book} {where}", key)


def next_sequence(con: duckdb.DuckDBPyConnection) -> int:
    (last,) = con.execute("SELECT max(received_seq) FROM meta.deliveries").fetchone() or (None,)
    return (last or 0) + 1


def find_entry(con: duckdb.DuckDBPyConnection, named: str) -> Entry:
    """The line of the delivery that a person means by its id, the id's beginning or its name.

    A name means the last bytes under it that could be read. Raises FeedError unknown_delivery, or
    ambiguous_delivery when several are meant.
    """
    by_id = (
        "SELECT DISTINCT delivery_id, feed FROM meta.deliveries"
        " WHERE starts_with(delivery_id, lower($1)) AND length($1) >= 6 ORDER BY ALL"
    )
    by_name = (
        "SELECT max_by(delivery_id, (status NOT IN ('refused', 'not_permitted'), received_seq)), feed"
        " FROM meta.deliveries WHERE split_part(file_name, '/', 1) = $1 GROUP BY feed ORDER BY feed"
    )
    meant = con.execute(by_id, [named]).fetchall() or con.execute(by_name, [named]).fetchall()
    if not meant:
        remedy = "give the id, or its beginning, or the file name as meta.deliveries has it"
        raise FeedError("unknown_delivery", "no delivery is known by this", remedy, file=named)
    if len(meant) > 1:
        remedy = "give more of the id: " + ", ".join(f"{one[:16]} ({feed})" for one, feed in meant)
        raise FeedError("ambiguous_delivery", "several deliveries", remedy, file=named)
    lines = entries(con, *meant[0])
    return next((e for e in reversed(lines) if e.status != "duplicate"), lines[-1])


def require_waiting(entry: Entry) -> None:
    """Raises FeedError not_waiting for a delivery that nobody need let in."""
    if entry.status not in ("held", "retracted"):
        remedy = "accept a delivery that is held, or one that was retracted"
        message = f"the delivery is {entry.status}"
        raise FeedError("not_waiting", message, remedy, file=entry.file_name)


def require_standing(entry: Entry) -> None:
    """Raises FeedError already_retracted."""
    if entry.status == "retracted":
        remedy = "accept it, to take it in again"
        raise FeedError("already_retracted", "nothing of it is here", remedy, file=entry.file_name)


def accept(con: duckdb.DuckDBPyConnection, entry: Entry, by: str, reason: str) -> None:
    """Lets a held or retracted delivery in with the next run; raises FeedError not_waiting."""
    require_waiting(entry)
    key = [entry.delivery_id, entry.feed]
    con.execute("INSERT INTO meta.acceptances VALUES (?, ?, ?, ?)", [*key, by, reason])
    con.execute(
        "UPDATE meta.deliveries SET status = 'held', reason = ? WHERE delivery_id = ? AND feed = ?"
        " AND status IN ('held', 'retracted')",
        [f"accepted by {by}: {reason}; the next run loads it", *key],
    )


def write_retracted(con: duckdb.DuckDBPyConnection, entry: Entry, by: str, reason: str) -> None:
    """Says of all lines of a delivery that it is retracted; its rows count as superseded."""
    key = [entry.delivery_id, entry.feed]
    con.execute(
        "UPDATE meta.deliveries SET status = 'retracted', reason = ?, rows_loaded = 0,"
        " rows_quarantined = 0, rows_superseded = rows_delivered"
        " WHERE delivery_id = ? AND feed = ? AND status <> 'duplicate'",
        [f"retracted by {by}: {reason}", *key],
    )
    for book in (
        "meta.acceptances",
        "meta.to_reload",
        "meta.snapshot_scopes",
        "quarantine.rows",
        'quarantine."values"',
    ):
        con.execute(f"DELETE FROM {book} WHERE delivery_id = ? AND feed = ?", key)


def write_withdrawn(con: duckdb.DuckDBPyConnection, feed: str, why: str) -> None:
    """Says of every delivery of a feed that its rows left; what was set aside of them goes too."""
    con.execute(
        "UPDATE meta.deliveries SET status = 'withdrawn', reason = ?, rows_loaded = 0,"
        " rows_quarantined = 0, rows_superseded = rows_delivered"
        " WHERE feed = ? AND status IN ('loaded', 'duplicate')",
        [why, feed],
    )
    for book in (
        "meta.acceptances",
        "meta.to_reload",
        "meta.snapshot_scopes",
        "quarantine.rows",
        'quarantine."values"',
    ):
        con.execute(f"DELETE FROM {book} WHERE feed = ?", [feed])


def forget_withdrawn(con: duckdb.DuckDBPyConnection, feed: str) -> None:
    """Lets the deliveries of a feed that an agreement covers again come in like new ones."""
    con.execute("DELETE FROM meta.deliveries WHERE feed = ? AND status = 'withdrawn'", [feed])


def counts(con: duckdb.DuckDBPyConnection, delivery_id: str, feed: str) -> dict[str, int]:
    """The four counts of a delivery over all its tables."""
    row = con.execute(
        f"SELECT {', '.join(f'coalesce(sum({p}), 0)::BIGINT' for p in PARTS)} FROM meta.deliveries"
        " WHERE delivery_id = ? AND feed = ? AND status = 'loaded'",
        [delivery_id, feed],
    ).fetchone()
    return dict(zip(PARTS, row or (), strict=True))


def is_accepted(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> bool:
    """True when a person has let this delivery in whatever the drop guard says."""
    query = "SELECT 1 FROM meta.acceptances WHERE delivery_id = ? AND feed = ?"
    return con.execute(query, [delivery.delivery_id, delivery.feed]).fetchone() is not None


def _write(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    table: str | None,
    file_name: str,
    sequence: int,
    counts: list[int],
    rest: list[object],
) -> None:
    con.execute(
        "INSERT INTO meta.deliveries (delivery_id, feed, table_name, file_name, received_seq,"
        f" delivered_at, {', '.join(PARTS)}, status, reason, columns_dropped, notes, scope)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            delivery.delivery_id,
            delivery.feed,
            table,
            file_name,
            sequence,
            delivery.delivered_at,
            *counts,
            *rest,
        ],
    )
