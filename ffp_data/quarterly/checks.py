"""Whether figures add up, and how they stand to the census, the early help collection and the single view.

Each check names the children it is about: a difference without a reason beside it is none that anybody can mend.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from ffp_data.quarterly.counting import Counted, Lines, names_of, sql_of
from ffp_data.quarterly.figures import Figure
from ffp_data.quarterly.items import Items
from ffp_data.quarterly.quarters import Quarter

TITLES = {
    "meeting_without_offer": "Each meeting has an offer on the same day or earlier",
    "plan_without_meeting": "Each plan that was agreed has a meeting",
    "package_without_agreement": "Each package distributed has a day of agreement, not after it",
    "amounts_that_differ": "Each package has one amount",
    "stage_conflicts": "The stage recorded is the one that the records show",
    "unassigned": "Each event has a stage",
    "several_stages": "Children at more than one stage in the quarter",
    "leads_not_on_register": "Who holds cases of Family Help is on the register",
    "cin_census": "Children in need, against the children in need census",
    "tehadc": "Targeted early help, against the early help collection",
    "protection_plans": "Interventions with a plan, against plans open",
    "single_view": "Social care and early help, against the single view",
}


@dataclass(frozen=True)
class Check:
    """One check: whether it holds, in words, and the rows (child_id, counted, on_date, said) that it is about."""

    name: str
    title: str
    holds: bool
    said: str
    rows: Lines


def run_checks(
    con: duckdb.DuckDBPyConnection,
    items: Items,
    counted: Counted,
    figures: Mapping[str, Figure],
    as_at: date,
) -> list[Check]:
    """Every check of a quarter that was just counted on the connection."""
    return [
        _adds_up(items, counted, figures),
        *(_found(name, rows) for name, rows in counted.found.items()),
        *_reconciled(con, counted.quarter, as_at),
    ]


def _adds_up(items: Items, counted: Counted, figures: Mapping[str, Figure]) -> Check:
    """Stages and unassigned come to the figure and the repeats of children at more than one stage."""
    repeats: dict[str, int] = {}
    for row in counted.found["several_stages"]:
        repeats[row["counted"]] = repeats.get(row["counted"], 0) + row["said"].count(", ")
    wrong = [
        item.id
        for item in items.items
        if item.is_by_stage and item.kind != "mean"
        and abs(_sum(figures[item.id]) - repeats.get(item.id, 0) - (figures[item.id].value or 0)) > 0.005
    ]  # fmt: skip
    said = (
        f"{', '.join(wrong)} do not add up"
        if wrong
        else "stages and unassigned come to each figure"
    )
    if repeats:
        said += f"; {sum(repeats.values())} more for children at more than one stage, who are named below"
    return Check("adds_up", "Stages and unassigned add up", not wrong, said, [])


def _sum(figure: Figure) -> float:
    return float(sum(figure.parts.values()))


def _found(name: str, rows: Lines) -> Check:
    return Check(
        name,
        TITLES[name],
        not rows,
        f"{len(rows):,} to look at" if rows else "none to look at",
        rows,
    )


def _reconciled(con: duckdb.DuckDBPyConnection, quarter: Quarter, as_at: date) -> Iterator[Check]:
    for name in names_of("reconcile"):
        why = _why_not(con, name, quarter, as_at)
        yield Check(name, TITLES[name], True, why, []) if why else _compared(con, name, quarter)


def _why_not(
    con: duckdb.DuckDBPyConnection, name: str, quarter: Quarter, as_at: date
) -> str | None:
    """Why a comparison cannot be made, if so: the other side holds another time, or is not built."""
    if name == "single_view" and as_at != quarter.last:
        return f"not compared: the view is of {as_at:%-d %B %Y}, the quarter ends on {quarter.last:%-d %B %Y}"
    if name in ("cin_census", "tehadc"):
        try:
            row = con.execute(
                "SELECT period_start, period_end FROM intermediate.int_census__period"
            ).fetchone()
        except duckdb.CatalogException:
            return "not compared: the returns are not built here"
        if row is None or not row[0] <= quarter.last <= row[1]:
            return "not compared: the returns hold another year"
    return None


def _compared(con: duckdb.DuckDBPyConnection, name: str, quarter: Quarter) -> Check:
    try:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE compared AS {sql_of(f'reconcile/{name}')}",
            {"last": quarter.last},
        )
    except duckdb.CatalogException:
        return Check(name, TITLES[name], True, "not compared: the other side is not built here", [])
    sides = dict(con.execute("SELECT side, count(*) FROM compared GROUP BY ALL").fetchall())
    rows = con.execute(
        "SELECT child_id, 'only ' || side, why FROM compared WHERE side <> 'both' ORDER BY ALL"
    ).fetchall()
    both = sides.get("both", 0)
    said = f"{both + sides.get('here', 0):,} here, {both + sides.get('there', 0):,} there, {both:,} in both"
    listed: list[dict[str, Any]] = [
        {"child_id": child, "counted": side, "on_date": None, "said": why}
        for child, side, why in rows
    ]
    return Check(name, TITLES[name], not listed, said, listed)
