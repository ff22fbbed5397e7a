"""Which rows of a delivery are of a sealed identity, told by the sieve over the staged rows.

A row goes when its record key, the record it ties its person to, or a number in it is in the filter. With
a row that gives a person's record in itself goes every row of that record in the delivery. What
describes a case and no person (`orphans.yaml`) goes when no other person is left in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import duckdb
import pyarrow as pa
import yaml

from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.identifier_sql import IDENTIFIERS
from ffp_data.feeds.stage import Staged
from ffp_data.feeds.superseding import record_key
from ffp_data.sealing.sieve import NUMBER, RECORD, Sieve
from ffp_data.sql_text import literal

Place = tuple[int, int | None]
"""Line of a row, and its number where several rows may begin on one line."""


@dataclass(frozen=True)
class Hits:
    """The rows of one table of one file that must go."""

    staged: Staged
    rows: frozenset[Place]

    @property
    def lines(self) -> frozenset[int]:
        return frozenset(line for line, _ in self.rows)

    @property
    def elements(self) -> frozenset[int]:
        return frozenset(element for _, element in self.rows if element is not None)


def find(
    con: duckdb.DuckDBPyConnection, staged: Sequence[Staged], sieve: Sieve
) -> tuple[Hits, ...]:
    """The tables of a delivery that hold rows of the filter, with those rows."""
    own = {one.table.name: _rows_of(con, one, sieve) for one in staged}
    own = _whole_records(con, staged, own, sieve)
    for one in staged:
        own[one.table.name] |= _left_alone(con, one, staged, own)
    found = (Hits(one, frozenset(own[one.table.name])) for one in staged)
    return tuple(hits for hits in found if hits.rows)


def ids_of(one: Staged) -> Iterator[tuple[str, str]]:
    """Kind and SQL of every id by which a row of the table may be known."""
    table = one.table
    if table.record_key:
        yield RECORD, record_key(one)
    for name in _others(table):
        yield RECORD, f"{_prefix(one)} || v_{name}"
    if table.relationship and len(table.relationship.related_key) > 1 and not table.role:
        parts = " || ':' || ".join(f"v_{name}" for name in table.relationship.related_key)
        yield RECORD, f"{_prefix(one)} || {parts}"
    for prop in table.identity:
        if prop.name in one.names and (prop.identifier_type or prop.person in IDENTIFIERS):
            yield NUMBER, f"v_{prop.name}::VARCHAR"


def _others(table: Table) -> Iterator[str]:
    """Columns with the id of another record. A list of people is not cut for whom its rows point to."""
    if table.merged_into:
        yield table.merged_into
    if table.relationship and len(table.relationship.related_key) == 1 and not table.role:
        yield table.relationship.related_key[0]


def _prefix(one: Staged) -> str:
    return literal(f"{one.contract.id}|{one.contract.hub.system}|")


def _rows_of(con: duckdb.DuckDBPyConnection, one: Staged, sieve: Sieve) -> set[Place]:
    rows: set[Place] = set()
    for kind, sql in ids_of(one):
        rows |= _holding(con, one, sql, sieve.among(kind, _values(con, one, sql)))
    return rows


def _values(con: duckdb.DuckDBPyConnection, one: Staged, sql: str) -> list[str]:
    query = f"SELECT DISTINCT {sql} AS id FROM {one.rows} WHERE id IS NOT NULL"
    return [value for (value,) in con.execute(query).fetchall()]


def _holding(
    con: duckdb.DuckDBPyConnection, one: Staged, sql: str, values: Iterable[str]
) -> set[Place]:
    """Places of the rows whose `sql` is one of the values."""
    wanted = sorted(values)
    if not wanted:
        return set()
    con.register("_sealed_ids", pa.table({"id": pa.array(wanted, pa.string())}))
    element = "_element" if one.element else "NULL::BIGINT"
    found = con.execute(
        f"SELECT _line, {element} FROM {one.rows} WHERE {sql} IN (SELECT id FROM _sealed_ids)"
    ).fetchall()
    con.unregister("_sealed_ids")
    return set(found)


def _whole_records(
    con: duckdb.DuckDBPyConnection,
    staged: Sequence[Staged],
    own: Mapping[str, set[Place]],
    sieve: Sieve,
) -> dict[str, set[Place]]:
    """Beside the rows found, all rows of the records whose own list of people was among them."""
    keys: set[str] = set()
    for one in staged:
        if one.table.role and own[one.table.name]:
            keys |= _of_rows(con, one, record_key(one), own[one.table.name])
    new = {key for key in keys if not sieve.holds(RECORD, key)}
    grown = {name: set(rows) for name, rows in own.items()}
    for one in staged if new else ():
        for kind, sql in ids_of(one):
            if kind == RECORD:
                grown[one.table.name] |= _holding(con, one, sql, new)
    return grown


def _of_rows(
    con: duckdb.DuckDBPyConnection,
    one: Staged,
    sql: str,
    rows: Iterable[Place],
    join: Literal["SEMI", "ANTI"] = "SEMI",
) -> set[str]:
    """Distinct values of `sql` in the rows at these places; ANTI: in all the others."""
    con.register("_sealed_rows", _places(rows))
    element = "_element" if one.element else "NULL::BIGINT"
    found = con.execute(
        f"SELECT DISTINCT {sql}::VARCHAR AS v FROM {one.rows} r {join} JOIN _sealed_rows s"
        f" ON r._line = s.line AND {element} IS NOT DISTINCT FROM s.element WHERE v IS NOT NULL"
    ).fetchall()
    con.unregister("_sealed_rows")
    return {value for (value,) in found}


def _places(rows: Iterable[Place]) -> pa.Table:
    listed = sorted(rows, key=lambda place: (place[0], place[1] or 0))
    lines = pa.array([line for line, _ in listed], pa.int64())
    return pa.table({"line": lines, "element": pa.array([n for _, n in listed], pa.int64())})


@cache
def orphans() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """`feed.table.column` of what describes a case -> the columns that say whose case it is."""
    text = resources.files(__package__).joinpath("orphans.yaml").read_text("utf-8")
    rules: Mapping[str, Mapping[str, Sequence[str]]] = yaml.safe_load(text)
    return rules


def _left_alone(
    con: duckdb.DuckDBPyConnection,
    one: Staged,
    staged: Sequence[Staged],
    own: Mapping[str, set[Place]],
) -> set[Place]:
    """Rows of a case of which every person's row in this delivery goes."""
    tables = {each.table.name: each for each in staged}
    gone: set[Place] = set()
    for column, parents in orphans().get(one.contract.id, {}).items():
        name, _, key = column.partition(".")
        if name != one.table.name:
            continue
        going, staying = set[str](), set[str]()
        for parent in parents:
            table, _, its = parent.partition(".")
            if table in tables and its in tables[table].names:
                going |= _of_rows(con, tables[table], f"v_{its}", own[table])
                staying |= _of_rows(con, tables[table], f"v_{its}", own[table], "ANTI")
        gone |= _holding(con, one, f"v_{key}::VARCHAR", going - staying)
    return gone
