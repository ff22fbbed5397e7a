"""Column lineage says where values come from: change a stored value and see which outputs change.

Which rows meet (joins, filters) is no part of it, so the queries below choose no rows by value.
"""

from __future__ import annotations

import duckdb
import pytest
from sqlglot.errors import SqlglotError

from ffp_data.lineage.values import (
    Source,
    column_sources,
    row_counts,
    sql_schema,
    stored_columns,
)

TABLES = """
ATTACH ':memory:' AS warehouse; USE warehouse;
CREATE SCHEMA s; CREATE SCHEMA "values";
CREATE TABLE s.a AS SELECT 1 AS k, 2 AS x, 3 AS y;
CREATE TABLE s.b AS SELECT 5 AS y, 1 AS k;
CREATE TABLE s.c AS SELECT 1 AS k, 7 AS z UNION ALL SELECT 2, 8;
CREATE VIEW s.seen AS SELECT k FROM s.a;
CREATE TABLE "values"."order" AS SELECT 1 AS "group";
"""

QUERIES = {
    "renamed and computed": "SELECT k AS key, x + y AS both, 4 AS four FROM s.a",
    "stars through common tables": "WITH u AS (SELECT * FROM s.a), v AS (SELECT * FROM u) FROM v",
    "union by place": "SELECT k, x FROM s.a UNION ALL SELECT k, z FROM s.c",
    "union by name in another order": "SELECT k, y FROM s.a UNION ALL BY NAME SELECT * FROM s.b",
    "union by name with a column of one side": (
        "WITH u AS (FROM s.a UNION ALL BY NAME FROM s.b UNION ALL BY NAME SELECT z, k FROM s.c) FROM u"
    ),
    "union by name of unions by name": (
        "WITH u AS (FROM s.b UNION ALL BY NAME FROM s.c) SELECT x, k FROM s.a UNION ALL BY NAME FROM u"
    ),
    "scalar subquery": "SELECT k, (SELECT max(z) FROM s.c) AS most FROM s.a",
    "window": "SELECT k, lag(z) OVER (ORDER BY k) AS before FROM s.c",
    "list of a join": "SELECT a.k, list(c.z) AS zs FROM s.a CROSS JOIN s.c GROUP BY ALL",
    "reserved words": 'SELECT "group" AS g FROM "values"."order"',
}


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(TABLES)
    return connection


@pytest.mark.parametrize("sql", QUERIES.values(), ids=QUERIES)
def test_a_column_whose_change_changes_an_output_is_among_its_sources(
    con: duckdb.DuckDBPyConnection, sql: str
) -> None:
    stored = stored_columns(con)
    told = column_sources(sql, sql_schema("warehouse", stored))
    before = _outputs(con, sql)
    assert set(told) == set(before)
    for relation, column in [(r, c) for r, columns in stored.items() for c in columns]:
        if relation == "s.seen":
            continue
        for output in _changed_by(con, relation, column, sql, before):
            assert Source(relation, column) in told[output]


def test_a_constant_comes_from_nothing_and_a_column_from_no_other(
    con: duckdb.DuckDBPyConnection,
) -> None:
    told = column_sources(QUERIES["renamed and computed"], sql_schema("w", stored_columns(con)))
    assert told == {
        "key": {Source("s.a", "k")},
        "both": {Source("s.a", "x"), Source("s.a", "y")},
        "four": frozenset(),
    }


def test_a_statement_that_is_no_query_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(SqlglotError):
        column_sources("DROP TABLE s.a", sql_schema("warehouse", stored_columns(con)))


def test_rows_are_counted_in_tables_and_not_in_views(con: duckdb.DuckDBPyConnection) -> None:
    assert row_counts(con) == {"s.a": 1, "s.b": 1, "s.c": 2, "values.order": 1}
    assert row_counts(duckdb.connect()) == {}


def _outputs(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, list[str]]:
    """Each output column's values, in an order of their own."""
    answer = con.execute(sql)
    names = [str(column[0]) for column in answer.description or ()]
    rows = answer.fetchall()
    return {name: sorted(repr(row[place]) for row in rows) for place, name in enumerate(names)}


def _changed_by(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    sql: str,
    before: dict[str, list[str]],
) -> list[str]:
    """The outputs that change when all values of one stored column grow by a number of their own."""
    table = ".".join(f'"{part}"' for part in relation.split("."))
    con.execute("BEGIN")
    con.execute(f'UPDATE {table} SET "{column}" = "{column}" * 10 + 100')
    after = _outputs(con, sql)
    con.execute("ROLLBACK")
    return [name for name in before if before[name] != after[name]]
