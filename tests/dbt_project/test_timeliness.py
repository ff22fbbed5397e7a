"""The clocks of the hand-written partnership, against the calendar and the return."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ffp_data.calendar import add_working_days, working_days_between
from tests.dbt_project.conftest import Marts

pytestmark = pytest.mark.slow
AS_AT = date(2026, 3, 31)


def test_each_child_has_the_clocks_worked_by_hand(marts: Marts) -> None:
    found = marts.rows(
        "SELECT child_id, measure_id, start_date, due_date, stop_date, days, state, is_counted,"
        " is_in_numerator FROM timeliness.clocks WHERE measure_id != 'TM-20' ORDER BY ALL"
    )
    assert found == [
        ("ada", "TM-02", _may(7), date(2025, 7, 10), date(2025, 6, 20), 31, *_DONE),
        ("ada", "TM-03", _may(6), date(2025, 7, 9), date(2025, 6, 20), 32, *_DONE),
        # over Christmas: 29 December to 2 January without New Year's Day, then 5 to 15 January
        ("ada", "TM-07", date(2025, 12, 24), date(2026, 1, 19), date(2026, 1, 15), 13, *_DONE),
        (
            *("ada", "TM-09", date(2026, 1, 15), date(2026, 4, 15), date(2026, 3, 20), 64),
            *("done_in_time", False, False),
        ),
        (
            *("ada", "TM-09", date(2026, 3, 20), date(2026, 9, 20), None, 11),
            *("running", False, False),  # the plan is not three months old
        ),
        (
            *("dot", "TM-03", date(2026, 2, 2), date(2026, 4, 8), None, 41),
            *("due_soon", False, False),
        ),
        (
            *("dot", "TM-04", date(2026, 1, 27), AS_AT, None, 45),
            *("due_soon", True, False),
        ),
        (
            *("gus", "TM-03", date(2025, 9, 1), date(2025, 11, 3), None, 148),
            *("overdue", False, False),  # moved in under a plan, and never assessed here
        ),
        ("gus", "TM-07", None, None, date(2025, 9, 10), None, "not_counted", False, False),
        (
            *("hal", "TM-03", date(2025, 7, 1), date(2025, 9, 3), None, 191),
            *("overdue", False, False),
        ),
        (
            *("hal", "TM-04", date(2026, 1, 26), date(2026, 3, 30), None, 46),
            *("overdue", True, True),
        ),
    ]


_DONE = ("done_in_time", True, True)


def _may(day: int) -> date:
    return date(2025, 5, day)


def test_the_models_count_days_as_the_calendar_of_the_code_does(marts: Marts) -> None:
    clocks = marts.rows(
        "SELECT start_date, due_date, coalesce(stop_date, as_at), days, time_limit"
        " FROM intermediate.int_timeliness__clocks"
        " CROSS JOIN (SELECT DATE '2026-03-31' AS as_at)"
        " WHERE limit_unit = 'working_day' AND exclusion IS NULL"
    )
    assert len(clocks) >= 8
    for start, due, end, days, limit in clocks:
        assert (due, days) == (add_working_days(start, limit), working_days_between(start, end))


def test_every_assessment_and_conference_of_the_census_has_its_clock_and_no_other_has(
    marts: Marts,
) -> None:
    of_return = marts.rows(
        "SELECT child_key, assessment_actual_start_date, assessment_authorisation_date"
        " FROM returns.cin_assessments ORDER BY ALL"
    )
    assert of_return == marts.rows(
        "SELECT child_id, start_date, stop_date FROM timeliness.clocks"
        " WHERE clock = 'assessment' ORDER BY ALL"
    )
    of_return = marts.rows(
        "SELECT child_key, s47_actual_start_date, date_of_initial_cpc FROM returns.cin_section47"
    )
    assert of_return == marts.rows(
        "SELECT child_id, start_date, stop_date FROM timeliness.clocks"
        " WHERE clock = 'conference' AND exclusion IS NULL"
    )


def test_an_overdue_flag_stands_for_an_overdue_clock(marts: Marts) -> None:
    flags = marts.rows(
        "SELECT child_id, flag, since FROM single_view.flags WHERE flag LIKE '%_overdue'"
    )
    assert flags == [("hal", "assessment_overdue", date(2026, 1, 26))]


def test_a_figure_can_be_counted_again_from_the_clocks_at_every_level(marts: Marts) -> None:
    for level, keys in (("partnership", ""), ("team", ", team"), ("worker", ", team, worker")):
        shown = marts.rows(
            f"SELECT measure_id, numerator, denominator{keys} FROM timeliness.measures"
            f" WHERE level = '{level}' AND running_count IS NOT NULL ORDER BY ALL"
        )
        counted = marts.rows(
            f"SELECT measure_id, sum(is_in_numerator::int), sum(is_counted::int){keys} FROM ("
            "   SELECT * REPLACE (coalesce(team, 'not recorded') AS team,"
            "     coalesce(worker, 'not recorded') AS worker) FROM timeliness.clocks"
            f") GROUP BY measure_id{keys} ORDER BY ALL"
        )
        assert shown == counted


def test_the_two_clocks_of_an_assessment_are_two_measures(marts: Marts) -> None:
    figures = marts.rows(
        "SELECT measure_id, numerator, denominator, percent, bands, median_days, exclusion_count"
        " FROM timeliness.measures WHERE level = 'partnership' AND measure_id IN"
        " ('TM-02', 'TM-03', 'TM-04', 'TM-07', 'TM-08', 'TM-09') ORDER BY measure_id"
    )
    whole = Decimal("100.0")
    assert figures == [
        ("TM-02", 1, 1, whole, {"31-40": 1}, 31.0, 0),
        ("TM-03", 1, 1, whole, {"31-40": 1}, 32.0, 0),
        ("TM-04", 1, 2, Decimal("50.0"), {"41-45": 1, "46-50": 1}, 45.5, 0),
        ("TM-07", 1, 1, whole, {"11-15": 1}, 13.0, 1),
        ("TM-08", 0, 0, None, None, None, None),
        ("TM-09", 0, 0, None, None, None, 1),
    ]


def test_a_measure_without_data_says_so_and_gives_no_figure(marts: Marts) -> None:
    told = marts.rows(
        "SELECT count(*), count(numerator), count(percent),"
        " bool_and(note LIKE 'not measured: %') FROM timeliness.measures WHERE NOT is_measured"
    )
    assert told == [(12, 0, 0, True)]
