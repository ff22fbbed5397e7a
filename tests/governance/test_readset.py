"""The planner names every stored column a query depends on, however it is reached."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from governance.readset import ROWS, Column, UnreadableQueryError, columns_read

SCHEMA = """
create schema raw;
create schema mart;
create table raw.child (id integer, name varchar, born date, "free text" varchar);
create table raw.event (child_id integer, grade varchar, seen date, place struct(town varchar));
create view mart.born as select id, born from raw.child;
create view mart.born_again as select * from mart.born;
create macro worst(who) as (select max(grade) from raw.event where child_id = who);
create macro born_in(y) as table select id from raw.child where year(born) = y;
"""

CHILD, EVENT = "raw.child", "raw.event"


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        yield connection


QUERIES = {
    "plain columns": ("select id, name from raw.child", "child.id child.name"),
    "a column that only filters": (
        "select id from raw.child where name = 'x'",
        "child.id child.name",
    ),
    "a range and a like": (
        "select id from raw.child where born > '2020-01-01' and name like 'a%'",
        "child.id child.born child.name",
    ),
    "exists": (
        "select id from raw.child c where exists (select 1 from raw.event where child_id = c.id)",
        "child.id event.child_id",
    ),
    "exists with a filter": (
        "select id from raw.child c where exists "
        "(from raw.event e where e.child_id = c.id and e.grade = 'HIGH')",
        "child.id event.child_id event.grade",
    ),
    "counting rows": ("select count(*) from raw.event", "event.*"),
    "a constant per row": ("select 1 from raw.event", "event.*"),
    "a whole row": (
        "select e from raw.event e",
        "event.child_id event.grade event.seen event.place",
    ),
    "a whole row as json": (
        "select to_json(c) from raw.child c",
        "child.id child.name child.born child.free_text",
    ),
    "a field of a struct": ("select place.town from raw.event", "event.place"),
    "a view of a view": ("select born from mart.born_again", "child.born"),
    "a scalar macro": (
        "select worst(id) from raw.child",
        "child.id event.grade event.child_id",
    ),
    "a table macro": ("select * from born_in(2015)", "child.id child.born"),
    "query() of a text": ("select * from query('select grade from raw.event')", "event.grade"),
    "query_table() of a name": ("select seen from query_table('raw.event')", "event.seen"),
    "a correlated subquery": (
        "select id, (select max(seen) from raw.event where child_id = c.id) from raw.child c",
        "child.id event.seen event.child_id",
    ),
    "a lateral join": (
        "select e.grade from raw.child c, "
        "lateral (select grade from raw.event where child_id = c.id) e",
        "child.id event.grade event.child_id",
    ),
    "a limit that asks another table": (
        "select id from raw.child limit (select count(*) from raw.event)",
        "child.id event.*",
    ),
    "an order by": ("select id from raw.child order by born limit 3", "child.id child.born"),
    "a window": (
        "select id, row_number() over (partition by name order by born) from raw.child",
        "child.id child.name child.born",
    ),
    "columns by pattern": ("select columns('^na|^bo') from raw.child", "child.name child.born"),
    "a join by using": (
        "with e as (select child_id as id, grade from raw.event), c as (select * from raw.child) "
        "select grade from c left join e using (id)",
        "child.id event.child_id event.grade",
    ),
    "a lambda": ("select list_transform([1], x -> x + id) from raw.child", "child.id"),
    "a pivot": (
        "from (select grade, child_id from raw.event) "
        "pivot (count(child_id) for grade in ('HIGH'))",
        "event.grade event.child_id",
    ),
    "a recursive query": (
        "with recursive r as (select id from raw.child union all "
        "select child_id from raw.event join r on r.id = year(seen)) select * from r",
        "child.id event.child_id event.seen",
    ),
    "a union": (
        "select name from raw.child union select grade from raw.event",
        "child.name event.grade",
    ),
    "a having": (
        "select child_id from raw.event group by child_id having max(grade) > 'L'",
        "event.child_id event.grade",
    ),
    "a positional join": (
        "select id from raw.child positional join raw.event",
        "child.id event.*",
    ),
    "a sample": ("select id from raw.child using sample 3", "child.id"),
    "a table sample": ("select id from raw.child tablesample 10%", "child.id"),
    "a column with a space": ('select "free text" from raw.child', "child.free_text"),
    "an unused common table": (
        "with e as (select grade from raw.event) select id from raw.child",
        "child.id event.*",
    ),
    "a condition that folds away": (
        "select case when 1 = 0 then name else 'none' end from raw.child",
        "child.*",
    ),
    "no table": ("select 1 + 1", ""),
    "a series": ("select * from range(3)", ""),
}


def expected(words: str) -> frozenset[Column]:
    pairs = (word.split(".") for word in words.split())
    return frozenset(Column("raw", table, name.replace("_text", " text")) for table, name in pairs)


@pytest.mark.parametrize("name", QUERIES)
def test_the_columns_read_by(name: str, con: duckdb.DuckDBPyConnection) -> None:
    sql, words = QUERIES[name]
    assert columns_read(con, sql) == expected(words)


@pytest.mark.parametrize(
    "sql",
    [
        "select id from raw.child union select id from raw.event e join raw.child on false",
        "select id from raw.child where false",
        "select id from raw.child where 1 = 0 and exists (from raw.event)",
    ],
)
def test_a_table_behind_a_constant_falsehood_still_counts_as_used(
    sql: str, con: duckdb.DuckDBPyConnection
) -> None:
    named = {"child", "event"} if "event" in sql else {"child"}
    assert {each.table for each in columns_read(con, sql)} == named


@pytest.mark.parametrize("name", QUERIES)
def test_full_tables_give_the_answer_of_empty_ones(
    name: str, con: duckdb.DuckDBPyConnection
) -> None:
    with duckdb.connect() as full:
        full.execute(SCHEMA)
        full.execute(
            "insert into raw.child select i, 'n' || i, '2015-01-01', '' from range(500) t(i)"
        )
        full.execute(
            "insert into raw.event select i, 'HIGH', '2026-01-01', null from range(500) t(i)"
        )
        assert columns_read(full, QUERIES[name][0]) == columns_read(con, QUERIES[name][0])


REFUSED = {
    "a file": "select * from read_csv('/etc/hostname', header=false)",
    "another file by name": "select * from '/etc/hostname'",
    "the catalogue": "select * from duckdb_secrets()",
    "two statements": "select 1; select name from raw.child",
    "a write": "create table stolen as select * from raw.child",
    "a copy": "copy raw.child to '/tmp/never.csv'",
    "a missing column": "select nowhere from raw.child",
    "no SQL": "selekt",
    "nothing": "",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_named_is_refused(name: str, con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UnreadableQueryError):
        columns_read(con, REFUSED[name])


@pytest.mark.parametrize("sql", ["select id from raw.child", "select nowhere from raw.child"])
def test_the_planner_settings_are_put_back(sql: str, con: duckdb.DuckDBPyConnection) -> None:
    con.execute("set disabled_optimizers = 'top_n'")
    with contextlib.suppress(UnreadableQueryError):
        columns_read(con, sql)
    assert con.execute("select current_setting('disabled_optimizers')").fetchone() == ("top_n",)
    con.execute("reset disabled_optimizers")


def test_a_table_of_python_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    smuggled = con.sql("select name from raw.child").to_arrow_table()
    assert smuggled.num_rows == 0
    with pytest.raises(UnreadableQueryError):
        columns_read(con, "select * from smuggled")


def test_an_attached_database_is_read_by_its_own_names(tmp_path: Path) -> None:
    with duckdb.connect() as attached:
        attached.execute(f"attach '{tmp_path / 'w.duckdb'}' as warehouse; use warehouse")
        attached.execute("create schema raw; create table raw.child (id int, name varchar)")
        found = columns_read(attached, "select c.name from warehouse.raw.child c")
        assert found == {Column("raw", "child", "name")}


def test_a_column_that_could_be_a_field_counts_as_both() -> None:
    with duckdb.connect() as odd:
        odd.execute('create table t (s struct(x int), "s.x" int)')
        assert columns_read(odd, "select s.x from t") == {
            Column("main", "t", "s"),
            Column("main", "t", "s.x"),
        }


def test_odd_names_keep_two_tables_apart() -> None:
    with duckdb.connect() as odd:
        odd.execute('create schema "a.b"; create table "a.b".c (x int)')
        odd.execute('create schema a; create table a."b.c" (x int); create table a."q""t" (x int)')
        assert columns_read(odd, 'select x from "a.b".c') == {Column("a.b", "c", "x")}
        assert columns_read(odd, 'select x from a."b.c"') == {Column("a", "b.c", "x")}
        assert columns_read(odd, 'select x from a."q""t"') == {Column("a", 'q"t', "x")}


def test_rows_are_not_listed_beside_the_columns_of_a_table(con: duckdb.DuckDBPyConnection) -> None:
    found = columns_read(con, "select count(*), max(grade) from raw.event")
    assert Column("raw", "event", ROWS) not in found
