"""Builds small TEHADC returns, with their CIN census beside them, from the cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import duckdb
import yaml

from ffp_data.returns import cin, tehadc
from ffp_data.returns.tables import create_tables
from tests.returns.cin_returns import resolve, upn

YEAR = "2025-26"
CASES: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("tehadc_cases.yaml").read_text("utf-8")
)
TABLES = {
    "child": "tehadc_children",
    "disability": "tehadc_disabilities",
    "episode": "tehadc_episodes",
    "assessment": "tehadc_assessments",
    "plan": "tehadc_plans",
    "lead": "tehadc_lead_practitioners",
    "cin_child": "cin_children",
    "cin_episode": "cin_details",
}
CIN_CHILD = {"person_birth_date", "sex", "ethnicity", "upn"}
CIN_EPISODE = {"cin_key": "1", "referral_nfa": "0"}


def an_empty_return() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    create_tables(con, tehadc.profile(YEAR).full_layout, "returns")
    create_tables(con, cin.layout(YEAR), "returns")
    return con


def a_return(case: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    """The case's child and the two others, in schema `returns` of a new database."""
    con = an_empty_return()
    add_child(con, 1, case)
    for number, other in enumerate(CASES["others"], 2):
        changes = deepcopy(other)
        for module, values in case.get("set_others", {}).items():
            if number == 2 or module != "child":  # a value of a child is given to one of them
                changes[module] = changes.get(module, {}) | values
        add_child(con, number, {"set": changes})
    for number in range(100, 100 + case.get("more_cin_children", 0)):
        _row(con, "cin_children", {"child_key": str(number), "la_child_id": str(number)})
    return con


def add_child(con: duckdb.DuckDBPyConnection, number: int, case: Mapping[str, Any]) -> None:
    for module, row in _modules(case):
        defaults: dict[str, Any] = {"child_key": str(number)}
        if module.endswith("child"):
            defaults |= {"la_child_id": str(number), "upn": upn(f"801{number:08}0")}
        elif module not in ("disability", "cin_episode"):
            defaults["teh_episode_id"] = f"E{number}"
        _row(con, TABLES[module], defaults | row)


def _modules(case: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    modules = deepcopy(CASES["base"])
    for name in case.get("drop", ()):
        modules[name] = []
    for name, values in case.get("set", {}).items():
        modules[name][0] |= values
    shared = {k: v for k, v in modules["child"][0].items() if k in CIN_CHILD}
    beginnings = {"cin_child": shared, "cin_episode": CIN_EPISODE}
    for name, rows in case.get("add", {}).items():
        added = [beginnings.get(name, {}) | row for row in rows]
        modules[name] = [*modules.get(name, []), *added]
    for name, rows in modules.items():
        yield from ((name, row) for row in rows)


def _row(con: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any]) -> None:
    marks = ", ".join("?" for _ in row)
    con.execute(
        f"INSERT INTO returns.{table} ({', '.join(row)}) VALUES ({marks})",
        [resolve(value) for value in row.values()],
    )
