"""What each column of each dbt model reads of the relations right below it, asked of the engine and of a parser.

Every model is compiled and made an empty table. DuckDB's plan of `SELECT <column> FROM (<model>)` then names what
this column needs: the columns its value is made of, and those that filter, join, order or count its rows
(`governance.readset`, with the optimizers off that hide reads). sqlglot, which follows values alone, says which of them
are the value (`values`). The steps are put together in `columns`. The graph hangs on the project alone, so it is
worked out once for each version of the project and kept beside dbt's manifest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import duckdb
from sqlglot import MappingSchema
from sqlglot.errors import SqlglotError

from ffp_data.home.run import Run
from ffp_data.lineage import values
from ffp_data.lineage.values import Source, column_sources, sql_schema
from ffp_data.marts.build_gate import project
from ffp_data.marts.transform import current_manifest, dbt_vars
from ffp_data.paths import DBT_PROJECT
from ffp_data.settings import Home
from ffp_data.warehouse import CATALOG
from governance import readset
from governance.build_gate import Model, Replica, Table, replica
from governance.files import replacing
from governance.readset import ROWS, Column, planning, reading
from governance.syntax import quoted

_ANY_DAY = date(
    2026, 3, 31
)  # dates stand in the SQL as constants, and a constant is nobody's column
MANIFEST = DBT_PROJECT / "target" / "manifest.json"


class Step(NamedTuple):
    """What one column reads one step below: what its value is made of, and all that bears on it."""

    direct: frozenset[Source]
    read: frozenset[Source]


@dataclass(frozen=True)
class Graph:
    """Steps by `schema.table` of a model and by column; under ROWS, what says which rows there are.

    ``stored`` has the columns of the tables that no model makes.
    """

    steps: Mapping[str, Mapping[str, Step]]
    stored: Mapping[str, tuple[str, ...]]
    unread_by_parser: tuple[str, ...] = ()
    """Models that sqlglot could not follow; all that their columns read counts as direct."""


def current_graph(manifest: Path = MANIFEST) -> Graph:
    """The graph of the project, from its file beside the manifest while that is as new as the project."""
    kept = current_manifest(manifest).with_name(f"column-lineage-{_made_by()}.json")
    if kept.is_file() and kept.stat().st_mtime_ns >= manifest.stat().st_mtime_ns:
        return _loaded(kept.read_bytes())
    made = _graph(manifest)
    with replacing(kept) as handle:
        handle.write(json.dumps(_plain(made), sort_keys=True).encode())
    return made


@cache
def _made_by() -> str:
    """A digest of what works the graph out: another version of it must not read an older one's."""
    programs = [Path(__file__), Path(values.__file__), Path(readset.__file__)]
    versions = [duckdb.__version__, version("sqlglot")]
    said = hashlib.sha256("".join(versions).encode())
    for program in programs:
        said.update(program.read_bytes())
    return said.hexdigest()[:12]


def _graph(manifest: Path) -> Graph:
    with TemporaryDirectory() as folder:
        place = Home(Path(folder))
        asked = project(manifest, dbt_vars(Run("lineage", place, place.landing, _ANY_DAY)))
    return graph_of(asked.models, asked.columns)


def graph_of(models: list[Model], columns: Mapping[Table, Mapping[str, str]]) -> Graph:
    """The graph of models over stored tables; raises ValueError when one of them can't be examined."""
    made = frozenset(model.table for model in models)
    with replica(columns, made, CATALOG) as warehouse:
        if refused := list(warehouse.stand(models)):
            raise ValueError("; ".join(map(str, refused)))
        names = _columns(warehouse)
        types = {".".join(table): dict.fromkeys(each, "VARCHAR") for table, each in names.items()}
        schema = sql_schema(CATALOG, types)
        told = {model.name: _told_by_parser(model, schema) for model in models}
        steps = {
            model.name: _steps(told[model.name], read)
            for model, read in _read(warehouse, models, names)
        }
    return Graph(
        steps,
        {".".join(table): tuple(each) for table, each in columns.items() if table not in made},
        tuple(sorted(name for name, found in told.items() if found is None)),
    )


def _columns(warehouse: Replica) -> dict[Table, list[str]]:
    found: dict[Table, list[str]] = {}
    for schema, table, column in warehouse.con.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal ORDER BY ALL"
    ).fetchall():
        found.setdefault((schema, table), []).append(column)
    return found


def _read(
    warehouse: Replica, models: list[Model], names: Mapping[Table, list[str]]
) -> Iterator[tuple[Model, dict[str, frozenset[Source]]]]:
    """Of each model what each of its columns, and ROWS, reads.

    What only the text names, in a branch that is never true, says which rows there are.
    """
    with reading(warehouse.con) as columns_of:
        whole = {model.name: columns_of(model.sql) for model in models}
    with planning(warehouse.con) as planned:
        for model in models:
            body = f"FROM ({_inlined(model.sql)}) AS of_model"
            rows = planned(f"SELECT count(*) {body}")
            read = {name: planned(f"SELECT {quoted(name)} {body}") for name in names[model.table]}
            unplanned = whole[model.name] - rows.union(*read.values())
            read[ROWS] = rows | unplanned
            yield model, {name: frozenset(map(_source, found)) for name, found in read.items()}


def _inlined(sql: str) -> str:
    """The query with its common tables in place of their names: one that is kept whole reads all its columns."""
    return _COMMON_TABLE.sub("AS NOT MATERIALIZED (", sql)


_COMMON_TABLE = re.compile(
    r"\bas\s+\((?=\s*(?:--[^\n]*\n\s*)*(?:select|with|from)\b)", re.IGNORECASE
)


def _source(column: Column) -> Source:
    return Source(f"{column.schema}.{column.table}", column.column)


def _told_by_parser(model: Model, schema: MappingSchema) -> dict[str, frozenset[Source]] | None:
    try:
        return column_sources(model.sql, schema, chosen_by=False)
    except (SqlglotError, ValueError):
        return None


def _steps(
    told: dict[str, frozenset[Source]] | None, read: Mapping[str, frozenset[Source]]
) -> dict[str, Step]:
    """The value is what the parser follows; where it lost its way, all that is read."""
    return {
        name: Step(found if told is None else told.get(name.lower(), frozenset()), found)
        if name != ROWS
        else Step(frozenset(), found)
        for name, found in read.items()
    }


def _plain(graph: Graph) -> dict[str, object]:
    return {
        "steps": {
            relation: {name: [sorted(step.direct), sorted(step.read)] for name, step in of.items()}
            for relation, of in graph.steps.items()
        },
        "stored": graph.stored,
        "unread_by_parser": graph.unread_by_parser,
    }


def _loaded(text: bytes) -> Graph:
    kept = json.loads(text)
    return Graph(
        {
            relation: {
                name: Step(*(frozenset(Source(*each) for each in part) for part in parts))
                for name, parts in of.items()
            }
            for relation, of in kept["steps"].items()
        },
        {relation: tuple(names) for relation, names in kept["stored"].items()},
        tuple(kept["unread_by_parser"]),
    )
