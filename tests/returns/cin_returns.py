"""Builds small CIN returns in a database from the base child and the changes of a case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from ffp_data.identifiers.upn import upn_letter
from ffp_data.returns import cin
from ffp_data.returns.tables import create_tables

YEAR = "2025-26"
CASES: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("cin_cases.yaml").read_text("utf-8")
)

# module of a case: table, own key, column of a plain value
MODULES = {
    "child": ("cin_children", "", ""),
    "disability": ("cin_disabilities", "", "disability"),
    "episode": ("cin_details", "cin_key", ""),
    "assessment": ("cin_assessments", "assessment_key", ""),
    "factor": ("cin_assessment_factors", "", "assessment_factor"),
    "s47": ("cin_section47", "s47_key", ""),
    "cpp": ("cin_protection_plans", "cpp_key", ""),
    "review": ("cin_reviews", "", ""),
    "plan": ("cin_plan_dates", "plan_key", ""),
}
COLUMNS = {t.name: t.columns for t in cin.layout(YEAR).tables}
KINDS = {"DATE": pa.date32(), "VARCHAR": pa.string()}


def empty_return(con: duckdb.DuckDBPyConnection, schema: str = "returns") -> None:
    create_tables(con, cin.layout(YEAR), schema)


def add_children(
    con: duckdb.DuckDBPyConnection, changes: Iterable[Mapping[str, Any]], schema: str = "returns"
) -> None:
    """Add one child for each set of changes; the n-th has child_key and LAchildID n."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in COLUMNS}
    for number, change in enumerate(changes, 1):
        for table, row in child_rows(number, change):
            rows[table].append(row)
    for table, found in rows.items():
        kinds = [(name, KINDS[kind]) for name, kind in COLUMNS[table]]
        con.register("rows_to_add", pa.Table.from_pylist(found, schema=pa.schema(kinds)))
        con.execute(f"INSERT INTO {schema}.{table} BY NAME FROM rows_to_add")
        con.unregister("rows_to_add")


def child_rows(number: int, change: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    modules = deepcopy(CASES["base"])
    for name in change.get("drop", ()):
        modules[name] = []
    modules |= change.get("replace", {})
    for name, values in change.get("set", {}).items():
        modules[name][0] |= values
    for name, rows in change.get("add", {}).items():
        modules[name] = [*modules[name], *rows]
    for name, rows in modules.items():
        table, key, column = MODULES[name]
        for ordinal, row in enumerate(rows, 1):
            yield table, _row(number, ordinal, row, key, column)


def _row(number: int, ordinal: int, row: Any, key: str, column: str) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "child_key": str(number),
        "cin_key": "1",
        "assessment_key": "1",
        "cpp_key": "1",
        "la_child_id": str(number),
        "upn": upn(f"801{number:08}0"),
    }
    if key:
        defaults[key] = str(ordinal)
    values = {column: row} if not isinstance(row, dict) else row
    return defaults | {name: resolve(value) for name, value in values.items()}


def resolve(value: Any) -> Any:
    found = re.fullmatch(r"(bad)?upn\((\w{12})\)", str(value))
    return value if found is None else upn(found[2], wrong=bool(found[1]))


def upn(rest: str, *, wrong: bool = False) -> str:
    letter = upn_letter(rest)
    return (("A" if letter != "A" else "B") if wrong else letter) + rest
