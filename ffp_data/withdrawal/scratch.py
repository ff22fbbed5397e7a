"""A second warehouse in memory beside the home's, in which everything can be built anew.

The home's file is attached read-only. Tables that agencies sent are looked at where they lie; those of the feeds in
question are laid out otherwise (`lay`). Person records and declared facts are then put together by the same
functions that runs use, and every model's SQL runs as dbt compiled it, in the order of what it reads. Nothing is
written to disk but what DuckDB spills, encrypted, below the home's scratch folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter

import duckdb

from ffp_data import feeds
from ffp_data.feeds import Contract
from ffp_data.home.pending import require_none
from ffp_data.home.run import Run
from ffp_data.marts import build_gate
from ffp_data.marts.transform import build_vars, current_manifest
from ffp_data.paths import DBT_PROJECT
from ffp_data.settings import Home
from ffp_data.warehouse import CATALOG, SCHEMAS, attach, lent_engine, warehouse_key
from governance.build_gate import Model
from governance.syntax import nodes, quoted, syntax_tree

HOME = "home"
"""Catalog of the home's own warehouse in a scratch connection."""
POOLS = (
    "identity.person_records",
    "identity.relationships",
    "identity.person_identifiers",
    "identity.nhs_number_assertions",
    "identity.superseded_nhs_numbers",
    "raw.declared_events",
    "raw.declared_involvements",
)
"""Tables with rows of many feeds, which each run puts together anew."""
VIEWS = "staging"
"""The schema whose models are views: they hold nothing."""


@contextmanager
def scratch(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose current catalog is empty and in memory; the home's warehouse is catalog `home`.

    Raises duckdb.IOException while a run writes, SealUnfinishedError while a seal is under way.
    """
    require_none(home)
    with lent_engine(home) as con:
        attach(con, home.warehouse, HOME, warehouse_key(home), read_only=True)
        con.execute(f"ATTACH ':memory:' AS {CATALOG}")
        con.execute(f"USE {CATALOG}")
        for schema in SCHEMAS:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        yield con


def home_tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Tables of the home's warehouse as `schema.table`; views are none."""
    rows = con.execute(
        f"SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = '{HOME}'"
    ).fetchall()
    return {name for (name,) in rows}


def lay_sources(con: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> None:
    """Show in the scratch catalog every table of the home that no model makes and no run puts together.

    The books are copied, since the readers write to theirs; what was set aside is no part of any output.
    """
    made = {model.name for model in models} | set(POOLS)
    for name in sorted(home_tables(con) - made):
        schema, query = name.split(".")[0], f"SELECT * FROM {HOME}.{qualified(name)}"
        if schema in ("meta", "quarantine"):
            rows = "" if schema == "meta" else " LIMIT 0"
            con.execute(f"CREATE OR REPLACE TABLE {qualified(name)} AS {query}{rows}")
        elif schema in SCHEMAS:
            show(con, name, query)


def show(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Make `name` of the scratch catalog a view of a query."""
    con.execute(f"CREATE OR REPLACE VIEW {qualified(name)} AS {query}")


def qualified(name: str) -> str:
    """`schema.table` with both parts quoted."""
    return ".".join(map(quoted, name.split(".", 1)))


def assemble(
    con: duckdb.DuckDBPyConnection, in_force: Mapping[str, Contract], *, allow_test_numbers: bool
) -> None:
    """Put person records and declared facts together of the feeds that an agreement lets in, as runs do."""
    feeds.assemble_identity(con, in_force, allow_test_numbers=allow_test_numbers)
    feeds.build_facts(con, in_force)


@dataclass(frozen=True)
class Project:
    """The models that make everything that is read or leaves, in an order in which they can be built."""

    models: Sequence[Model]

    @classmethod
    def of(cls, run: Run) -> Project:
        """As dbt compiles it for this run's dates."""
        manifest = current_manifest(DBT_PROJECT / "target" / "manifest.json")
        return cls(build_gate.project(manifest, build_vars(run)).models)

    @cached_property
    def inputs(self) -> Mapping[str, frozenset[str]]:
        """The tables and views that each model's SQL names, as `schema.table`."""
        with duckdb.connect(":memory:") as con:
            return {model.name: frozenset(_named(con, model.sql)) for model in self.models}

    @cached_property
    def in_order(self) -> Sequence[Model]:
        by_name = {model.name: model for model in self.models}
        graph = {name: self.inputs[name] & by_name.keys() for name in sorted(by_name)}
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]

    def build(self, con: duckdb.DuckDBPyConnection, model: Model) -> None:
        """Make one model in the scratch catalog; what it reads must be there."""
        kind = "VIEW" if model.table[0] == VIEWS else "TABLE"
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(model.table[0])}")
        con.execute(f"CREATE OR REPLACE {kind} {qualified(model.name)} AS\n{model.sql}")

    def downstream(self, changed: Collection[str]) -> set[str]:
        """Models that read any of `changed`, themselves or through others."""
        touched = set(changed)
        for model in self.in_order:
            if self.inputs[model.name] & touched:
                touched.add(model.name)
        return touched - set(changed)


_REF = re.compile(r'"(\w+)"\."(\w+)"\."(\w+)"')


def _named(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[str]:
    tree = syntax_tree(con, sql)
    if tree["error"]:  # what the engine's tree cannot show (PIVOT) still has its names in the text
        yield from (f"{schema}.{table}" for _, schema, table in _REF.findall(sql))
        return
    for node in nodes(tree):
        if node.get("type") == "BASE_TABLE" and node["schema_name"]:
            yield f"{node['schema_name']}.{node['table_name']}"
