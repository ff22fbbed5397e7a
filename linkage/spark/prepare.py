"""Standardised columns, their parts, words and groups, and the blocking keys: one row for each record.

All of it looks at one record only, so it is one DuckDB query that the executors run batch by batch
(``workers.RowByRow``), made from the same named steps and parts as the DuckDB engine's.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from linkage.checks import date_columns
from linkage.derived import groups_column, part_column, words_column
from linkage.equivalents import groups_table
from linkage.model import Model
from linkage.packing import Packing
from linkage.spark.workers import RowByRow, connect
from linkage.spec import Key
from linkage.sql_text import identifier
from linkage.standardise import column_sql, part_sql, words_sql


def row_by_row(model: Model) -> RowByRow:
    """The query, and tables ``groups_<column>`` of value and group numbers. Raises LinkageError."""
    packings = [Packing((c,)) for c in model.comparisons]
    grouped = sorted({c for p in packings for c in p.grouped()})
    select = ["s._record_id", "s._source", *(f"s.{name}" for name in model.columns)]
    select += [f"s.{name}__given" for name in date_columns(model)]
    select += [
        f"{part_sql(part, f's.{c}')} AS {part_column(c, part)}"
        for c, part in sorted({x for p in packings for x in p.parts()})
    ]
    select += [
        f"{words_sql(f's.{c}', least)} AS {words_column(c, least)}"
        for c, least in sorted({x for p in packings for x in p.words()})
    ]
    select += [f"groups_{c}.groups AS {groups_column(c)}" for c in grouped]
    select += [f"{sql} AS {name}" for name, sql in _keys(model)]
    joins = "".join(f" LEFT JOIN groups_{c} ON groups_{c}.value = s.{c}" for c in grouped)
    return RowByRow(
        f"SELECT {', '.join(select)} FROM ({_staged_sql(model)}) s{joins}",
        {f"groups_{c}": _groups(model, c) for c in grouped},
    )


def _staged_sql(model: Model) -> str:
    """Standardised text and dates."""
    read = [
        f"{column_sql(column, identifier(column.from_ or name))} AS {name}"
        for name, column in model.columns.items()
        if not column.first_of
    ]
    read += [
        f"({identifier(source)} IS NOT NULL) AS {name}__given"
        for name, source in date_columns(model).items()
    ]
    made = [
        f"coalesce({', '.join(_base_columns(model, name))}) AS {name}"
        for name, column in model.columns.items()
        if column.first_of
    ]
    source = f"{identifier(model.source)}::VARCHAR" if model.source else "NULL::VARCHAR"
    return (
        f"SELECT {', '.join(['*', *made])} FROM (SELECT {identifier(model.record_id)}::VARCHAR"
        f" AS _record_id, {source} AS _source, {', '.join(read)} FROM input)"
    )


def _base_columns(model: Model, name: str) -> list[str]:
    first_of = model.columns[name].first_of
    return [b for c in first_of for b in _base_columns(model, c)] if first_of else [name]


def _groups(model: Model, column: str) -> pa.Table:
    with connect() as con:
        return groups_table(con, model, column)


def _keys(model: Model) -> Iterator[tuple[str, str]]:
    """(name of the key column, its value as SQL)."""
    for index, rule in enumerate(model.blocking):
        own = _key_sql(rule.equal)
        if rule.where_missing:
            own = f"CASE WHEN s.{rule.where_missing} IS NULL THEN {own} END"
        yield f"k{index}", own
        if rule.with_:
            yield f"k{index}x", _key_sql(rule.other)


def _key_sql(keys: tuple[Key, ...]) -> str:
    """A hash of the components (63 bits: Spark knows no unsigned); NULL when one is missing."""
    parts = [part_sql(k.part, f"s.{k.column}") if k.part else f"s.{k.column}" for k in keys]
    present = " AND ".join(f"({p}) IS NOT NULL" for p in parts)
    return f"CASE WHEN {present} THEN (hash({', '.join(parts)}) >> 1)::BIGINT END"
