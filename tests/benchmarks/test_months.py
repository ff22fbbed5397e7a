"""A partnership over some months: the same every time, with truth for each record, and things do happen."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from benchmarks.hub.months import Month, MonthlyPartnership
from benchmarks.hub.months.partnership import ends_of_months
from benchmarks.hub.months.town import Town

FIRST = date(2026, 7, 31)
CHILDREN = 800


def live(children: int = CHILDREN) -> list[Month]:
    """Some months, the new school year among them; health makes no delivery in the second."""
    partnership = MonthlyPartnership(children, 7, FIRST)
    months = [partnership.first()]
    for number, as_at in enumerate(ends_of_months(FIRST, 4)):
        missing, absent = (
            (("health_fhir",) if number == 1 else ()),
            (("case_system",) if number == 2 else ()),
        )
        months.append(partnership.next(as_at, missing, absent))
    return months


@pytest.fixture(scope="module")
def months() -> list[Month]:
    return live()


def rows(month: Month, feed: str) -> dict[str, dict[str, object]]:
    """The rows of a feed by key."""
    return {str(r["record_key"]): r for r in month.records.to_pylist() if r["feed"] == feed}


def test_the_same_question_gives_the_same_months(months: list[Month]) -> None:
    again = live()
    assert [m.records for m in again] == [m.records for m in months]
    assert [m.person_of for m in again] == [m.person_of for m in months]


def test_every_record_has_one_row_and_its_truth(months: list[Month]) -> None:
    for month in months:
        keys = month.records["record_key"].to_pylist()
        assert len(keys) == len(set(keys)) == len(month.person_of)
        assert set(keys) == month.person_of.keys()


def test_a_record_stays_the_same_persons(months: list[Month]) -> None:
    for before, after in pairwise(months):
        both = before.person_of.keys() & after.person_of.keys()
        assert all(before.person_of[key] == after.person_of[key] for key in both)


def test_families_move_come_and_go_and_children_are_expected_and_born(months: list[Month]) -> None:
    for what in ("moved", "arrived", "expected", "born", "left"):
        assert any(vars(month.news)[what] for month in months), what


def test_a_new_surname_is_borne_from_its_day_on_and_the_former_one_before() -> None:
    town = Town(1_500, 7, FIRST)
    renamed = [pair for as_at in ends_of_months(FIRST, 4) for pair in town.step(as_at).renamed]
    assert renamed
    for household, person_id in renamed:
        person = household.members[person_id].person
        assert person.name_on(FIRST) == person.former != person.name_on(town.as_at)


def test_agencies_hear_of_moves_later_than_they_happen(months: list[Month]) -> None:
    moved = {h.family_id for h in months[1].news.moved}
    assert moved
    before, after = rows(months[0], "health_csv"), rows(months[4], "health_csv")
    changed = [
        k for k in before.keys() & after.keys() if before[k]["postcode"] != after[k]["postcode"]
    ]
    assert changed


def test_a_feed_that_makes_no_delivery_leaves_what_it_had_sent(months: list[Month]) -> None:
    assert rows(months[2], "health_fhir") == rows(months[1], "health_fhir")
    assert rows(months[3], "health_fhir") != rows(months[1], "health_fhir")
    assert "health_fhir" in months[2].late


def test_an_absent_feed_brings_nothing_that_month_and_is_back_in_the_next(
    months: list[Month],
) -> None:
    assert not rows(months[3], "case_system")
    assert rows(months[2], "case_system").keys() <= rows(months[4], "case_system").keys()


def test_most_leavers_of_primary_school_are_on_a_new_roll_in_september(months: list[Month]) -> None:
    new = (
        rows(months[2], "education_attendance").keys()
        - rows(months[1], "education_attendance").keys()
    )
    usual = (
        rows(months[1], "education_attendance").keys()
        - rows(months[0], "education_attendance").keys()
    )
    assert len(new) > 3 * len(usual)


def test_an_unborn_child_has_an_expected_date_and_no_number(months: list[Month]) -> None:
    unborn = [r for m in months for r in m.records.to_pylist() if r["expected_birth_date"]]
    assert unborn
    assert all(not r["nhs_number"] and not r["date_of_birth"] for r in unborn)


def test_the_ends_of_months_pass_the_turn_of_the_year_and_february() -> None:
    ends = list(ends_of_months(date(2026, 11, 30), 3))
    assert ends == [date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28)]
