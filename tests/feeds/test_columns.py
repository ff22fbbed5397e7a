"""What each type accepts, through the very SQL that loads a feed."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffp_data import feeds
from ffp_data.feeds.columns import column
from tests.feeds.conftest import CONTRACTS

EDUCATION = CONTRACTS["education_attendance"]
CASES = CONTRACTS["case_system"]
CON = duckdb.connect(config={"threads": "1"})


def typed(
    contract: feeds.Contract, table: str, name: str, text: str | None
) -> tuple[Any, str | None]:
    """Value of `text` in that column, and the rule that it breaks."""
    one = column(contract, contract.by_name[table].by_name[name], "sent")
    sql = (
        f"SELECT v_{name}, CASE WHEN {one.fault} THEN {one.rule} END"
        f" FROM (SELECT *, {one.value} AS v_{name} FROM (SELECT {one.text} AS t_{name}"
        " FROM (SELECT ?::VARCHAR AS sent)))"
    )
    row = CON.execute(sql, [text]).fetchone()
    assert row is not None
    return row


DATES = {
    "2025-09-03": date(2025, 9, 3),
    "03/09/2025": date(2025, 9, 3),
    "20250903": date(2025, 9, 3),
    " 2025-09-03 ": date(2025, 9, 3),
    "2025-09-03T00:00:00Z": date(2025, 9, 3),
    "2025-09-03 23:30:00.123": date(2025, 9, 3),
    "2025-09-03T23:30:00+01:00": date(2025, 9, 3),
    "0026-03-01": None,
    "26-03-01": None,
    "2025-02-30": None,
    "2025-13-01": None,
    "2025-09-03 soon": None,
    "2025-09-03T25": None,
    "tomorrow": None,
    "9999-12-31": None,
    "45902": None,
}


@pytest.mark.parametrize(("text", "expected"), DATES.items())
def test_dates(text: str, expected: date | None) -> None:
    value, rule = typed(EDUCATION, "pupils", "admission_date", text)
    assert (value, rule) == (expected, None if expected else "not_a_date")


TIMES = {
    "2026-03-31T15:30:00Z": "2026-03-31 15:30:00",
    "2026-07-01T15:30:00+01:00": "2026-07-01 14:30:00",
    "2026-07-01T15:30:00+0100": "2026-07-01 14:30:00",
    "2026-03-31 15:30:00": "2026-03-31 15:30:00",
    "31/03/2026 15:30": "2026-03-31 15:30:00",
    "0026-03-31T15:30:00Z": None,
    "epoch": None,
    "15:30": None,
}


@pytest.mark.parametrize(("text", "expected"), TIMES.items())
def test_instants_are_utc_where_the_zone_is_said(text: str, expected: str | None) -> None:
    value, rule = typed(EDUCATION, "marks", "last_changed_at", text)
    assert (value and str(value), rule) == (expected, None if expected else "not_a_timestamp")


@pytest.mark.parametrize("text", ["1.5", "1e5", "１", "0x1", "", "--1", "9" * 19])
def test_numbers_that_are_not_whole_digits_are_no_integers(text: str) -> None:
    value, rule = typed(EDUCATION, "marks", "minutes_late", text)
    assert value is None
    assert rule == ("not_an_integer" if text else None)


@pytest.mark.parametrize("text", ["1", "true", "Yes", "Y", "T"])
def test_words_for_true(text: str) -> None:
    assert typed(EDUCATION, "pupils", "fsm_eligible", text) == (True, None)


@pytest.mark.parametrize("text", ["0", "FALSE", "no", "n"])
def test_words_for_false(text: str) -> None:
    assert typed(EDUCATION, "pupils", "fsm_eligible", text) == (False, None)


def test_a_code_in_other_letters_is_spelt_as_the_list_has_it() -> None:
    assert typed(EDUCATION, "pupils", "ethnicity", "wbri") == ("WBRI", None)
    assert typed(EDUCATION, "pupils", "ethnicity", "WXYZ") == (None, "unknown_code")


@pytest.mark.parametrize(
    "text", ["SSD_PH", "PLACEHOLDER_DATA", "1900-01-01", "1900-01-01 00:00:00.000", None, "  "]
)
def test_placeholders_are_nothing_and_no_fault(text: str | None) -> None:
    assert typed(CASES, "ssd_person", "pers_death_date", text) == (None, None)


def test_a_required_value_that_is_a_placeholder_is_missing() -> None:
    assert typed(CASES, "ssd_person", "pers_surname", "SSD_PH") == (None, "required")


def test_a_pattern_holds_for_the_whole_value() -> None:
    assert typed(EDUCATION, "pupils", "school_urn", "100001") == ("100001", None)
    assert typed(EDUCATION, "pupils", "school_urn", "1000012") == (None, "pattern")


def test_json_that_is_none_is_set_aside() -> None:
    column_name = "cine_referral_outcome_json"
    broken = '{"COMMENTS": "he said "no""}'
    assert typed(CASES, "ssd_cin_episodes", column_name, '{"A": 1}') == ('{"A": 1}', None)
    assert typed(CASES, "ssd_cin_episodes", column_name, broken) == (None, "invalid_json")


@pytest.mark.control("D08")
@settings(max_examples=30, deadline=None)
@given(st.text(max_size=12))
def test_no_text_can_break_the_sql(text: str) -> None:
    value, rule = typed(EDUCATION, "pupils", "admission_date", text)
    assert (value is None) == (rule is not None)
