"""Reading of what leaves: one SELECT per table, made of the decision's own names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from governance.grants import Cohort, ReleaseDecision, ReleaseItem
from governance.pseudonym import pseudonymise
from governance.release.errors import ReleaseFailedError, ReleaseRefusedError
from governance.subject_lists import people_columns
from governance.syntax import quoted

_HIDDEN = "_whom_"


def read_table(
    con: duckdb.DuckDBPyConnection,
    decision: ReleaseDecision,
    relation: str,
    key: bytes,
    as_at: date,
) -> tuple[pa.Table, frozenset[str]]:
    """The agreed columns of the agreed rows, and whom these rows are about (ids or record keys)."""
    items = [each for each in decision.items if each.relation == relation]
    types = _types(con, decision, relation)
    if lacking := [each.column for each in items if each.column not in types]:
        raise ReleaseFailedError(
            f"{decision.agreement} names {', '.join(lacking)}, which {relation} lacks; "
            "amend the agreement or the model"
        )
    selected = ", ".join(f"{_expression(each, types)} AS {quoted(each.name)}" for each in items)
    whom = people_columns(types, [each.column for each in items])
    hidden = [f"{quoted(name)}::VARCHAR AS {quoted(_HIDDEN + name)}" for name in whom]
    condition = _row_filter(decision.cohort) + _source_filter(decision, items)
    sql = f"SELECT {', '.join([selected, *hidden])} FROM {_qualified(relation)}{condition}"
    read = con.execute(sql, _parameters(sql, as_at)).to_arrow_table()
    people = frozenset(_people(read.select(read.column_names[len(items) :])))
    table = read.select(read.column_names[: len(items)])
    for index, item in enumerate(items):
        if item.transform == "pseudonymised":
            tokens = pseudonymise(key, table.column(index).to_pylist())
            table = table.set_column(index, item.name, pa.array(tokens, pa.string()))
    return table.sort_by([(name, "ascending") for name in table.column_names]), people


def _people(columns: pa.Table) -> Iterator[str]:
    for column in columns.columns:
        yield from column.unique().drop_null().to_pylist()


def _types(
    con: duckdb.DuckDBPyConnection, decision: ReleaseDecision, relation: str
) -> dict[str, str]:
    try:
        described = con.execute(f"DESCRIBE {_qualified(relation)}").fetchall()
    except duckdb.CatalogException:
        raise ReleaseFailedError(
            f"{decision.agreement} names {relation}, which the warehouse lacks; build it first"
        ) from None
    return {row[0]: row[1] for row in described}


def _expression(item: ReleaseItem, types: Mapping[str, str]) -> str:
    column, kind = quoted(item.column), types[item.column]
    if item.transform == "clear" and kind.endswith("[]"):
        return f"array_to_string({column}, '; ')"  # a sheet has no lists, and lists do not sort
    if item.transform == "flag":
        return f"coalesce({column}, false)" if kind == "BOOLEAN" else f"{column} IS NOT NULL"
    return {
        "clear": column,
        "pseudonymised": f"{column}::VARCHAR",
        "month": f"strftime({column}, '%Y-%m')",
        "year": f"year({column})::INTEGER",
        "district": f"nullif(split_part({column}, ' ', 1), '')",
    }[item.transform]


def _row_filter(cohort: Cohort | None) -> str:
    if cohort is None:
        raise ReleaseRefusedError("a decision without a cohort releases no row")
    if cohort.members is None:
        return " WHERE true"
    return f" WHERE {quoted(cohort.key)} IN (\n{cohort.members}\n)"


def _source_filter(decision: ReleaseDecision, items: Sequence[ReleaseItem]) -> str:
    """Of a table that names its sources, only rows that rest on agreed feeds alone."""
    if not any(each.column == "source" for each in items):
        return ""
    feeds = ", ".join(f"'{feed}'" for feed in decision.terms["rows"].get("feeds", ()))
    return f" AND list_has_all([{feeds}]::VARCHAR[], string_split(source, ', '))"


def _parameters(sql: str, as_at: date) -> dict[str, Any]:
    return {"as_at": as_at} if "$as_at" in sql else {}


def _qualified(relation: str) -> str:
    return ".".join(quoted(each) for each in relation.split("."))
