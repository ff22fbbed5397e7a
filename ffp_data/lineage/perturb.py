"""Lineage by experiment: change a stored column, rebuild, and see which published columns move.

Static lineage is a claim; this is evidence. The stored tables of a home are copied into memory and every model is
built there from its compiled SQL. Then one stored column after another, or a group of them, is changed (each value
takes the place of the next; where all are alike they become another), what lies downstream by table is built again,
and the published columns whose values differ are compared with those that `columns` says rest on it. What moved and
was not foretold would be a hole in the lineage.

    python -m ffp_data.lineage.perturb --home COPY [--groups 24] [--seed 7]

The home is only read. `--groups 0` changes every column alone.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from ffp_data.home.run import Run
from ffp_data.lineage.columns import ColumnLineage
from ffp_data.lineage.graph import MANIFEST, current_graph
from ffp_data.lineage.values import Source
from ffp_data.marts.build_gate import Project, project
from ffp_data.marts.transform import current_manifest, dbt_vars
from ffp_data.warehouse import CATALOG, connect
from governance.build_gate import Model
from governance.syntax import nodes, quoted, syntax_tree

PUBLISHED = ("single_view", "returns", "matching", "timeliness", "lists", "quarterly", "programme")
_KEYS = ("child_id", "child_key", "record_key")


@dataclass(frozen=True)
class Trial:
    """One change: the columns that were changed, what moved, and what of that nobody foretold."""

    changed: tuple[Source, ...]
    moved: frozenset[Source]
    foretold: frozenset[Source]

    @property
    def missed(self) -> frozenset[Source]:
        """Moved and not foretold: a hole in the static lineage."""
        return self.moved - self.foretold


@dataclass(frozen=True)
class Report:
    """All trials together."""

    trials: tuple[Trial, ...]

    @property
    def recall(self) -> float:
        """Share of what moved that was foretold; must be 1."""
        moved = sum(len(trial.moved) for trial in self.trials)
        return 1.0 if not moved else 1 - sum(len(t.missed) for t in self.trials) / moved

    @property
    def precision(self) -> float:
        """Share of what was foretold that moved in these data: what they do not exercise can't move."""
        foretold = sum(len(trial.foretold) for trial in self.trials)
        return 1.0 if not foretold else sum(len(t.moved) for t in self.trials) / foretold

    def figures(self) -> dict[str, object]:
        """Counts for people and machines."""
        missed = {
            ", ".join(".".join(each) for each in trial.changed): sorted(
                ".".join(each) for each in trial.missed
            )
            for trial in self.trials
            if trial.missed
        }
        return {
            "trials": len(self.trials),
            "columns changed": sum(len(trial.changed) for trial in self.trials),
            "moved": sum(len(trial.moved) for trial in self.trials),
            "recall": round(self.recall, 4),
            "precision": round(self.precision, 4),
            "missed": missed,
        }


