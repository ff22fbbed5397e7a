"""What the marts say of timeliness, as rows for a sheet.

All counting is done where the marts are made (schema `timeliness`): a query here only chooses, orders
and words. So the workbook, the flags of the single view and any other reader agree on every clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb

from governance.xlsx import Cell

Row = tuple[Cell, ...]
_TENTH = Decimal("0.1")


class NotBuiltError(ValueError):
    """The warehouse has no timeliness marts yet."""


@dataclass(frozen=True)
class Standing:
    """For which day and period the marts speak, and by which limits and bank holidays."""

    as_at: date
    period_start: date
    rules_version: str
    review_limit: str
    clocks: int


def standing(con: duckdb.DuckDBPyConnection) -> Standing:
    """Read what all figures have in common; raises NotBuiltError before the first run with these marts."""
    try:
        row = con.execute(_STANDING).fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise NotBuiltError(
            "the warehouse has no figures on timeliness; run the hub first (ffp run)"
        )
    return Standing(*row)


_STANDING = """
SELECT as_at, period_start, rules_version,
    time_limit || ' and ' || later_limit || ' ' || replace(limit_unit, '_', ' ') || 's',
    (SELECT count(*) FROM timeliness.clocks)
FROM timeliness.measures WHERE measure_id = 'TM-09' AND level = 'partnership'
"""


def by_measure(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """One row for each measure: of the partnership, with England beside it where DfE publishes a figure."""
    return con.execute(_MEASURES).fetchall()


_LIMIT = (
    "time_limit || coalesce(', then ' || later_limit, '') || ' ' || replace(limit_unit, '_', ' ')"
    " || if(greatest(time_limit, later_limit) > 1, 's', '')"
)
_MEASURES = f"""
SELECT measure_id, title, {_LIMIT}, starts_in_words, stops_in_words,
    numerator, numerator_in_words, denominator, denominator_in_words,
    if(is_measured, percent, NULL), england_percent, england_period,
    lower_quartile_days, median_days, upper_quartile_days, exclusion_count, evidence, basis, note
FROM timeliness.measures WHERE level = 'partnership' ORDER BY measure_id
"""


def bands(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """How many clocks of each measure fell in each band of days, empty bands too, and their share."""
    found = con.execute(
        "SELECT measure_id, title, band_limits, bands FROM timeliness.measures "
        "WHERE level = 'partnership' AND is_measured AND band_limits IS NOT NULL ORDER BY measure_id"
    ).fetchall()
    return [row for each in found for row in _banded(*each)]


def _banded(
    measure: str, title: str, limits: str, counted: Mapping[str, int] | None
) -> Iterator[Row]:
    total = sum((counted or {}).values())
    for name in band_names([int(limit) for limit in limits.split("|")]):
        count = (counted or {}).get(name, 0)
        yield measure, title, name, count, percent(count, total)


def band_names(limits: list[int]) -> list[str]:
    """The bands that end on these days, and the open one after the last, as the marts call them."""
    names, start = [], 0
    for limit in limits:
        names.append("same day" if limit == start == 0 else f"{start}-{limit}")
        start = limit + 1
    return [*names, f"{start}+"]


def percent(count: int, total: int) -> Decimal | None:
    """To one decimal, half up; None of nothing."""
    if not total:
        return None
    return (Decimal(100 * count) / total).quantize(_TENTH, ROUND_HALF_UP)


def exclusions(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """What is left out of each measure, by reason, and how many there are."""
    return con.execute(_EXCLUSIONS).fetchall()


_EXCLUSIONS = """
SELECT measure_id, title, entry.key, entry.value
FROM (
    SELECT measure_id, title, unnest(map_entries(exclusions)) AS entry
    FROM timeliness.measures WHERE level = 'partnership'
) ORDER BY ALL
"""


def by_team(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """Each measure for each team, with what runs, is due soon and is overdue."""
    return con.execute(_BY_TEAM).fetchall()


_BY_TEAM = """
SELECT team, measure_id, title, numerator, denominator, percent, median_days,
    running_count, due_soon_count, overdue_count, overdue_since
FROM timeliness.measures WHERE level = 'team' ORDER BY team, measure_id
"""


def by_worker(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """Who has what overdue or due soon; the most overdue first in each team."""
    return con.execute(_BY_WORKER).fetchall()


_BY_WORKER = """
SELECT team, worker, measure_id, title, running_count, due_soon_count, overdue_count, overdue_since
FROM timeliness.measures
WHERE level = 'worker' AND overdue_count + due_soon_count > 0
ORDER BY team, overdue_count DESC, overdue_since, worker, measure_id
"""


def due(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """Each clock that is overdue or due soon, the oldest first."""
    return con.execute(_DUE).fetchall()


_DUE = """
SELECT la_child_id, measure_id, replace(clock, '_', ' '), start_date, due_date, days, state_in_words,
    if(is_restricted, 'withheld', team), if(is_restricted, 'withheld', worker), case_closed_on,
    record_key, delivery_id, line
FROM timeliness.clocks WHERE state IN ('overdue', 'due_soon')
ORDER BY due_date, la_child_id, measure_id, record_key, line
"""


def children(con: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    """Every clock, counted or not, in batches: each figure can be counted again from these rows."""
    found = con.execute(_CHILDREN)
    while batch := found.fetchmany(10_000):
        yield from batch


_CHILDREN = """
SELECT measure_id, la_child_id, start_date, due_date, stop_date, days, band, limit_in_words,
    state_in_words, if(is_counted, 'yes', 'no'), if(is_in_numerator, 'yes', 'no'), why_not_counted,
    if(is_restricted, 'withheld', team), if(is_restricted, 'withheld', worker), case_closed_on,
    record_key, delivery_id, line
FROM timeliness.clocks
ORDER BY measure_id, la_child_id, start_date NULLS FIRST, stop_date NULLS LAST, record_key, line
"""


def inputs(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Deliveries that the clocks came from."""
    found: list[Any] = con.execute(
        "SELECT DISTINCT delivery_id FROM timeliness.clocks ORDER BY delivery_id"
    ).fetchall()
    return [row[0] for row in found]
