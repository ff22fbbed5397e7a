"""Colours by rule, from a table; what may be typed of which item; and how quarters are named."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ffp_data.quarterly import NotAQuarterError, Quarter, load_items, load_settings
from ffp_data.quarterly.entries import NotAnEntryError, Value, read_value
from ffp_data.quarterly.figures import Figure, Rate, share_of, wilson
from ffp_data.quarterly.items import Settings
from ffp_data.quarterly.progress import Known, rate_items

ITEMS, SETTINGS = load_items(), load_settings()
Q1, Q2, Q3 = (Quarter.parse(f"2026-27-Q{n}") for n in (1, 2, 3))


def known(quarter: Quarter, **facts: Any) -> Known:
    nothing = {item.id: Figure(item.id, "in_quarter", 0) for item in ITEMS.items if item.is_counted}
    rates = {kpi.id: Rate(kpi.id, 0, 0, None) for kpi in ITEMS.kpis}
    given_facts: dict[str, dict[str, Any]] = {
        "figures": nothing,
        "before": nothing,
        "baseline": nothing,
        "rates": rates,
        "typed": {},
        "typed_before": {},
    }
    merged = {name: {**value, **facts.get(name, {})} for name, value in given_facts.items()}
    return Known(quarter, ITEMS, SETTINGS, **merged)


def figures(item: str, value: float | None) -> dict[str, Figure]:
    return {item: Figure(item, "in_quarter", value)}


def trend(item: str, now: float, before: float, first: float) -> dict[str, Any]:
    return {
        "figures": figures(item, now),
        "before": figures(item, before),
        "baseline": figures(item, first),
    }


def typed(item: str, **value: Any) -> dict[str, Any]:
    return {"typed": {item: Value(**value)}}


def rate(kpi: str, numerator: int, denominator: int) -> dict[str, Any]:
    return {"rates": {kpi: share_of(kpi, numerator, denominator, SETTINGS)}}


LAST_QUARTER = {"typed_before": {"FH-1.2": Value(day=date(2027, 1, 1))}}
COLOURS: list[tuple[str, Quarter, dict[str, Any], str]] = [
    ("FH-1.1", Q2, typed("FH-1.1", answer="fully operational"), "green"),
    ("FH-1.1", Q2, typed("FH-1.1", answer="in development", day=date(2027, 3, 31)), "amber"),
    ("FH-1.1", Q2, typed("FH-1.1", answer="in development", day=date(2027, 4, 1)), "red"),
    ("FH-1.1", Q2, typed("FH-1.1", answer="in development"), "red"),
    ("FH-1.1", Q2, {}, "red"),
    ("FH-1.1", Q1.before, {}, "grey"),  # before the items begin
    ("FH-1.4", Q2, typed("FH-1.4", answer="in development", day=date(2026, 6, 30)), "red"),  # past
    ("FH-1.4", Q2, typed("FH-1.4", answer="yes", day=date(2026, 7, 1)), "red"),  # done too late
    ("FH-1.4", Q2, typed("FH-1.4", answer="yes", day=date(2026, 6, 30)), "green"),
    ("FH-1.2", Q2, typed("FH-1.2", day=date(2027, 3, 31)), "green"),
    ("FH-1.2", Q2, typed("FH-1.2", day=date(2027, 4, 1)), "red"),
    ("FH-1.2", Q2, typed("FH-1.2", day=date(2027, 3, 1)) | LAST_QUARTER, "amber"),  # later than told then
    ("FN-1.2", Q3, trend("FN-1.2", 12, 10, 8), "green"),
    ("FN-1.2", Q3, trend("FN-1.2", 12, 12, 8), "amber"),
    ("FN-1.2", Q3, trend("FN-1.2", 101, 100, 8), "amber"),  # one percent is flat
    ("FN-1.2", Q3, trend("FN-1.2", 7, 10, 8), "red"),
    ("FN-1.2", Q1, trend("FN-1.2", 12, 10, 8), "grey"),  # no trend in the first quarter
    ("FN-2.4", Q3, trend("FN-2.4", 10.0, 12.0, 15.0), "green"),
    ("FN-2.4", Q3, trend("FN-2.4", 20.0, 12.0, 15.0), "red"),
    ("FN-2.4", Q3, {"figures": figures("FN-2.4", None)}, "grey"),
    ("FH-1.3", Q3, trend("FH-1.3", 12, 10, 8), "green"),
    ("FH-1.3", Q3, typed("FH-1.1", answer="fully operational") | rate("FH-K1", 94, 100), "red"),
    ("FH-1.3", Q3, typed("FH-1.1", answer="fully operational") | rate("FH-K1", 100, 100), "green"),
    ("CP-5.1", Q2, rate("CP-K2", 20, 20), "green"),
    ("CP-5.1", Q2, rate("CP-K2", 19, 20), "amber"),
    ("CP-5.1", Q2, rate("CP-K2", 1, 2), "red"),
    ("CP-5.1", Q2, {}, "grey"),
    ("FN-1.3", Q2, rate("FN-K2", 67, 100), "green"),
    ("FN-1.3", Q2, rate("FN-K2", 57, 100), "amber"),
    ("FN-1.3", Q2, rate("FN-K2", 56, 100), "red"),
    ("FN-1.3", Q2, rate("FN-K2", 9, 9), "grey"),  # too few
    ("FH-2.1", Q2, {"figures": figures("FH-2.1", 9)} | typed("FH-2.1", target=10), "amber"),
    ("FH-2.1", Q2, {"figures": figures("FH-2.1", 10)} | typed("FH-2.1", target=10), "green"),
    ("FH-2.1", Q2, {"figures": figures("FH-2.1", 10)}, "grey"),  # no target
    ("FN-1.4", Q3, trend("FN-1.4", 1, 9, 9), "grey"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "quarter", "facts", "colour"), COLOURS)
def test_each_rule_has_its_colours(
    item: str, quarter: Quarter, facts: dict[str, Any], colour: str
) -> None:
    rating = rate_items(known(quarter, **facts))[item]
    assert rating.colour == colour
    assert rating.why


@pytest.mark.parametrize(
    ("item", "given_fields", "words"),
    [
        ("FH-1.3", {"text": "many"}, "nothing is typed"),
        ("FH-1.1", {"answer": "nearly"}, "answer with one of not started"),
        ("FH-1.1", {"text": "soon"}, "not text"),
        ("FH-1.2", {"day": "31/03/2027"}, "write the day as"),
        ("FH-1.2", {"day": " "}, "give the day"),
        ("FH-2.1", {"target": "-3"}, "whole number"),
        ("FN-2.3", {"text": "x" * 4001}, "4,000"),
        ("FN-2.3", {"text": "a\u202eb"}, "control"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_remedy(
    item: str, given_fields: dict[str, str], words: str
) -> None:
    with pytest.raises(NotAnEntryError, match=words):
        read_value(ITEMS.by_id[item], ITEMS, given_fields)


def test_the_interval_is_wilsons_and_a_percent_of_few_is_not_told() -> None:
    assert [round(edge, 2) for edge in wilson(67, 100)] == [
        57.31,
        75.44,
    ]  # by hand from Wilson's formula, z = 1.96
    few = share_of("FN-K2", 9, 9, SETTINGS)
    assert (few.value, few.numerator, few.denominator) == (None, 9, 9)


@given(st.integers(1, 5000), st.data())
def test_an_interval_holds_its_share_and_stays_within_a_percent(
    denominator: int, data: st.DataObject
) -> None:
    numerator = data.draw(st.integers(0, denominator))
    low, high = wilson(numerator, denominator)
    assert -1e-9 <= low <= 100 * numerator / denominator + 1e-9
    assert 100 * numerator / denominator - 1e-9 <= high <= 100


@given(st.dates(date(2020, 1, 1), date(2060, 1, 1)))
def test_each_day_lies_in_one_quarter_and_its_name_leads_back(day: date) -> None:
    quarter = Quarter.of(day)
    assert quarter.first <= day <= quarter.last
    assert (
        Quarter.parse(quarter.name) == quarter == quarter.next.before == quarter.later(5).later(-5)
    )


@pytest.mark.parametrize("name", ["2026-Q1", "2026-28-Q1", "2026-27-Q5", "q1"])
def test_another_name_is_no_quarter(name: str) -> None:
    with pytest.raises(NotAQuarterError, match="2026-27-Q1"):
        Quarter.parse(name)


def test_definitions_name_each_stage_once_and_no_unknown_key() -> None:
    told = SETTINGS.model_dump(mode="json")
    with pytest.raises(ValidationError, match="each of the four stages once"):
        Settings.model_validate({**told, "stages": told["stages"][1:]})
    with pytest.raises(ValidationError, match="Extra inputs"):
        Settings.model_validate({**told, "weights": 1})
