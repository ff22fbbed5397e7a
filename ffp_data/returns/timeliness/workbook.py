"""The workbook for managers: what each figure is, who has what to do, and every clock behind it.

Days, dates and percents are written as numbers and dates, so that a manager can sort and filter; text
never computes. Equal marts give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from ffp_data.returns.timeliness import figures
from ffp_data.returns.timeliness.figures import Standing
from governance.xlsx import Sheet, write_workbook

_SOURCE = ("Source record", "Delivery", "Line")
_SOURCE_WIDTHS = (30, 14, 8)
_CLOCK_WORDS = (
    "Two clocks run for an assessment and are never merged: TM-02 from its own start, as DfE's statistic "
    "counts, and TM-03 from the referral, the statutory maximum. TM-04 lists what is open on the first."
)
_DAY_WORDS = (
    "Working days of England after the day of the start; the limit itself is in time. A start or an end on "
    "a day off counts as the working day before it."
)
_COUNT_WORDS = (
    "On the sheet Clocks, count 'counted' for a denominator and 'in numerator' for a numerator of a "
    "measure. Why a clock is not counted stands beside it."
)
_PERIOD_WORDS = (
    "What stopped in the period counts by the day of its end; what runs counts on the day above."
)
_RESTRICTED_WORDS = "For a restricted child team and worker are left out; ask the case system."


def write_timeliness(con: duckdb.DuckDBPyConnection, path: Path, council: str) -> Standing:
    """Write the workbook to `path` and return what it stands on; raises NotBuiltError."""
    about = figures.standing(con)
    sheets = [
        _about(about, council, figures.inputs(con)),
        _measures(con),
        _bands(con),
        _exclusions(con),
        _teams(con),
        _workers(con),
        _due(con),
        _clocks(con),
    ]
    write_workbook(path, sheets, f"Timeliness {about.as_at}, {council}")
    return about


def _about(about: Standing, council: str, inputs: list[str]) -> Sheet:
    return Sheet(
        "Read first",
        ("Subject", "What applies"),
        list(_lines(about, council, inputs)),
        widths=(24, 100),
        is_prose=True,
    )


def _lines(about: Standing, council: str, inputs: list[str]) -> Iterator[tuple[str, str]]:
    yield "Whose", f"{council}; for its own managers, not to be passed on"
    yield "As at", about.as_at.isoformat()
    yield "Period", f"{about.period_start} to {about.as_at}. {_PERIOD_WORDS}"
    yield "The two 45-day clocks", _CLOCK_WORDS
    yield "Days", _DAY_WORDS
    yield "Reviews", f"due after {about.review_limit}"
    yield "Counting again", _COUNT_WORDS
    yield "Restricted children", _RESTRICTED_WORDS
    yield "Limits and bank holidays", f"version {about.rules_version}; another may count otherwise"
    yield "Clocks", f"{about.clocks:,}"
    for delivery in inputs:
        yield "Made from delivery", delivery


def _measures(con: duckdb.DuckDBPyConnection) -> Sheet:
    header = (
        *("Measure", "Title", "Limit", "From", "To"),
        *("Numerator", "What it counts", "Denominator", "Of what", "Percent"),
        *("England percent", "England year", "Lower quartile days", "Median days"),
        *("Upper quartile days", "Left out", "Evidence", "Basis", "Note"),
    )
    widths = (9, 50, 22, 30, 30, 10, 30, 12, 40, 9, 9, 9, 9, 9, 9, 9, 11, 50, 60)
    return Sheet("Measures", header, figures.by_measure(con), widths)


def _bands(con: duckdb.DuckDBPyConnection) -> Sheet:
    header = ("Measure", "Title", "Days", "Clocks", "Percent")
    return Sheet("Bands", header, figures.bands(con), (9, 60, 10, 10, 10))


def _exclusions(con: duckdb.DuckDBPyConnection) -> Sheet:
    header = ("Measure", "Title", "Reason", "Clocks")
    return Sheet("Left out", header, figures.exclusions(con), (9, 60, 50, 10))


def _teams(con: duckdb.DuckDBPyConnection) -> Sheet:
    header = (
        *("Team", "Measure", "Title", "Numerator", "Denominator", "Percent", "Median days"),
        *("Running", "Due soon", "Overdue", "Overdue since"),
    )
    return Sheet("Teams", header, figures.by_team(con), (28, 9, 60, 10, 12, 9, 9, 9, 9, 9, 13))


def _workers(con: duckdb.DuckDBPyConnection) -> Sheet:
    header = (
        *("Team", "Worker", "Measure", "Title"),
        *("Running", "Due soon", "Overdue", "Overdue since"),
    )
    return Sheet("Workers", header, figures.by_worker(con), (28, 24, 9, 60, 9, 9, 9, 13))


def _due(con: duckdb.DuckDBPyConnection) -> Sheet:
    header = (
        *("Child", "Measure", "Clock", "Start", "Due", "Days", "State"),
        *("Team", "Worker", "Case closed on", *_SOURCE),
    )
    widths = (12, 9, 26, 12, 12, 8, 30, 28, 24, 13, *_SOURCE_WIDTHS)
    return Sheet("Overdue and due soon", header, figures.due(con), widths)


def _clocks(con: duckdb.DuckDBPyConnection) -> Sheet:
    header = (
        *("Measure", "Child", "Start", "Due", "End", "Days", "Band", "Limit", "State"),
        *(
            "Counted",
            "In numerator",
            "Why not counted",
            "Team",
            "Worker",
            "Case closed on",
            *_SOURCE,
        ),
    )
    widths = (9, 12, 12, 12, 12, 8, 10, 20, 30, 9, 9, 40, 28, 24, 13, *_SOURCE_WIDTHS)
    return Sheet("Clocks", header, figures.children(con), widths)
