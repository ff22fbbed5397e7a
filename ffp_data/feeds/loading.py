"""Loads one delivery into the warehouse: all of it or nothing, and once.

A newer snapshot of a table replaces the rows of older ones; a delta replaces rows of the same key.
Order is the time of the delivery, then its name, never the time of loading: rows of a late, older
delivery give way to newer ones that are there already. What gives way is counted as superseded with
the delivery that brought it, so for each delivery and table at any time
`delivered = loaded + quarantined + superseded`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from ffp_data.feeds.columns import REMEDIES
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.json_path import quote
from ffp_data.feeds.landing import Delivery
from ffp_data.feeds.reading import Allowed, drop_staged, read_delivery
from ffp_data.feeds.source import Fault
from ffp_data.feeds.stage import Staged, key_columns
from ffp_data.feeds.tables import attribute, create_empty_raw_tables, own_key


@dataclass(frozen=True)
class TableResult:
    """Rows of one table of a delivery; `superseded` counts its own rows that newer ones had overtaken."""

    table: str
    delivered: int
    loaded: int
    quarantined: int
    superseded: int
    columns_dropped: int


@dataclass(frozen=True)
class DeliveryResult:
    """What became of a delivery: loaded, refused (see `error`), duplicate or not_permitted."""

    delivery: Delivery
    status: str
    tables: tuple[TableResult, ...] = ()
    error: FeedError | None = None

    @property
    def rows_delivered(self) -> int:
        return sum(t.delivered for t in self.tables)

    @property
    def rows_loaded(self) -> int:
        return sum(t.loaded for t in self.tables)

    @property
    def rows_quarantined(self) -> int:
        return sum(t.quarantined for t in self.tables)

    @property
    def rows_superseded(self) -> int:
        return sum(t.superseded for t in self.tables)

    @property
    def columns_dropped(self) -> int:
        return sum(t.columns_dropped for t in self.tables)


def load(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    contract: Contract | None,
    allowed: Allowed | None = None,
    known: Mapping[str, Contract] | None = None,
) -> DeliveryResult:
    """Loads `delivery`, or records why not; faults of the delivery never raise.

    `allowed` gives the columns by table that governance lets in (None: all); columns outside it are
    not read past the parse step. `known` are other contracts, to tell whose file a stranger is.
    """
    if contract is None:
        return _refuse(con, delivery, delivery.problem or _no_contract(delivery))
    create_empty_raw_tables(con, {contract.id: contract})
    if _is_loaded(con, delivery):
        return _repeat(con, delivery)
    try:
        staged = read_delivery(con, delivery, contract, allowed, known or {})
        if staged:
            return _write(con, delivery, staged)
        return _refuse(con, delivery, _not_permitted(delivery), "not_permitted")
    except FeedError as error:
        return _refuse(con, delivery, error)
    finally:
        drop_staged(con)


def _write(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: list[Staged]
) -> DeliveryResult:
    con.begin()
    try:
        _forget(con, delivery)
        sequence = _next_sequence(con)
        results = tuple(_write_table(con, delivery, one, sequence) for one in staged)
    except BaseException:
        con.rollback()
        raise
    con.commit()
    return DeliveryResult(delivery, "loaded", results)


def _write_table(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged, sequence: int
) -> TableResult:
    _write_faults(con, delivery, staged)
    quarantined = staged.delivered - _count(con, staged)
    overtaken = _give_way(con, delivery, staged)
    loaded = _insert(con, delivery, staged)
    con.execute(
        "INSERT INTO meta.deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'loaded', NULL, ?, ?)",
        [
            delivery.delivery_id,
            delivery.feed,
            staged.table.name,
            staged.file_name,
            sequence,
            delivery.delivered_at,
            staged.delivered,
            loaded,
            quarantined,
            overtaken,
            staged.columns_dropped,
            staged.notes or None,
        ],
    )
    return TableResult(
        staged.table.name, staged.delivered, loaded, quarantined, overtaken, staged.columns_dropped
    )


def _count(con: duckdb.DuckDBPyConnection, staged: Staged) -> int:
    query = f"SELECT count(*) FROM {staged.rows} WHERE {staged.loadable}"
    (count,) = con.execute(query).fetchone() or (0,)
    return int(count)


def _give_way(con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged) -> int:
    """Removes what this delivery replaces and leaves out what newer ones replaced; counts the latter."""
    peers = _peers(con, delivery, staged)
    newer = [d for d, is_newer, _ in peers if is_newer]
    if staged.table.semantics == "snapshot":
        if any(is_newer and not same_time for _, is_newer, same_time in peers):
            return _leave_out(con, staged, "true")
        _remove(con, staged, [d for d, is_newer, same_time in peers if not same_time], "true")
        peers = [peer for peer in peers if peer[2]]
    older = [d for d, is_newer, _ in peers if not is_newer]
    there, here = _key_there(staged), _key_here(staged)
    raw = staged.contract.raw_name(staged.table)
    overtaken = 0
    if newer:
        same = f"SELECT {there} FROM {raw} WHERE _delivery_id IN ({_ids(newer)})"
        overtaken = _leave_out(con, staged, f"({here}) IN ({same})")
    if older:
        same = f"SELECT {here} FROM {staged.rows} WHERE {staged.loadable}"
        _remove(con, staged, older, f"({there}) IN ({same})")
    return overtaken


def _peers(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged
) -> list[tuple[str, bool, bool]]:
    """Other loaded deliveries of the table: id, whether newer than this one, whether of the same time."""
    return con.execute(
        "SELECT delivery_id, (delivered_at, file_name) > (?, ?), delivered_at = ?"
        " FROM meta.deliveries WHERE feed = ? AND table_name = ? AND status = 'loaded'"
        " ORDER BY received_seq",
        [
            delivery.delivered_at,
            staged.file_name,
            delivery.delivered_at,
            delivery.feed,
            staged.table.name,
        ],
    ).fetchall()


def _leave_out(con: duckdb.DuckDBPyConnection, staged: Staged, condition: str) -> int:
    before = _count(con, staged)
    con.execute(
        f"INSERT INTO {staged.left_out} SELECT rowid, 'superseded' FROM {staged.rows}"
        f" WHERE {staged.loadable} AND {condition}"
    )
    return before - _count(con, staged)


def _remove(
    con: duckdb.DuckDBPyConnection, staged: Staged, deliveries: list[str], condition: str
) -> None:
    """Deletes rows of older deliveries and counts them as superseded there."""
    if not deliveries:
        return
    where = f"_delivery_id IN ({_ids(deliveries)}) AND {condition}"
    raw = staged.contract.raw_name(staged.table)
    counts = con.execute(
        f"SELECT _delivery_id, count(*) FROM {raw} WHERE {where} GROUP BY 1"
    ).fetchall()
    if not counts:
        return
    con.execute(f"DELETE FROM {raw} WHERE {where}")
    if staged.table.identity:
        con.execute(f"DELETE FROM {staged.contract.identity_name(staged.table)} WHERE {where}")
    con.executemany(
        "UPDATE meta.deliveries SET rows_loaded = rows_loaded - ?, rows_superseded = rows_superseded + ?"
        " WHERE delivery_id = ? AND table_name = ? AND status = 'loaded'",
        [[count, count, delivery_id, staged.table.name] for delivery_id, count in counts],
    )


def _key_there(staged: Staged) -> str:
    """The key in the warehouse's tables: the record key where it is the key, else the key's columns."""
    return ", ".join(f'"{name}"' for name in own_key(staged.table)) or "record_key"


def _key_here(staged: Staged) -> str:
    return key_columns(staged) if own_key(staged.table) else _record_key(staged)


def _record_key(staged: Staged) -> str:
    if not staged.table.record_key:
        return "NULL"
    prefix = quote(f"{staged.contract.id}|{staged.contract.hub.system}|")
    return f"{prefix} || " + " || ':' || ".join(f"v_{n}" for n in staged.table.record_key)


def _insert(con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged) -> int:
    raw = {p.name: f"v_{p.name}" for p in staged.table.payload if p.name in staged.names}
    _insert_into(con, delivery, staged, staged.contract.raw_name(staged.table), raw)
    if staged.table.identity:
        target = staged.contract.identity_name(staged.table)
        _insert_into(con, delivery, staged, target, _identity_values(staged))
    return _count(con, staged)


def _identity_values(staged: Staged) -> dict[str, str]:
    table = staged.table
    values = {name: f"v_{name}" for name in own_key(table)}
    values |= {attribute(p): f"v_{p.name}" for p in table.identity if p.name in staged.names}
    for prop in table.identity:
        if prop.identifier_type:
            values["identifier_type"] = f"v_{prop.identifier_type}"
    return values | ({"_latest": f"v_{table.latest_by}"} if table.latest_by else {})


def _insert_into(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    staged: Staged,
    target: str,
    values: Mapping[str, str],
) -> None:
    every = {
        "record_key": _record_key(staged),
        **values,
        "_delivery_id": quote(delivery.delivery_id),
        "_line": "_line",
        **({"_element": "_element"} if staged.element else {}),
    }
    columns = ", ".join(f'"{name}"' for name in every)
    con.execute(
        f"INSERT INTO {target} ({columns}) SELECT {', '.join(every.values())}"
        f" FROM {staged.rows} WHERE {staged.loadable}"
    )


def _write_faults(con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged) -> None:
    """One quarantine row for each row set aside, by its first fault; other faults are single values."""
    place = ", ".join(
        quote(x) for x in (delivery.delivery_id, delivery.feed, staged.table.name, staged.file_name)
    )
    remedies = ", ".join(f"{quote(rule)}: {quote(text)}" for rule, text in REMEDIES.items())
    listed = (
        f"SELECT _line AS line, unnest(_faults) AS fault, generate_subscripts(_faults, 1) AS place,"
        " CASE WHEN _bad THEN list_position(list_transform(_faults, lambda f: f.required), true) END AS main"
        f" FROM {staged.rows} WHERE _faults IS NOT NULL"
    )
    for target, condition in (("rows", "place = main"), ("values", "place IS DISTINCT FROM main")):
        con.execute(
            f'INSERT INTO quarantine.{target} SELECT {place}, line, fault."column", fault.rule,'
            f' fault."value", MAP {{{remedies}}}[fault.rule] FROM ({listed}) WHERE {condition}'
            " ORDER BY line, place"
        )
    key = quote(", ".join(staged.table.key))
    con.execute(
        f"INSERT INTO quarantine.rows SELECT {place}, _line AS line, {key}, 'duplicate_key', NULL,"
        f" 'send each key once in a file; its first row was kept' FROM {staged.rows}"
        f" WHERE rowid IN (SELECT row_id FROM {staged.left_out} WHERE rule = 'duplicate_key') ORDER BY line"
    )
    if staged.faults:
        con.executemany(
            f"INSERT INTO quarantine.rows VALUES ({place}, ?, ?, ?, ?, ?)",
            [_fault_row(fault) for fault in staged.faults],
        )


def _fault_row(fault: Fault) -> list[object]:
    return [fault.line, fault.column, fault.rule, fault.value, fault.remedy]


def _is_loaded(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> bool:
    query = "SELECT 1 FROM meta.deliveries WHERE delivery_id = ? AND feed = ? AND status = 'loaded'"
    return con.execute(query, [delivery.delivery_id, delivery.feed]).fetchone() is not None


def _repeat(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> DeliveryResult:
    """The same bytes again: nothing changes; a new name for them is written down once."""
    names = con.execute(
        "SELECT file_name FROM meta.deliveries WHERE delivery_id = ?", [delivery.delivery_id]
    ).fetchall()
    if delivery.file_name not in {name.split("/")[0] for (name,) in names}:
        _note(con, delivery, "duplicate", "these bytes are loaded already under another name")
    return DeliveryResult(delivery, "duplicate")


def _refuse(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, error: FeedError, status: str = "refused"
) -> DeliveryResult:
    con.begin()
    _forget(con, delivery)
    _note(con, delivery, status, str(error))
    con.commit()
    return DeliveryResult(delivery, status, error=error)


def _note(con: duckdb.DuckDBPyConnection, delivery: Delivery, status: str, reason: str) -> None:
    table = delivery.tables[0] if len(delivery.tables) == 1 else None
    con.execute(
        "INSERT INTO meta.deliveries VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?, ?, 0, NULL)",
        [
            delivery.delivery_id,
            delivery.feed,
            table,
            delivery.file_name,
            _next_sequence(con),
            delivery.delivered_at,
            status,
            reason,
        ],
    )


def _forget(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """Takes away what an earlier, refused attempt at the same bytes and name left behind."""
    con.execute(
        "DELETE FROM meta.deliveries WHERE delivery_id = ? AND feed = ? AND file_name = ? AND status <> 'loaded'",
        [delivery.delivery_id, delivery.feed, delivery.file_name],
    )


def _next_sequence(con: duckdb.DuckDBPyConnection) -> int:
    (last,) = con.execute("SELECT max(received_seq) FROM meta.deliveries").fetchone() or (None,)
    return (last or 0) + 1


def _ids(deliveries: list[str]) -> str:
    return ", ".join(quote(d) for d in deliveries)


def _no_contract(delivery: Delivery) -> FeedError:
    remedy = "write a contract for the feed"
    return FeedError("unknown_feed", "no contract has this name", remedy, file=delivery.file_name)


def _not_permitted(delivery: Delivery) -> FeedError:
    remedy = "have an agreement cover the tables that should come in"
    return FeedError(
        "not_permitted", "no table of the file is covered", remedy, file=delivery.file_name
    )
