"""The police's own faults: doorstep dates, unborn children, merged nominals, marks and codes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, Row, sample_row

POLICE = CONTRACTS["police_safeguarding"]
KEY = "police_safeguarding|51|"


def nominal(number: str, **own: str) -> Row:
    mute = {"merged_into": "", "expected_delivery_date": "", "address_protected": "0"}
    return sample_row(
        POLICE, POLICE.by_name["persons"], **(mute | own | {"nominal_id": f"N{number}"})
    )


def people(landing: Landing, columns: str) -> list[tuple[Any, ...]]:
    landing.load()
    feeds.assemble_identity(landing.con, {POLICE.id: POLICE}, allow_test_numbers=True)
    return landing.query(f"SELECT {columns} FROM identity.person_records ORDER BY record_key")


def test_a_merged_nominal_names_the_one_that_survives(landing: Landing) -> None:
    rows = [nominal("1"), nominal("2", merged_into="N1"), nominal("3", merged_into="N3")]
    landing.rows(POLICE.id, "persons", rows)
    told = people(landing, "record_key, replaced_by")
    assert told == [(f"{KEY}N1", None), (f"{KEY}N2", f"{KEY}N1"), (f"{KEY}N3", None)]


def test_a_night_that_tells_of_others_takes_nobody_away(landing: Landing) -> None:
    landing.rows(POLICE.id, "persons", [nominal("1"), nominal("2")], "20260331T030000Z")
    landing.rows(POLICE.id, "persons", [nominal("2", merged_into="N1")], "20260401T030000Z")
    assert people(landing, "source_person_id, replaced_by") == [("N1", None), ("N2", f"{KEY}N1")]


@pytest.mark.parametrize("written", ["1900-01-01", "1970-01-01", "01/01/1900"])
def test_a_default_date_of_birth_is_none(landing: Landing, written: str) -> None:
    landing.rows(POLICE.id, "persons", [nominal("1", date_of_birth=written)])
    assert people(landing, "date_of_birth") == [(None,)]


def test_dates_come_year_first_or_day_first(landing: Landing) -> None:
    rows = [nominal("1", date_of_birth="2014-03-02"), nominal("2", date_of_birth="02/03/2014")]
    landing.rows(POLICE.id, "persons", rows)
    assert people(landing, "date_of_birth") == [(date(2014, 3, 2),)] * 2


def test_a_person_of_whom_only_an_age_was_taken_is_kept(landing: Landing) -> None:
    row = nominal("1", date_of_birth="", approximate_age_from="9", approximate_age_to="12")
    landing.rows(POLICE.id, "persons", [row])
    assert people(landing, "date_of_birth, surname") == [(None, "Sample")]


def test_an_unborn_child_has_an_expected_date_and_no_name(landing: Landing) -> None:
    row = nominal(
        "1", given_names="", surname="", date_of_birth="", expected_delivery_date="2026-06-02"
    )
    landing.rows(POLICE.id, "persons", [row])
    assert people(landing, "given_name, expected_birth_date") == [(None, date(2026, 6, 2))]


def test_a_protected_address_marks_the_record_as_restricted(landing: Landing) -> None:
    rows = [nominal("1", address_protected="1"), nominal("2")]
    landing.rows(POLICE.id, "persons", rows)
    assert people(landing, "is_restricted") == [(True,), (False,)]


def test_a_person_without_the_mark_is_set_aside(landing: Landing) -> None:
    """Whether the address may be shown must be said: silence is not a no."""
    landing.rows(POLICE.id, "persons", [nominal("1", address_protected="")])
    (result,) = landing.load()
    assert (result.rows_loaded, result.rows_quarantined) == (0, 1)
    assert landing.query('SELECT "column_name", rule FROM quarantine.rows') == [
        ("address_protected", "required")
    ]


@pytest.mark.parametrize(
    ("table", "column", "value", "rule"),
    [
        ("events", "event_type", "TRAFFIC_STOP", "unknown_code"),
        ("events", "occurred_from", "31/13/2026", "not_a_timestamp"),
        ("links", "role", "DOG_WALKER", "unknown_code"),
        ("missing", "risk_level", "ABSENT", "unknown_code"),
        ("custody", "detention_authorised_at", "", "required"),
    ],
)
def test_a_value_that_a_row_needs_sets_it_aside_with_its_rule(
    landing: Landing, table: str, column: str, value: str, rule: str
) -> None:
    row = sample_row(POLICE, POLICE.by_name[table], 1, **{column: value})
    landing.rows(POLICE.id, table, [row, sample_row(POLICE, POLICE.by_name[table], 2)])
    (result,) = landing.load()
    assert (result.rows_loaded, result.rows_quarantined) == (1, 1)
    assert landing.query("SELECT column_name, rule FROM quarantine.rows") == [(column, rule)]


def test_a_quiet_night_without_people_is_no_fault(landing: Landing) -> None:
    landing.rows(POLICE.id, "persons", [])
    (result,) = landing.load()
    assert (result.status, result.rows_delivered) == ("loaded", 0)
