"""The figures of a run, as tables that the pages read: cells of every table, groups of records, and populations.

They are for those inside who answer for the programme, and stand unsuppressed; what everybody may read is made by
`publication` from the same query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.programme.counting import Scope, measure, quarters, rows
from ffp_data.programme.population import Population, population_of
from ffp_data.programme.tables import programme

CELLS, RECORDS, POPULATION, CODES = (
    f"programme_{each}" for each in ("cells", "records", "population", "codes")
)
PUBLICATION = "programme"
RELATIONS = ("programme.population", "programme.occurrences", "programme.linked_records")
SCHEMAS = {
    CELLS: pa.schema([
        ("table_id", pa.string()), ("quarter", pa.string()), ("code", pa.string()), ("other", pa.string()),
        ("events", pa.int64()), ("children", pa.int64()),
    ]),
    RECORDS: pa.schema([
        ("split", pa.string()), ("code", pa.string()), ("records", pa.int64()), ("linked", pa.int64()),
        ("weakly_linked", pa.int64()), ("parted", pa.int64()),
    ]),
    POPULATION: pa.schema([
        ("characteristic", pa.string()), ("code", pa.string()), ("children", pa.int64()), ("words", pa.string()),
    ]),
    CODES: pa.schema([
        ("table_id", pa.string()), ("split", pa.string()), ("place", pa.int64()), ("code", pa.string()),
    ]),
}  # fmt: skip
_RECORDS = """
SELECT '{by}', {by}, count(*), count(*) FILTER (is_linked), count(*) FILTER (is_weakly_linked),
       count(*) FILTER (is_parted)
FROM programme.linked_records GROUP BY 2 ORDER BY 2
"""


def published(con: duckdb.DuckDBPyConnection, run: Run) -> dict[str, pa.Table]:
    """The tables of a run by name; needs the marts of `RELATIONS` and a compiled policy, whose areas it counts by."""
    terms = policy.grants(run).suppression(PUBLICATION) or {}
    return tables(con, terms.get("areas", {}), population_of(run.home))


def tables(
    con: duckdb.DuckDBPyConnection,
    areas: Mapping[str, Sequence[str]],
    population: Population | None,
) -> dict[str, pa.Table]:
    """The tables by name, of the marts alone."""
    scope = Scope(areas)
    found: dict[str, list[tuple[Any, ...]]] = {
        CELLS: [],
        CODES: [],
        RECORDS: [
            row
            for by in programme().linked.groups
            for row in con.execute(_RECORDS.format(by=by)).fetchall()
        ],
        POPULATION: list(_population(population)),
    }
    for spec in programme().tables:
        every: list[date | None] = [*quarters(con)] if spec.each else [None]
        counted = [(quarter, rows(con, spec, measure(spec, quarter), scope)) for quarter in every]
        for quarter, cells in counted:
            day = quarter.isoformat() if quarter else ""
            found[CELLS] += [(spec.id, day, *row[:4]) for row in cells]
        codes = scope.codes(spec, [row for _, cells in counted for row in cells])
        for split, listed in zip(("code", "other"), codes, strict=True):
            found[CODES] += [(spec.id, split, place, code) for place, code in enumerate(listed)]
    return {name: _table(name, found[name]) for name in SCHEMAS}


def _population(told: Population | None) -> Iterator[tuple[str, str, int, str]]:
    if told:
        for characteristic, groups in told.children.items():
            for group, children in groups.items():
                yield characteristic, group, children, told.words


def _table(name: str, found: list[tuple[Any, ...]]) -> pa.Table:
    schema = SCHEMAS[name]
    columns = zip(*found, strict=True) if found else [()] * len(schema)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema)
