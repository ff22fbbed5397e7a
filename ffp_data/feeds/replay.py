"""Reads a delivery again from the landing folder, and takes one back.

A delivery is read again after a contract, a code list or an agreement was mended, and when what had
taken the place of its rows was retracted. It keeps its place among the deliveries, so that afterwards
the warehouse is as if it had been read so from the start: rows that were set aside and now pass come in,
or count as superseded where newer ones hold. A reading that would lose a row that stands is refused.
What is to be read again after a retraction stands in the books first, so that a run that dies in
between is made good by the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ffp_data.feeds import books
from ffp_data.feeds.archive import SUFFIX
from ffp_data.feeds.books import Entry
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.landing import Delivery, find, tables_of
from ffp_data.feeds.loading import Terms, remove_rows, stage, write_table
from ffp_data.feeds.reading import drop_staged
from ffp_data.feeds.single_file import Allowed
from ffp_data.feeds.stage import Staged
from ffp_data.feeds.superseding import freed_by, key_here, key_there


@dataclass(frozen=True)
class Reloaded:
    """A delivery that was read again: its counts before and after, or why it could not be."""

    feed: str
    delivery_id: str
    file_name: str
    before: Mapping[str, int]
    after: Mapping[str, int]
    error: FeedError | None = None


def retract(
    con: duckdb.DuckDBPyConnection, contract: Contract | None, entry: Entry, by: str, reason: str
) -> None:
    """Takes a delivery's rows out of the warehouse and puts down what must be read again for it.

    Raises FeedError already_retracted. `reload_waiting` brings back what the delivery had replaced.
    """
    books.require_standing(entry)
    lines = books.entries(con, entry.delivery_id, entry.feed)
    tables = [e.table for e in lines if e.status == "loaded" and e.table]
    con.begin()
    try:
        if contract:
            for table in tables:
                _put_down(con, freed_by(con, contract, entry.delivery_id, table), entry.feed)
                remove_rows(con, entry.delivery_id, contract, table)
        books.write_retracted(con, entry, by, reason)
    except BaseException:
        con.rollback()
        raise
    con.commit()


def reload_waiting(
    con: duckdb.DuckDBPyConnection, landing: Path, contract: Contract, terms: Terms
) -> list[Reloaded]:
    """Reads again what a retraction has put down, newest first.

    What cannot be read is told once, in the result and in the delivery's notes, and then left.
    """
    waiting = con.execute(
        "SELECT DISTINCT delivery_id FROM meta.to_reload WHERE feed = ? ORDER BY 1", [contract.id]
    ).fetchall()
    results = _reload_all(con, landing, contract, terms, [one for (one,) in waiting])
    for result in results:
        if result.error:
            _leave(con, result)
    return results


def replay(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    contract: Contract,
    terms: Terms,
    entry: Entry | None = None,
) -> list[Reloaded]:
    """Reads one delivery again, or all of the feed of which something was set aside or kept out.

    Raises FeedError not_loaded for a delivery that is not in the warehouse.
    """
    if entry is None:
        again = _with_something_set_aside(con, contract, terms.allowed)
        return _reload_all(con, landing, contract, terms, again)
    if entry.status != "loaded":
        is_for_a_person = entry.status in ("held", "retracted")
        remedy = f"{'accept' if is_for_a_person else 'mend'} it: the next run tries it again"
        message = f"the delivery is {entry.status}"
        raise FeedError("not_loaded", message, remedy, file=entry.file_name)
    return _reload_all(con, landing, contract, terms, [entry.delivery_id])


def _reload_all(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    contract: Contract,
    terms: Terms,
    delivery_ids: Iterable[str],
) -> list[Reloaded]:
    """Newest first, so that no older row comes in that a newer one would only take out again."""
    lines = [
        [e for e in books.entries(con, one, contract.id) if e.status == "loaded"]
        for one in delivery_ids
    ]
    newest_first = sorted(filter(None, lines), key=_place, reverse=True)
    return [_reload(con, landing, contract, terms, one) for one in newest_first]


def _place(lines: list[Entry]) -> tuple[str, str, int]:
    return str(lines[0].delivered_at), lines[0].file_name, lines[0].sequence


def _reload(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    contract: Contract,
    terms: Terms,
    lines: list[Entry],
) -> Reloaded:
    first = lines[0]
    before = books.counts(con, first.delivery_id, first.feed)
    error = None
    try:
        delivery = _locate(landing, contract, terms, first)
        staged = _as_known(stage(con, delivery, contract, terms), lines)
        for one in staged:
            _refuse_losses(con, delivery, one)
        _write(con, delivery, staged, first.sequence)
    except FeedError as found:
        error = found
    finally:
        drop_staged(con)
    after = books.counts(con, first.delivery_id, first.feed)
    name = first.delivered_name
    return Reloaded(first.feed, first.delivery_id, name, before, after, error)


def _write(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: list[Staged], sequence: int
) -> None:
    tables = [one.table.name for one in staged]
    con.begin()
    try:
        for one in staged:
            remove_rows(con, delivery.delivery_id, one.contract, one.table.name)
        books.forget_tables(con, delivery.delivery_id, delivery.feed, tables)
        for one in staged:
            write_table(con, delivery, one, sequence)
        con.execute(
            "DELETE FROM meta.to_reload WHERE delivery_id = ? AND feed = ?",
            [delivery.delivery_id, delivery.feed],
        )
    except BaseException:
        con.rollback()
        raise
    con.commit()


def _locate(landing: Path, contract: Contract, terms: Terms, entry: Entry) -> Delivery:
    """The delivery as it lies in the landing folder, at the place that the books give it."""
    found = find(landing, contract, terms.known or {}, entry.delivery_id, entry.delivered_name)
    if found is None:
        raise FeedError(
            "gone",
            f"no file in {contract.id}/ of the landing folder has its bytes any more",
            f"put it back, then: ffp feeds replay {entry.delivery_id[:12]}",
            file=entry.delivered_name,
        )
    return replace(found, delivered_at=entry.delivered_at)


def _as_known(staged: list[Staged], lines: list[Entry]) -> list[Staged]:
    """The tables under the names that the books have, where a copy lies under another."""
    names = {entry.table: entry.file_name for entry in lines}
    return [replace(one, file_name=names.get(one.table.name, one.file_name)) for one in staged]


def _refuse_losses(con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged) -> None:
    """Raises FeedError replay_loses_rows when a row that stands would be set aside by this reading."""
    (lost,) = con.execute(
        f"SELECT count(*) FROM {staged.contract.raw_name(staged.table)}"
        f" WHERE _delivery_id = ? AND ({key_there(staged)}) NOT IN"
        f" (SELECT {key_here(staged)} FROM {staged.rows} WHERE {staged.loadable})",
        [delivery.delivery_id],
    ).fetchone() or (0,)
    if lost:
        raise FeedError(
            "replay_loses_rows",
            f"{lost} rows of {staged.table.name} that stand would be set aside",
            "correct the contract; or retract the delivery and have the agency send it again",
            file=staged.file_name,
        )


def _with_something_set_aside(
    con: duckdb.DuckDBPyConnection, contract: Contract, allowed: Allowed | None
) -> list[str]:
    """Ids of the loaded deliveries of which rows, values, columns or tables did not come in."""
    faulty = con.execute(
        "SELECT delivery_id FROM quarantine.rows WHERE feed = $feed UNION"
        ' SELECT delivery_id FROM quarantine."values" WHERE feed = $feed',
        {"feed": contract.id},
    ).fetchall()
    again = {one for (one,) in faulty}
    recorded: dict[tuple[str, str], set[str]] = {}
    for one, name, table, dropped in con.execute(
        "SELECT delivery_id, split_part(file_name, '/', 1), table_name, columns_dropped"
        " FROM meta.deliveries WHERE feed = ? AND status = 'loaded'",
        [contract.id],
    ).fetchall():
        recorded.setdefault((one, name), set()).add(table)
        if table in contract.by_name and dropped > _kept_out(contract, table, allowed):
            again.add(one)
    again |= {
        one
        for (one, name), tables in recorded.items()
        if _may_hold(name, contract, allowed) - tables
    }
    return sorted(again)


def _kept_out(contract: Contract, table: str, allowed: Allowed | None) -> int:
    """How many columns of a table no agreement covers now."""
    names = {p.name for p in contract.by_name[table].properties}
    return 0 if allowed is None else len(names - set(allowed.get(table, ())))


def _may_hold(name: str, contract: Contract, allowed: Allowed | None) -> set[str]:
    """Permitted tables that a delivery of this name may hold; a drop or an archive may hold any."""
    is_whole = contract.hub.format == "ssd_drop" or name.lower().endswith(SUFFIX)
    tables = contract.tables if is_whole else tables_of(name, contract)
    return {t.name for t in tables if allowed is None or t.name in allowed}


def _put_down(con: duckdb.DuckDBPyConnection, delivery_ids: list[str], feed: str) -> None:
    for one in delivery_ids:
        con.execute("INSERT INTO meta.to_reload VALUES (?, ?)", [one, feed])


def _leave(con: duckdb.DuckDBPyConnection, result: Reloaded) -> None:
    key = [result.delivery_id, result.feed]
    told = f"rows that a retracted delivery had replaced could not come back: {result.error}"
    con.execute("DELETE FROM meta.to_reload WHERE delivery_id = ? AND feed = ?", key)
    con.execute(
        "UPDATE meta.deliveries SET notes = concat_ws('; ', notes, ?)"
        " WHERE delivery_id = ? AND feed = ? AND status = 'loaded'",
        [told, *key],
    )
