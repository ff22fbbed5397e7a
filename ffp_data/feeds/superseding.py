"""Which rows hold when several deliveries speak of the same thing, whatever order they arrive in.

A delivery stands at the time in its name, then at its name, then (for other bytes under one name) at
the order of arrival. A delta row gives way to a newer row of its key. A snapshot speaks for its scopes:
the whole table, the council and case system of a drop, or each value of the contract's scope columns
that stands in it. Within a scope all rows of older snapshots give way, and a late, older snapshot brings
nothing; files of one time are parts of one snapshot and stand side by side. The books keep which scopes
each snapshot spoke for, so that this can be told after its rows are gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.landing import Delivery
from ffp_data.feeds.stage import Staged, key_columns
from ffp_data.feeds.tables import identity_columns, own_key
from ffp_data.sql_text import literal, literals

PLACE = ("_delivery_id", "_line", "_element")


@dataclass(frozen=True)
class Peers:
    """Other loaded deliveries of the same table, and of the same council and case system, by their place."""

    older: tuple[str, ...]
    newer: tuple[str, ...]
    older_parts: tuple[str, ...]
    newer_parts: tuple[str, ...]


def give_way(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged, sequence: int
) -> int:
    """Removes what this delivery replaces and leaves out what newer ones replaced; counts the latter."""
    peers = find_peers(con, delivery, staged, sequence)
    newer, older = peers.newer + peers.newer_parts, peers.older + peers.older_parts
    overtaken = 0
    if staged.table.semantics == "snapshot":
        write_scopes(con, delivery, staged, sequence)
        overtaken = _give_way_in_scope(con, delivery, staged, peers)
        newer, older = peers.newer_parts, peers.older_parts
    there, here = key_there(staged), key_here(staged)
    if newer:
        raw = staged.contract.raw_name(staged.table)
        same = f"SELECT {there} FROM {raw} WHERE _delivery_id IN ({ids(newer)})"
        overtaken += _leave_out(con, staged, f"({here}) IN ({same})")
    same = f"SELECT {here} FROM {staged.rows} WHERE {staged.loadable}"
    _remove(con, staged, older, f"({there}) IN ({same})")
    return overtaken


def find_peers(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged, sequence: int
) -> Peers:
    found: dict[tuple[bool, bool], list[str]] = {}
    query = (
        "SELECT delivery_id, (delivered_at, file_name, received_seq) > (?, ?, ?),"
        " delivered_at = ? AND file_name <> ? FROM meta.deliveries"
        " WHERE feed = ? AND table_name = ? AND scope IS NOT DISTINCT FROM ? AND status = 'loaded'"
        " AND delivery_id <> ? ORDER BY received_seq"
    )
    when, name = delivery.delivered_at, staged.file_name
    which = [delivery.feed, staged.table.name, staged.scope, delivery.delivery_id]
    for peer, is_newer, is_part in con.execute(
        query, [when, name, sequence, when, name, *which]
    ).fetchall():
        found.setdefault((is_newer, is_part), []).append(peer)
    return Peers(
        older=tuple(found.get((False, False), ())),
        newer=tuple(found.get((True, False), ())),
        older_parts=tuple(found.get((False, True), ())),
        newer_parts=tuple(found.get((True, True), ())),
    )


# Deliveries of a table whose superseded rows may hold again when one delivery goes: of a delta, any older
# one; of a snapshot, those that then are the newest for one of its scopes. Those beneath them stay beneath.
_FREED_BY_DELTA = """
SELECT DISTINCT other.delivery_id
FROM meta.deliveries AS gone
JOIN meta.deliveries AS other USING (feed, table_name)
WHERE gone.delivery_id = $delivery AND gone.feed = $feed AND gone.table_name = $table
    AND gone.status = 'loaded' AND other.status = 'loaded' AND other.rows_superseded > 0
    AND (other.delivered_at, other.file_name, other.received_seq)
        < (gone.delivered_at, gone.file_name, gone.received_seq)
    AND other.scope IS NOT DISTINCT FROM gone.scope
ORDER BY other.delivery_id
"""
_FREED_BY_SNAPSHOT = """
WITH peers AS (
    SELECT * FROM meta.snapshot_scopes
    WHERE feed = $feed AND table_name = $table AND NOT is_held
),
gone AS (SELECT * FROM peers WHERE delivery_id = $delivery),
beneath AS (
    SELECT other.delivery_id, other.delivered_at = newest_at AND newest_at <= gone_at AS is_freed
    FROM (
        SELECT other.*, gone.delivered_at AS gone_at,
            max(other.delivered_at) OVER (PARTITION BY gone.scope) AS newest_at
        FROM gone JOIN peers AS other USING (scope)
        WHERE other.delivery_id <> gone.delivery_id
            AND other.part_of IS NOT DISTINCT FROM gone.part_of
    ) AS other
)
SELECT DISTINCT delivery_id FROM beneath
JOIN meta.deliveries AS book USING (delivery_id)
WHERE is_freed AND book.feed = $feed AND book.table_name = $table AND book.status = 'loaded'
    AND book.rows_superseded > 0
