"""What the pages call things."""

from __future__ import annotations

from ffp_data import feeds
from ffp_data.single_view.child import _plain
from ffp_data.single_view.words import words


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
