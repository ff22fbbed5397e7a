"""What differs between a table of the home and the same table built anew, by rows, columns and children."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from ffp_data.warehouse import CATALOG
from ffp_data.withdrawal.scratch import HOME, qualified
from governance.syntax import quoted

CHILD = ("child_id", "child_key")
"""Columns that say whose row it is, the first that a table has."""


@dataclass(frozen=True)
class Difference:
    """How a table differs: rows that only the home has, rows that only the other has, changed cells by column.

    A row with the same key on both sides is compared cell by cell; without a key (see `key_of`) a changed row counts
    as one only here and one only there. `children`: how many children any of it is about.
    """

    relation: str
    only_home: int = 0
    only_other: int = 0
    cells: Mapping[str, int] = field(default_factory=dict)
    emptied: Mapping[str, int] = field(default_factory=dict)
    children: int = 0
    columns: tuple[str, ...] = ()

    @property
    def cell_count(self) -> int:
        return sum(self.cells.values())

    @property
    def is_none(self) -> bool:
        return not (self.only_home or self.only_other or self.cells or self.columns)


def columns_of(con: duckdb.DuckDBPyConnection, catalog: str, relation: str) -> dict[str, str]:
    """Column -> type of a table or view, in its order; empty when it is not there."""
    try:  # duckdb_columns() would work out the columns of every view there is, 13 ms each time
        rows = con.execute(f"DESCRIBE {catalog}.{qualified(relation)}").fetchall()
    except duckdb.CatalogException:
        return {}
    return {name: kind for name, kind, *_ in rows}


def digest(
    con: duckdb.DuckDBPyConnection, catalog: str, relation: str, columns: Mapping[str, str]
) -> str:
    """SHA-256 over the number of rows and two sums over all rows, whatever their order.

    Values are taken in the types given, so that a narrower type of the stored table is no difference.
    """
    row = con.execute(
        f"SELECT count(*), sum(hash(t)::HUGEINT), bit_xor(hash('second', t))"
        f" FROM ({_typed(catalog, relation, columns)}) AS t"
    ).fetchone()
    return hashlib.sha256(repr((tuple(columns), row)).encode()).hexdigest()


def _typed(catalog: str, relation: str, columns: Mapping[str, str]) -> str:
    listed = ", ".join(
        f"{quoted(name)}::{kind} AS {quoted(name)}" for name, kind in columns.items()
    )
    return f"SELECT {listed or '1'} FROM {catalog}.{qualified(relation)}"


def compare(con: duckdb.DuckDBPyConnection, relation: str) -> Difference:
    """How the table of the home differs from the one of the scratch catalog."""
    here, there = columns_of(con, HOME, relation), columns_of(con, CATALOG, relation)
    if here.keys() != there.keys():
        return Difference(relation, columns=tuple(sorted(here.keys() ^ there.keys())))
    sides = (_typed(HOME, relation, here), _typed(CATALOG, relation, here))
    return compare_rows(con, relation, *sides, here)


def compare_rows(
    con: duckdb.DuckDBPyConnection,
    name: str,
    left: str,
    right: str,
    columns: Collection[str],
) -> Difference:
    """How the rows of one query differ from those of another with the same columns."""
    for side, (one, other) in (("gone", (left, right)), ("come", (right, left))):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {side} AS ({one}) EXCEPT ALL ({other})")
    try:
        return _told(con, name, columns)
    finally:
        con.execute("DROP TABLE IF EXISTS temp.gone; DROP TABLE IF EXISTS temp.come")


def _told(con: duckdb.DuckDBPyConnection, relation: str, columns: Collection[str]) -> Difference:
    gone, come = _count(con, "SELECT count(*) FROM gone"), _count(con, "SELECT count(*) FROM come")
    if not gone and not come:
        return Difference(relation)
    child = next((name for name in CHILD if name in columns), None)
    both = f"SELECT {child} FROM gone UNION SELECT {child} FROM come"
    children = _count(con, f"SELECT count(*) FROM ({both})") if child else 0
    key = key_of(con, columns)
    if not key:
        return Difference(relation, gone, come, children=children)
    rest = [name for name in columns if name not in key]
    on = " AND ".join(f"g.{quoted(k)} IS NOT DISTINCT FROM c.{quoted(k)}" for k in key)
    changed = [f"count(*) FILTER (g.{quoted(n)} IS DISTINCT FROM c.{quoted(n)})" for n in rest]
    empty = [f"count(*) FILTER (g.{quoted(n)} IS NOT NULL AND c.{quoted(n)} IS NULL)" for n in rest]
    row = con.execute(
        f"SELECT {', '.join(['count(*)', *changed, *empty])} FROM gone g JOIN come c ON {on}"
    ).fetchone()
    paired, counts = (row or (0,))[0], list((row or (0,))[1:])
    cells = {n: c for n, c in zip(rest, counts[: len(rest)], strict=True) if c}
    emptied = {n: c for n, c in zip(rest, counts[len(rest) :], strict=True) if c}
    return Difference(relation, gone - paired, come - paired, cells, emptied, children)


_KEYS: Sequence[tuple[str, ...]] = (
    ("child_id",),
    ("record_key",),
    ("child_id", "service"),
    ("child_id", "flag"),
    ("child_id", "feed"),
    ("child_id", "attendance_window", "source"),
    ("child_id", "record_key", "event_type", "event_date", "line"),
    ("child_id", "record_key", "line"),
    ("child_id", "related_child_id", "relationship", "source"),
    ("child_key",),
    ("cin_key",),
)


def key_of(con: duckdb.DuckDBPyConnection, columns: Collection[str]) -> tuple[str, ...]:
    """Columns that tell the differing rows of one side apart on both sides; empty when none are known."""
    for key in _KEYS:
        if set(key) <= set(columns) and all(
            _is_unique(con, side, key) for side in ("gone", "come")
        ):
            return key
    return ()


def _is_unique(con: duckdb.DuckDBPyConnection, side: str, key: tuple[str, ...]) -> bool:
    listed = ", ".join(map(quoted, key))
    return not _count(
        con, f"SELECT count(*) FROM (SELECT {listed} FROM {side} GROUP BY ALL HAVING count(*) > 1)"
    )


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = con.execute(sql).fetchone()
    return int(row[0]) if row else 0
