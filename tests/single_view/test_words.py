"""What the pages call things."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ffp_data import feeds
from ffp_data.single_view.child import _plain
from ffp_data.single_view.words import dated, words


def test_an_event_is_called_by_words_that_no_agency_has_to_explain() -> None:
    assert _plain("police_ppn_child") == "Police, concern for a child"
    assert _plain("school_transfer") == "School transfer"


def test_words_are_kept_for_no_event_that_nobody_tells() -> None:
    told = {
        event.type
        for contract in feeds.load_contracts().values()
        for table in contract.tables
        for event in table.facts.events
    }
    assert set(words()["event_types"]) <= told


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("plan since 2016-05-04, category: neglect", "plan since 4 May 2016, category: neglect"),
        ("from 2025-12-02 to 2026-01-05", "from 2 December 2025 to 5 January 2026"),
        (date(2026, 3, 31), "31 March 2026"),
        ("2026-11-22T22:21:23.888652Z", "22 November 2026, 22:21:23 UTC"),
        (datetime(2026, 4, 1, 3, 0, tzinfo=UTC), "1 April 2026, 03:00:00 UTC"),
        ("2026-03-31T09:05", "31 March 2026, 09:05 UTC"),
    ],
)
def test_days_and_moments_inside_words_are_said_as_people_read_them(
    value: object, said: str
) -> None:
    assert dated(value) == said


@pytest.mark.parametrize(
    "text",
    ["no day", "DPIA-2025-01", "due on 2026-02-30", "F-2026-03-31", "12026-03-31", "2026-03-311"],
)
def test_what_is_no_day_stays_as_it_stands(text: str) -> None:
    assert dated(text) == text
