"""The reference for the tests: records and all their pairs in plain SQL, one row for each record.

Nothing is coded, filtered or shared here: a level is what ``linkage.compare`` writes, read literally.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from linkage.compare import level_sql
from linkage.derived import groups_column, part_column, words_column
from linkage.equivalents import groups_of
from linkage.model import Model
from linkage.packing import Packing
from linkage.spec import Key
from linkage.standardise import column_sql, part_sql

Compared = dict[tuple[int, int], tuple[int, int]]


def all_pairs(table: pa.Table, model: Model, packing: Packing) -> Compared:
    """(left, right) -> (mask, pattern) of all pairs of records, numbered in the order of their ids."""
    with duckdb.connect(":memory:") as con:
        con.register("input", table)
        _make_records(con, model, packing)
        keys = list(_keys(model))
        carried = [
            f"{side}.{c} AS {prefix}_{c}"
            for c in (*packing.columns(), *keys)
            for side, prefix in (("a", "l"), ("b", "r"))
        ]
        rows = con.execute(
            f"SELECT l, r, {_mask_sql(model)}, {_pattern_sql(packing)} FROM (SELECT a.rid AS l,"
            f" b.rid AS r, {', '.join(carried)} FROM rec a JOIN rec b ON a.rid < b.rid)"
        ).fetchall()
    return {(left, right): (mask, pattern) for left, right, mask, pattern in rows}


def _pattern_sql(packing: Packing) -> str:
    """The packed pattern of a pair."""
    terms = (
        f"({level_sql(packing, c)})::BIGINT * {1 << shift}"
        for c, shift in zip(packing.comparisons, packing.shifts, strict=True)
    )
    return " + ".join(terms)


def _make_records(con: duckdb.DuckDBPyConnection, model: Model, packing: Packing) -> None:
    read = [
        f"{column_sql(column, chr(34) + (column.from_ or name) + chr(34))} AS {name}"
        for name, column in model.columns.items()
        if not column.first_of
    ]
    made = [
        f"coalesce({', '.join(_members(model, name))}) AS {name}"
        for name, column in model.columns.items()
        if column.first_of
    ]
    con.execute(
        f"CREATE TABLE staged AS SELECT {', '.join(['*', *made])} FROM (SELECT"
        f" {model.record_id}::VARCHAR AS _record_id, {', '.join(read)} FROM input)"
    )
    select = [
        "row_number() OVER (ORDER BY _record_id) - 1 AS rid",
        *(f"s.{c}" for c in model.columns),
    ]
    select += [f"{part_sql(p, f's.{c}')} AS {part_column(c, p)}" for c, p in packing.parts()]
    select += [
        f"list_filter(string_split(s.{c}, ' '), lambda w: length(w) >= {least})"
        f" AS {words_column(c, least)}"
        for c, least in packing.words()
    ]
    joins = ""
    for column in packing.grouped():
        values = con.execute(f"SELECT DISTINCT {column} AS value FROM staged").to_arrow_table()
        groups = groups_of(con, model, column, values["value"].combine_chunks())
        con.execute(f"CREATE TABLE g_{column} (value VARCHAR, groups INTEGER[])")
        con.register("g", pa.table({"value": values["value"], "groups": groups}))
        con.execute(f"INSERT INTO g_{column} SELECT * FROM g")
        select.append(f"g_{column}.groups AS {groups_column(column)}")
        joins += f" LEFT JOIN g_{column} ON g_{column}.value = s.{column}"
    select += [f"{sql} AS {name}" for name, sql in _keys(model).items()]
    con.execute(f"CREATE TABLE rec AS SELECT {', '.join(select)} FROM staged s{joins}")


def _members(model: Model, name: str) -> Iterator[str]:
    first_of = model.columns[name].first_of
    for member in first_of:
        yield from _members(model, member)
    if not first_of:
        yield name


def _keys(model: Model) -> dict[str, str]:
    keys = {f"k{i}": _key_sql(rule.equal) for i, rule in enumerate(model.blocking)}
    return keys | {
        f"k{i}x": _key_sql(rule.with_) for i, rule in enumerate(model.blocking) if rule.with_
    }


def _key_sql(keys: tuple[Key, ...]) -> str:
    """The components as one text, or NULL where one is missing."""
    parts = [part_sql(k.part, f"s.{k.column}") if k.part else f"s.{k.column}" for k in keys]
    return " || '|' || ".join(f"({p})::VARCHAR" for p in parts)


def _mask_sql(model: Model) -> str:
    terms = []
    for index, rule in enumerate(model.blocking):
        other = f"k{index}x" if rule.with_ else f"k{index}"
        equal = f"l_k{index} = r_{other} OR l_{other} = r_k{index}"
        terms.append(f"coalesce({equal}, false)::INTEGER * {1 << index}")
    return " + ".join(terms)
