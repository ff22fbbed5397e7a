"""Each figure of the collection equals the answer worked by hand, opens to its children, and adds up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from ffp_data.quarterly import Counted, Quarter, count_quarter, load_items, load_settings
from ffp_data.quarterly.checks import Check, run_checks
from ffp_data.quarterly.compare import compare_lines
from ffp_data.quarterly.figures import Figure, Rate, make_figures, make_rates
from tests.dbt_project.warehouse import Warehouse

ANSWERS: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("answers.yaml").read_text("utf-8")
)
QUARTER = Quarter.parse("2025-26-Q4")
pytestmark = pytest.mark.slow
ITEMS, SETTINGS = load_items(), load_settings()


@dataclass(frozen=True)
class Told:
    """What the engine says of the quarter."""

    counted: Counted
    figures: dict[str, Figure]
    rates: dict[str, Rate]
    checks: dict[str, Check]


@pytest.fixture(scope="module")
def told(built: Warehouse) -> Told:
    with built.connect() as con:
        counted = count_quarter(con, QUARTER, SETTINGS)
        figures = make_figures(ITEMS, SETTINGS, counted)
        checks = run_checks(con, ITEMS, counted, figures, date(2026, 3, 31))
    rates = make_rates(ITEMS, SETTINGS, counted, figures)
    return Told(counted, figures, rates, {check.name: check for check in checks})


def test_every_counted_item_has_an_answer_worked_by_hand() -> None:
    assert set(ANSWERS["figures"]) == {item.id for item in ITEMS.items if item.is_counted}
    assert set(ANSWERS["rates"]) == {kpi.id for kpi in ITEMS.kpis}


@pytest.mark.parametrize("item", ANSWERS["figures"])
def test_the_figure_is_the_answer_worked_by_hand(told: Told, item: str) -> None:
    figure, answer = told.figures[item], ANSWERS["figures"][item]
    assert figure.value == answer["value"]
    assert dict(figure.parts) == answer.get("parts", {})
    assert dict(figure.beside) == answer.get("beside", {})
    assert dict(figure.left_out) == answer.get("left_out", {})


@pytest.mark.parametrize(
    "item", [i for i, answer in ANSWERS["figures"].items() if "children" in answer]
)
def test_the_figure_opens_to_its_children(told: Told, item: str) -> None:
    bases = (told.figures[item].basis, "waiting")
    lines = [
        x
        for x in told.counted.lines
        if x["item"] == item and x["basis"] in bases and not x["why_not"]
    ]
    assert sorted({line["child_id"] for line in lines}) == ANSWERS["figures"][item]["children"]


@pytest.mark.parametrize("kpi", ANSWERS["rates"])
def test_the_rate_is_the_answer_worked_by_hand(told: Told, kpi: str) -> None:
    rate = told.rates[kpi]
    assert [rate.numerator, rate.denominator, rate.value, rate.low, rate.high] == ANSWERS["rates"][
        kpi
    ]


def test_each_check_names_whom_it_is_about_and_nobody_else(told: Told) -> None:
    named = {
        name: sorted({row["child_id"] for row in check.rows}) for name, check in told.checks.items()
    }
    assert {name: children for name, children in named.items() if children} == ANSWERS["checks"]


def test_stages_and_unassigned_come_to_the_figure_and_its_repeats(told: Told) -> None:
    check = told.checks["adds_up"]
    assert check.holds
    assert "1 more for children at more than one stage" in check.said


def test_the_census_and_the_collections_agree_or_the_difference_is_named(told: Told) -> None:
    assert told.checks["cin_census"].said == "14 here, 14 there, 14 in both"
    assert told.checks["tehadc"].said == "2 here, 1 there, 1 in both"
    (row,) = told.checks["tehadc"].rows
    assert row["said"] == "early help stands in the case system alone"
    assert told.checks["protection_plans"].said == "4 here, 4 there, 4 in both"
    assert "not built" in told.checks["single_view"].said


def test_without_the_recorded_stage_the_records_decide(con: duckdb.DuckDBPyConnection) -> None:
    settings = SETTINGS.model_copy(update={"recorded_stage_wins": False})
    figure = make_figures(ITEMS, settings, count_quarter(con, QUARTER, settings))["FN-1.2"]
    assert (figure.parts["child_protection"], figure.parts["pre_proceedings"]) == (4, 1)


def test_another_order_of_stages_moves_who_is_at_two(con: duckdb.DuckDBPyConnection) -> None:
    last = {"pre_proceedings": 3, "reunification": 1, "child_protection": 0, "family_help": 2}
    order = tuple(sorted(SETTINGS.stages, key=lambda rule: last[rule.stage]))
    settings = SETTINGS.model_copy(update={"recorded_stage_wins": False, "stages": order})
    figure = make_figures(ITEMS, settings, count_quarter(con, QUARTER, settings))["FN-1.2"]
    assert (figure.parts["child_protection"], figure.parts["pre_proceedings"]) == (
        5,
        0,
    )  # Cal has a plan


def test_an_offer_recorded_late_restates_the_quarter_and_says_why(
    con: duckdb.DuckDBPyConnection,
) -> None:
    before = count_quarter(con, QUARTER, SETTINGS)
    con.execute(
        "INSERT INTO quarterly.group_decisions BY NAME SELECT * REPLACE ('F8' AS fgdm_id, 'fay' AS child_id,"
        " DATE '2026-02-01' AS offered_date, DATE '2026-04-20' AS recorded_date, 'new' AS record_key)"
        " FROM quarterly.group_decisions WHERE child_id = 'joy'"
    )
    after = count_quarter(con, QUARTER, SETTINGS)
    figure = make_figures(ITEMS, SETTINGS, after)["FN-1.2"]
    assert (figure.value, figure.parts["family_help"]) == (10, 4)
    recorded = {("FN-1.2", "fay", "2026-02-01"): "2026-04-20"}
    assert compare_lines(before.lines, after.lines, "2026-03-31", recorded) == [
        {"item": "FN-1.2", "basis": "in_quarter", "part": "family_help", "child_id": "fay", "on_date": "2026-02-01",
         "change": "added", "why": "recorded late, on 2026-04-20"}
    ]  # fmt: skip


def test_what_is_only_arranged_for_a_day_to_come_is_not_counted(
    con: duckdb.DuckDBPyConnection,
) -> None:
    figures = make_figures(ITEMS, SETTINGS, count_quarter(con, QUARTER.next, SETTINGS))
    assert (figures["FN-1.2"].value, figures["FN-1.3"].value, figures["FN-2.2"].value) == (0, 0, 0)
