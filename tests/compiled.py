"""The models as dbt compiles them, once in a process for each set of variables, and built without dbt.

For tests of what models say of many warehouses: dbt takes six seconds for what their SQL takes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import duckdb

from ffp_data.marts import build_gate
from ffp_data.marts.transform import current_manifest
from ffp_data.paths import DBT_PROJECT
from ffp_data.withdrawal.scratch import VIEWS, Project, qualified
from governance.build_gate import Model
from governance.syntax import quoted


@lru_cache
def compiled(variables: str) -> tuple[Project, build_gate.Project]:
    """The models in order, and what the gate knows of them; `variables` are dbt's, in JSON."""
    asked = build_gate.project(
        current_manifest(DBT_PROJECT / "target" / "manifest.json"), variables
    )
    return Project(asked.models), asked


def needed_for(project: Project, wanted: Callable[[Model], bool]) -> list[Model]:
    """The wanted models and those that they read, themselves or through others, in order."""
    names = {model.name for model in project.models}
    needed = waiting = {model.name for model in project.models if wanted(model)}
    while waiting:
        waiting = {each for name in waiting for each in project.inputs[name]} & names - needed
        needed = needed | waiting
    return [model for model in project.in_order if model.name in needed]


def load_code_lists(con: duckdb.DuckDBPyConnection, asked: build_gate.Project) -> None:
    """The project's seeds, as dbt loads them."""
    for schema, name in sorted(asked.seeds):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        con.execute(
            f"CREATE OR REPLACE TABLE {schema}.{name} AS"
            " SELECT * FROM read_csv($file, header = true, columns = $columns)",
            {
                "file": str(DBT_PROJECT / "seeds" / f"{name}.csv"),
                "columns": asked.columns[schema, name],
            },
        )


def build(con: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> None:
    """Make every model anew; what they read must be there."""
    for model in models:
        kind = "VIEW" if model.table[0] == VIEWS else "TABLE"
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(model.table[0])}")
        con.execute(f"DROP {kind} IF EXISTS {qualified(model.name)}")
        con.execute(f"CREATE {kind} {qualified(model.name)} AS {model.sql}")
