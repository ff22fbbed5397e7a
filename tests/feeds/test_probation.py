"""Probation's files with their known faults."""

from __future__ import annotations

import json

import pytest

from tests.feeds.conftest import CONTRACTS
from tests.feeds.justice import assemble, people, row, ties
from tests.feeds.samples import Landing, Row, record


def person(number: int = 1, **own: str) -> Row:
    return row("probation", "persons", crn=f"X00000{number}", **own)


@pytest.mark.parametrize("day", ["1900-01-01", "1970-01-01", ""])
def test_a_default_date_of_birth_is_unknown(landing: Landing, day: str) -> None:
    landing.rows("probation", "persons", [person(date_of_birth=day)])
    assemble(landing)
    assert people(landing, "date_of_birth") == [("X000001", None)]


@pytest.mark.parametrize("postcode", ["NF1 1NF", "NF1 1FA", "nf11fa"])
def test_the_postcode_of_no_fixed_abode_is_nobodys_home(landing: Landing, postcode: str) -> None:
    landing.rows("probation", "persons", [person(postcode=postcode)])
    assemble(landing)
    assert people(landing, "postcode") == [("X000001", None)]


def test_words_of_a_migration_and_odd_prefixes_stay_as_sent(landing: Landing) -> None:
    """How names compare is the linkage model's business; the record shows what was delivered."""
    landing.rows(
        "probation", "persons", [person(1, surname="MIG_ERROR_Smith"), person(2, surname="MC DONALD")]
    )  # fmt: skip
    assemble(landing)
    assert people(landing, "surname") == [("X000001", "MIG_ERROR_Smith"), ("X000002", "MC DONALD")]


def test_two_case_numbers_of_one_person_are_two_records_of_one_prison_number(
    landing: Landing,
) -> None:
    landing.rows("probation", "persons", [person(1), person(2)])
    assemble(landing)
    told = people(landing, "crn, prison_number")
    assert told == [("X000001", "X000001", "SAMPLE"), ("X000002", "X000002", "SAMPLE")]


def test_a_child_whom_the_adult_names_is_only_a_name(landing: Landing) -> None:
    contract = CONTRACTS["probation"]
    named = row("probation", "contacts", relationship="Child", forename="Ann", surname="Test")
    line = record(contract, contract.by_name["contacts"], named)
    landing.file(
        "probation", "probation_EM_person_20260401T030000Z_001.ndjson", json.dumps(line) + "\n"
    )
    assemble(landing)
    assert len(people(landing, "role")) == 1
    assert [tie[1:] for tie in ties(landing)] == [(None, "Ann Test", "Child")]


@pytest.mark.parametrize(("mark", "expected"), [("true", True), ("false", False)])
def test_a_limited_access_record_is_restricted(landing: Landing, mark: str, expected: bool) -> None:
    landing.rows("probation", "persons", [person(current_restriction=mark)])
    assemble(landing)
    assert people(landing, "is_restricted") == [("X000001", expected)]
