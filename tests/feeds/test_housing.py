"""Homelessness cases with their known faults: expected children, blank addresses, a child in two cases."""

from __future__ import annotations

from datetime import date

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.justice import assemble, people, row, set_aside, ties
from tests.feeds.samples import Landing, Row


def person(case: str, number: int, **own: str) -> Row:
    values = {
        "applicant_no": "" if number == 1 else "1",
        "relationship_to_applicant": "APPLICANT" if number == 1 else "CHILD",
        "last_settled_postcode": "XF1 2AB",
        "address_confidential": "0",
    }
    return row("housing", "people", case_id=case, person_no=str(number), **(values | own))


def placement(number: int, start: str, postcode: str) -> Row:
    return row(
        "housing", "placements", case_id="H1", person_no=str(number), ta_start=start, ta_postcode=postcode
    )  # fmt: skip


def test_an_expected_child_has_a_date_or_is_set_aside(landing: Landing) -> None:
    expected = person("H1", 2, forename="Unborn", date_of_birth="2026-07-01")
    counted = person("H1", 3, forename="Unborn", date_of_birth="")
    landing.rows("housing", "people", [person("H1", 1), expected, counted])
    assemble(landing)
    assert people(landing, "date_of_birth, expected_birth_date") == [
        ("H1:1", date(2025, 9, 3), None),
        ("H1:2", None, date(2026, 7, 1)),
    ]
    assert set_aside(landing) == [("row", "date_of_birth", "required")]


def test_a_blank_address_is_that_of_the_latest_placement(landing: Landing) -> None:
    landing.rows("housing", "people", [person("H1", 1), person("H1", 2, last_settled_postcode="")])
    stays = [("2025-10-01", "XF3 3CC"), ("2026-01-01", "XF4 4DD"), ("2025-12-01", "XF5 5EE")]
    landing.rows("housing", "placements", [placement(n, *stay) for n in (1, 2) for stay in stays])
    assemble(landing)
    assert people(landing, "postcode") == [("H1:1", "XF1 2AB"), ("H1:2", "XF4 4DD")]


def test_a_child_in_two_cases_is_tied_to_both_applicants(landing: Landing) -> None:
    rows = [person(case, number) for case in ("H1", "H2") for number in (1, 2)]
    landing.rows("housing", "people", rows)
    assemble(landing)
    assert ties(landing) == [("H1:2", "H1:1", None, "parent"), ("H2:2", "H2:1", None, "parent")]


def test_a_household_that_fled_is_restricted(landing: Landing) -> None:
    landing.rows("housing", "people", [person("H1", 1), person("H2", 1, address_confidential="1")])
    assemble(landing)
    assert people(landing, "is_restricted") == [("H1:1", False), ("H2:1", True)]


def test_each_move_is_told_by_its_kind_and_never_by_its_place(landing: Landing) -> None:
    landing.rows("housing", "placements", [placement(1, "2025-10-01", "XF3 3CC")])
    assemble(landing)
    feeds.build_facts(landing.con, {"housing": CONTRACTS["housing"]})
    assert landing.query("SELECT event_date, summary FROM raw.declared_events") == [
        (date(2025, 10, 1), "Placed in temporary accommodation: bed and breakfast, facilities shared")
    ]  # fmt: skip
