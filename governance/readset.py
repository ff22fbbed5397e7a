"""Which stored columns a query reads, asked of DuckDB's own planner instead of a SQL parser.

EXPLAIN names, for each table scan, the columns that survive the binder and the unused-column
optimizer: through views, macros, whole-row references, correlated subqueries and `query()`,
where SQL parsers lose columns. Optimizers that hide reads are switched off for the plan:
`statistics_propagation` and `empty_result_pullup` drop scans of empty tables; `filter_pushdown`,
`join_filter_pushdown` and `late_materialization` move columns into filter texts or double scans.
Tables that the text names but the plan dropped, because a branch is constantly false or a common
table is unused, are taken from the engine's syntax tree and count as use of the table
(`get_table_names` would do, but fails on joins with USING). A source that is not a table of the
catalogue (a file, a setting, another engine) raises UnreadableQueryError: what cannot be named
cannot be permitted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import duckdb

from governance.syntax import nodes, quoted, syntax_tree

ROWS = "*"
"""Stands for a column when only the rows of a table are counted or tested for existence."""

_HIDING_OPTIMIZERS = (
    "empty_result_pullup",
    "filter_pushdown",
    "join_filter_pushdown",
    "late_materialization",
    "statistics_propagation",
)
_SOURCELESS_LEAVES = frozenset(
    {
        "COLUMN_DATA_SCAN",  # VALUES lists
        "CTE_SCAN",
        "DELIM_SCAN",
        "DUMMY_SCAN",  # SELECT without FROM
        "EMPTY_RESULT",
        "GENERATE_SERIES",
        "HASH_GROUP_BY",  # the duplicate-free side of a correlated subquery
        "RANGE",
        "REC_CTE_SCAN",
        "UNNEST",
    }
)


class Column(NamedTuple):
    """A column of a stored table; ``column`` is ROWS where only rows count."""

    schema: str
    table: str
    column: str


class UnreadableQueryError(Exception):
    """The query is not one SELECT, does not bind, or reads what is not a catalogue table."""


def columns_read(con: duckdb.DuckDBPyConnection, sql: str) -> frozenset[Column]:
    """Return the columns that one SELECT reads; the tables must exist but may be empty.

    The planner settings of the whole database are changed meanwhile and put back. For many queries see
    `reading`.
    """
    with reading(con) as columns_of:
        return columns_of(sql)


@contextmanager
def reading(
    con: duckdb.DuckDBPyConnection,
) -> Iterator[Callable[[str], frozenset[Column]]]:
    """Yield `columns_read` for the tables that there are now: the catalogue is read once for all queries."""
    with _planning(con) as planner:
        tables = _Catalogue(planner)

        @cache  # many queries name the same views, some of them deep
        def rows_of(name: str) -> frozenset[Column]:
            planned = tables.columns_of_plan(f"SELECT count(*) FROM {name}")
            return frozenset(Column(each.schema, each.table, ROWS) for each in planned)

        def columns_of(sql: str) -> frozenset[Column]:
            _refuse_all_but_one_select(planner, sql)
            found = set(tables.columns_of_plan(sql))
            for name in _tables_named(planner, sql):
                found |= rows_of(name)
            named = {(each.schema, each.table) for each in found if each.column != ROWS}
            return frozenset(
                each
                for each in found
                if each.column != ROWS or (each.schema, each.table) not in named
            )

        yield columns_of


@contextmanager
def planning(
    con: duckdb.DuckDBPyConnection,
) -> Iterator[Callable[[str], frozenset[Column]]]:
    """Yield what the plan of one SELECT scans: for one column after another of a query that `reading` examined.

    Of a table in a branch that can never be true the plan says nothing; `reading` does.
    """
    with _planning(con) as planner:
        tables = _Catalogue(planner)
        yield lambda sql: frozenset(tables.columns_of_plan(sql))


class _Catalogue:
    """The tables and columns of a database, by the names that EXPLAIN prints."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        rows = con.execute(
            "SELECT database_name, schema_name, table_name, list(column_name) "
            "FROM duckdb_columns() GROUP BY ALL"
        ).fetchall()
        self._columns = {tuple(names): frozenset(columns) for *names, columns in rows}

    def columns_of_plan(self, sql: str) -> Iterator[Column]:
        for name, info in _leaves(_plan(self._con, sql)):
            if "Table" in info:
                yield from self._scanned(info)
            elif name not in _SOURCELESS_LEAVES:
                raise UnreadableQueryError(f"{name} is not a table of the warehouse; read a table")

    def _scanned(self, info: dict[str, Any]) -> Iterator[Column]:
        database, schema, table = _identifiers(info["Table"])
        if (database, schema, table) not in self._columns:
            raise UnreadableQueryError(f"{info['Table']} is not in the catalogue")
        known = self._columns[database, schema, table]
        projections = info.get("Projections", "")
        names = [projections] if isinstance(projections, str) else projections
        for name in names:
            yield from (Column(schema, table, each) for each in _base_columns(name, known))


def _identifiers(printed: str) -> list[str]:
    """Split a printed name such as memory.raw."event" into its identifiers."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^".]+', printed)
    return [each[1:-1].replace('""', '"') if each.startswith('"') else each for each in parts]


def _base_columns(name: str, known: frozenset[str]) -> set[str]:
    """Return the columns a printed projection may mean: 's.x' is field x of s, or a column."""
    if name == "":
        return {ROWS}
    parts = name.split(".")
    prefixes = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    if not (matching := prefixes & known):
        raise UnreadableQueryError(f"the plan names a column {name!r} that the catalogue lacks")
    return matching


def _refuse_all_but_one_select(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements = con.extract_statements(sql)
    except duckdb.Error as error:
        raise UnreadableQueryError(f"the query does not parse: {error}") from error
    if [each.type for each in statements] != [duckdb.StatementType.SELECT]:
        raise UnreadableQueryError("exactly one SELECT can be examined")


def _tables_named(con: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """Return the tables and views in the text of a query, quoted, without its common tables."""
    tree = syntax_tree(con, sql)
    if tree["error"]:
        raise UnreadableQueryError(f"the query cannot be examined: {tree['error_message']}")
    found = list(nodes(tree))
    common = {each["key"] for node in found for each in node.get("cte_map", {}).get("map", ())}
    return {
        ".".join(quoted(part) for part in _name_parts(node) if part)
        for node in found
        if node.get("type") == "BASE_TABLE"
        and (node["schema_name"] or node["table_name"] not in common)
    }


def _name_parts(node: dict[str, Any]) -> tuple[str, str, str]:
    return node["catalog_name"], node["schema_name"], node["table_name"]


def _plan(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    try:
        row = con.execute(f"EXPLAIN (FORMAT json) {sql}").fetchone()
    except duckdb.Error as error:
        raise UnreadableQueryError(f"the query does not bind: {error}") from error
    if row is None:
        raise UnreadableQueryError("the engine gave no plan")
    plan: list[dict[str, Any]] = json.loads(row[1])
    return plan


def _leaves(nodes: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, details) of every node that is a source: no children, or names a table."""
    for node in nodes:
        children, info = node.get("children", []), node.get("extra_info", {})
        if not children or "Table" in info:
            yield node["name"].strip(), info
        yield from _leaves(children)


@contextmanager
def _planning(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield the connection with the hiding optimizers off; put its settings back after."""
    before = con.execute("SELECT current_setting('disabled_optimizers')").fetchall()[0][0]
    con.execute(f"SET disabled_optimizers = '{','.join(_HIDING_OPTIMIZERS)}'")
    try:
        yield con
    finally:
        con.execute(f"SET disabled_optimizers = '{before}'")
