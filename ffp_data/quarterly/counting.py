"""Who and what counts in a quarter: a line for each child, adult, package, consultation or practitioner, and why not.

Lines are made by the SQL in `sql/lines`, one file for items of a kind, over the marts of schema `quarterly`; events
that are counted by stage get theirs first. Nothing is added up here: a figure is a count of lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import duckdb

from ffp_data.quarterly.items import Settings
from ffp_data.quarterly.quarters import Quarter
from ffp_data.quarterly.stages import staged_sql

Lines = list[dict[str, Any]]


@dataclass(frozen=True)
class Counted:
    """The lines of a quarter and what the checks of its events found, each sorted."""

    quarter: Quarter
    lines: Lines
    found: Mapping[str, Lines]
    """By check, rows of child_id, counted, on_date and said."""


class NotBuiltError(ValueError):
    """The warehouse lacks what the quarterly collection reads."""


def count_quarter(
    con: duckdb.DuckDBPyConnection,
    quarter: Quarter,
    settings: Settings,
    *,
    for_figures: bool = False,
) -> Counted:
    """The lines of a quarter, from schema `quarterly` of the connection. Raises NotBuiltError without it.

    for_figures: only what figures are counted from, of a quarter to compare with: no children, no checks.
    """
    facts = _facts(quarter, settings)
    try:
        _run(
            con,
            "CREATE OR REPLACE TEMP TABLE staged AS " + staged_sql(settings, sql_of("events")),
            facts,
        )
        con.execute("CREATE OR REPLACE TEMP TABLE lines AS " + _NO_LINES)
        for name in names_of("lines"):
            _run(con, f"INSERT INTO lines BY NAME {sql_of(f'lines/{name}')}", facts)
    except duckdb.CatalogException as error:
        raise NotBuiltError(
            "the warehouse has no tables of the quarterly collection; run the hub with this version first"
        ) from error
    if for_figures:
        return Counted(quarter, _rows(con, f"SELECT {_FIGURES} FROM lines", {}), {})
    found = {name: _rows(con, sql_of(f"checks/{name}"), facts) for name in names_of("checks")}
    return Counted(quarter, _rows(con, "SELECT * FROM lines", {}), found)


_FIGURES = "DISTINCT item, basis, part, counted, value, why_not, NULL AS on_date"
_NO_LINES = (
    "SELECT NULL::VARCHAR AS item, NULL::VARCHAR AS basis, NULL::VARCHAR AS part, NULL::VARCHAR AS counted, "
    "NULL::VARCHAR AS child_id, NULL::DATE AS on_date, NULL::VARCHAR AS detail, NULL::DOUBLE AS value, "
    "NULL::VARCHAR AS why_not, NULL::VARCHAR AS record_key WHERE false"
)


def _facts(quarter: Quarter, settings: Settings) -> dict[str, Any]:
    cohort = quarter.later(-settings.matures_after_quarters)
    return {
        "first": quarter.first,
        "last": quarter.last,
        "cohort_first": cohort.first,
        "cohort_last": cohort.last,
        "offer_within_days": settings.offer_within_days,
        "precedence": list(settings.precedence),
    }


def _run(
    con: duckdb.DuckDBPyConnection, sql: str, facts: Mapping[str, Any]
) -> duckdb.DuckDBPyConnection:
    return con.execute(sql, {name: value for name, value in facts.items() if f"${name}" in sql})


def _rows(con: duckdb.DuckDBPyConnection, sql: str, facts: Mapping[str, Any]) -> Lines:
    """Rows as dictionaries, sorted, with days as ISO text; in columns, since there are hundreds of thousands."""
    days = "SELECT * REPLACE (on_date::VARCHAR AS on_date)"
    columns = _run(con, f"{days} FROM ({sql}) ORDER BY ALL", facts).to_arrow_table().to_pydict()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@cache
def sql_of(name: str) -> str:
    text = (resources.files(__package__) / "sql" / f"{name}.sql").read_text("utf-8")
    return text.rstrip().rstrip(";")


@cache
def names_of(folder: str) -> tuple[str, ...]:
    """The files of a folder of SQL, without their ending, sorted."""
    return tuple(sorted(_files(folder)))


def _files(folder: str) -> Iterator[str]:
    for path in (resources.files(__package__) / "sql" / folder).iterdir():
        if path.name.endswith(".sql"):
            yield path.name.removesuffix(".sql")