@dataclass
class Bench:
    """The models of a project over tables in memory; changed tables are put back from ``kept``."""

    con: duckdb.DuckDBPyConnection
    models: Sequence[Model]
    _reads: dict[str, frozenset[str]] = field(default_factory=dict)
    _before: dict[Source, object] = field(default_factory=dict)
    _stale: set[str] = field(default_factory=set)

    def build(self) -> None:
        """Build every model, in an order in which each finds what it reads; raises what DuckDB raises."""
        for model in self.models:
            self._reads[model.name] = frozenset(_tables_named(self.con, model.sql))
        self.models = list(self._in_order())
        for model in self.models:
            self._make(model)
        self._before = self.digests(model.name for model in self.models)

    def moved(self, changed: Collection[Source]) -> frozenset[Source]:
        """The published columns that differ when these stored columns are changed; all is put back."""
        tables = {each.relation for each in changed}
        for table in tables:
            self.con.execute(f"CREATE TABLE kept.{quoted(table)} AS FROM {_quoted(table)}")
        for each in changed:
            _change(self.con, each)
        below = self._below(tables | self._stale)
        for model in below:
            self._make(model)
        after = self.digests(model.name for model in below)
        for table in tables:
            self.con.execute(
                f"CREATE OR REPLACE TABLE {_quoted(table)} AS FROM kept.{quoted(table)}"
            )
            self.con.execute(f"DROP TABLE kept.{quoted(table)}")
        self._stale = tables  # what lies below is built again with the next trial
        return frozenset(source for source, value in after.items() if value != self._before[source])

    def digests(self, relations: Iterator[str]) -> dict[Source, object]:
        """What each published column holds, whatever the order of its rows."""
        found: dict[Source, object] = {}
        for relation in relations:
            if relation.partition(".")[0] not in PUBLISHED:
                continue
            columns = [str(name) for (name, *_) in self._all(f"DESCRIBE {_quoted(relation)}")]
            key = "".join(f"{quoted(name)}, " for name in _KEYS if name in columns)
            told = ", ".join(f"sum(hash({key}{quoted(name)}))" for name in columns)
            (row,) = self._all(f"SELECT {told} FROM {_quoted(relation)}")
            found.update({Source(relation, n): v for n, v in zip(columns, row, strict=True)})
        return found

    def _all(self, sql: str) -> list[tuple[object, ...]]:
        return self.con.execute(sql).fetchall()

    def _in_order(self) -> Iterator[Model]:
        waiting, made = list(self.models), set[str]()
        names = {model.name for model in waiting}
        while waiting:
            ready = [m for m in waiting if (self._reads[m.name] & names) <= made]
            if not ready:
                raise ValueError("the models stand on one another in a circle")
            yield from ready
            made |= {model.name for model in ready}
            waiting = [model for model in waiting if model.name not in made]

    def _below(self, tables: Collection[str]) -> list[Model]:
        reached, below = set(tables), []
        for model in self.models:
            if self._reads[model.name] & reached:
                reached.add(model.name)
                below.append(model)
        return below

    def _make(self, model: Model) -> None:
        self.con.execute(f"CREATE OR REPLACE TABLE {_quoted(model.name)} AS {model.sql}")