ORDER BY delivery_id
"""


def freed_by(
    con: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str, table_name: str
) -> list[str]:
    """Ids of the deliveries some of whose rows of the table may hold again once this delivery is gone."""
    is_snapshot = contract.by_name[table_name].semantics == "snapshot"
    own = {"delivery": delivery_id, "feed": contract.id, "table": table_name}
    query = _FREED_BY_SNAPSHOT if is_snapshot else _FREED_BY_DELTA
    return [freed for (freed,) in con.execute(query, own).fetchall()]


def claims(staged: Staged) -> str:
    """SQL of the scopes that a staged snapshot speaks for, with the rows that could be loaded in each.

    A scope all of whose rows were set aside counts too. A snapshot without scope columns speaks for the
    whole table even when it is empty.
    """
    known = " AND ".join(f"v_{name} IS NOT NULL" for name in staged.table.scope) or "true"
    grouped = "GROUP BY ALL" if staged.table.scope else ""
    return (
        f"SELECT {scope_here(staged)} AS scope, count(*) FILTER (WHERE {staged.loadable}) AS rows"
        f" FROM {staged.rows} WHERE {known} {grouped}"
    )


def write_scopes(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    staged: Staged,
    sequence: int,
    *,
    is_held: bool = False,
) -> None:
    """Enters in the books what a snapshot speaks for; before any of its rows are left out as overtaken."""
    con.execute(
        f"INSERT INTO meta.snapshot_scopes SELECT ?, ?, ?, ?, ?, ?, ?, scope, rows, ? FROM ({claims(staged)})",
        [
            delivery.delivery_id,
            delivery.feed,
            staged.table.name,
            staged.file_name,
            delivery.delivered_at,
            sequence,
            staged.scope,
            is_held,
        ],
    )


def scope_here(staged: Staged) -> str:
    return _scope([f"v_{name}" for name in staged.table.scope])


def scope_there(staged: Staged) -> str:
    """The scope of a row in the warehouse, as SQL over raw."""
    return _scope([f'"{name}"' for name in staged.table.scope])


def key_there(staged: Staged) -> str:
    """The key in the warehouse's tables: the record key where it is the key, else the key's columns."""
    return ", ".join(f'"{name}"' for name in own_key(staged.table)) or "record_key"


def record_key(staged: Staged) -> str:
    """SQL of the name by which the hub knows the person of a staged row; NULL where rows have none."""
    if not staged.table.record_key:
        return "NULL"
    prefix = literal(f"{staged.contract.id}|{staged.contract.hub.system}|")
    return f"{prefix} || " + " || ':' || ".join(f"v_{n}" for n in staged.table.record_key)


def ids(deliveries: tuple[str, ...]) -> str:
    return literals(deliveries) or "NULL"


def key_here(staged: Staged) -> str:
    return key_columns(staged) if own_key(staged.table) else record_key(staged)


def _scope(columns: list[str]) -> str:
    texts = [f"CAST({name} AS VARCHAR)" for name in columns] or ["''"]
    return texts[0] if len(texts) == 1 else f"CAST(to_json([{', '.join(texts)}]) AS VARCHAR)"


def _give_way_in_scope(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged, peers: Peers
) -> int:
    book = f"SELECT scope FROM meta.snapshot_scopes WHERE table_name = {literal(staged.table.name)}"
    book += f" AND feed = {literal(delivery.feed)} AND NOT is_held AND delivery_id IN"
    mine = f"{book} ({literal(delivery.delivery_id)})"
    _remove(con, staged, peers.older, f"{scope_there(staged)} IN ({mine})")
    if not peers.newer:
        return 0
    return _leave_out(con, staged, f"{scope_here(staged)} IN ({book} ({ids(peers.newer)}))")


def _leave_out(con: duckdb.DuckDBPyConnection, staged: Staged, condition: str) -> int:
    counted = con.execute(
        f"INSERT INTO {staged.left_out} SELECT rowid, 'superseded' FROM {staged.rows}"
        f" WHERE {staged.loadable} AND {condition}"
    ).fetchone()
    return int(counted[0]) if counted else 0


def _remove(
    con: duckdb.DuckDBPyConnection, staged: Staged, deliveries: tuple[str, ...], condition: str
) -> None:
    """Deletes rows of older deliveries and counts them as superseded there."""
    if not deliveries:
        return
    where = f"_delivery_id IN ({ids(deliveries)}) AND {condition}"
    raw = staged.contract.raw_name(staged.table)
    counts: list[tuple[str, Any]] = con.execute(
        f"SELECT _delivery_id, count(*) FROM {raw} WHERE {where} GROUP BY 1"
    ).fetchall()
    if not counts:
        return
    if staged.table.identity:
        # The scope's columns need not stand in identity: its rows are known by where they stood in the file.
        place = ", ".join(n for n in PLACE if n in identity_columns(staged.table))
        con.execute(
            f"DELETE FROM {staged.contract.identity_name(staged.table)}"
            f" WHERE ({place}) IN (SELECT {place} FROM {raw} WHERE {where})"
        )
    con.execute(f"DELETE FROM {raw} WHERE {where}")
    con.executemany(
        "UPDATE meta.deliveries SET rows_loaded = rows_loaded - ?, rows_superseded = rows_superseded + ?"
        " WHERE delivery_id = ? AND feed = ? AND table_name = ? AND status = 'loaded'",
        [[count, count, peer, staged.contract.id, staged.table.name] for peer, count in counts],
    )