def _tables_named(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[str]:
    """`schema.table` of each table in the text of a query, as the engine parses it."""
    for node in nodes(syntax_tree(con, sql)):
        if node.get("type") == "BASE_TABLE" and node["schema_name"]:
            yield f"{node['schema_name']}.{node['table_name']}"


def _quoted(relation: str) -> str:
    return ".".join(quoted(part) for part in relation.split("."))


def _change(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Give each row the value of the next; where that changes nothing, another value of the type."""
    table, column = _quoted(source.relation), quoted(source.column)
    turned = (
        f"SELECT rowid AS place, coalesce(lead({column}) OVER (ORDER BY rowid), "
        f"first({column}) OVER (ORDER BY rowid)) AS value FROM {table}"
    )
    distinct = con.execute(f"SELECT count(DISTINCT {column}) FROM {table}").fetchall()[0][0]
    if distinct > 1:
        con.execute(
            f"UPDATE {table} SET {column} = turned.value FROM ({turned}) AS turned "
            f"WHERE {table}.rowid = turned.place"
        )
        return
    kind = con.execute(f"SELECT any_value(typeof({column})) FROM {table}").fetchall()[0][0]
    if other := _OTHER.get(str(kind)):
        con.execute(f"UPDATE {table} SET {column} = {other.format(column)}")


_OTHER = {
    "VARCHAR": "CASE WHEN left({0}, 1) IN ('[', chr(123)) THEN NULL ELSE {0} || '~' END",  # JSON stays JSON
    "BOOLEAN": "NOT {}",
    "DATE": "{} - 40",
    "TIMESTAMP": "{} - INTERVAL 40 DAY",
    "INTEGER": "{} + 1",
    "BIGINT": "{} + 1",
    "DOUBLE": "{} + 1",
}


def stored_columns(bench: Bench, asked: Project) -> list[Source]:
    """The stored columns of the project's tables that hold anything, but the code lists."""
    found = []
    for table, columns in asked.columns.items():
        if table in asked.seeds:
            continue
        relation = ".".join(table)
        told = ", ".join(f"count({quoted(name)})" for name in columns)
        counts = bench.con.execute(f"SELECT {told} FROM {_quoted(relation)}").fetchall()[0]
        found += [Source(relation, n) for n, c in zip(columns, counts, strict=True) if c]
    return sorted(found)


def try_all(bench: Bench, lineage: ColumnLineage, groups: Sequence[Sequence[Source]]) -> Report:
    """One trial for each group of stored columns."""
    resting = _resting(lineage)
    trials = []
    for group in groups:
        foretold = frozenset[Source]().union(*(resting.get(each, frozenset()) for each in group))
        trials.append(Trial(tuple(group), bench.moved(group), foretold))
    return Report(tuple(trials))


def _resting(lineage: ColumnLineage) -> dict[Source, frozenset[Source]]:
    """The published columns that rest on each stored column."""
    found: dict[Source, set[Source]] = {}
    for relation in lineage.graph.steps:
        if relation.partition(".")[0] in PUBLISHED:
            for column in lineage.columns(relation):
                for stored in lineage.upstream(relation, column).stored:
                    found.setdefault(stored, set()).add(Source(relation, column))
    return {stored: frozenset(resting) for stored, resting in found.items()}


def grouped(columns: Sequence[Source], groups: int, seed: int) -> list[list[Source]]:
    """The columns dealt out to groups by chance; 0 groups: each alone."""
    if not groups:
        return [[each] for each in columns]
    dealt = list(columns)
    random.Random(seed).shuffle(dealt)  # noqa: S311 -- repeatable, nothing secret
    return [dealt[at::groups] for at in range(min(groups, len(dealt)))]


@contextmanager
def bench_of(
    tables: duckdb.DuckDBPyConnection | None, asked: Project, models: Sequence[Model]
) -> Iterator[Bench]:
    """An empty bench, or one with the tables that a connection's current catalog holds."""
    with duckdb.connect(":memory:", config={"temp_file_encryption": "true"}) as con:
        con.execute(f"ATTACH ':memory:' AS {CATALOG}")
        con.execute(f"USE {CATALOG}")
        con.execute("CREATE SCHEMA kept")
        for schema in {*(t[0] for t in asked.columns), *(m.table[0] for m in models)}:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        for table, columns in asked.columns.items():
            name = _quoted(".".join(table))
            listed = ", ".join(f"{quoted(n)} {kind}" for n, kind in columns.items())
            con.execute(f"CREATE TABLE {name} ({listed})")
            if tables is not None:
                named = ", ".join(map(quoted, columns))
                rows = tables.execute(f"SELECT {named} FROM {name}").to_arrow_table()  # noqa: F841
                con.execute(f"INSERT INTO {name} FROM rows")
        yield Bench(con, models)


def perturb(run: Run, groups: int, seed: int) -> Report:
    """Change the stored columns of a home's copy in memory, group by group."""
    asked = project(current_manifest(MANIFEST), dbt_vars(run))
    lineage = ColumnLineage(current_graph(), run.contracts)
    with connect(run.home, read_only=True) as con, bench_of(con, asked, asked.models) as bench:
        bench.build()
        columns = stored_columns(bench, asked)
        return try_all(bench, lineage, grouped(columns, groups, seed))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--groups", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args()
    report = perturb(Run.at(run_id="perturb", home=told.home), told.groups, told.seed)
    sys.stdout.write(json.dumps(report.figures(), indent=1) + "\n")
    sys.exit(0 if report.recall == 1 else 1)


if __name__ == "__main__":
    main()
