"""An officer's and two reviewers' journeys in a real browser, on the demonstration."""

from __future__ import annotations

import re

import pytest

from tests.end_to_end.looker import Looker

pytestmark = pytest.mark.slow
_MOST_WAITS = 8


def test_an_officer_follows_a_column_to_its_agreement_and_sees_what_its_end_would_take(
    looker: Looker,
) -> None:
    tab = looker.tab
    looker.sign_in("family-help")
    looker.open(tab.locator("table a").first)
    child_id = tab.url.rsplit("/", 1)[1]
    looker.press("Sign out")
    looker.sign_in("ig-officer")
    looker.follow("Where a column comes from")
    tab.get_by_label("Column of a published table").select_option("single_view.flags.facts")
    looker.press("Show")
    assert tab.locator("svg path").count() > 20
    looker.look()
    looker.open(tab.locator("#sources ~ .hub-scroll a", has_text="DSA-POL-01").first)
    assert "What rests on it" in looker.words
    looker.look(1280)
    looker.follow("See what would go if it ended")
    looker.press("Work it out")
    looker.look(1280)
    for _ in range(_MOST_WAITS):
        if "is being worked out" not in looker.words:
            break
        looker.follow("Show the answer as soon as it is there")
    assert re.search(r"\d+ records and [\d,]+ compared pairs go", looker.words)
    assert "Columns that lose their agreement" in looker.words
    looker.look()
    looker.follow("Explain a value")
    tab.get_by_label("The child's identifier").fill(child_id)
    tab.get_by_label("Which value").fill("date_of_birth")
    looker.press("Explain")
    assert re.search(r"line \d+", looker.words)
    looker.look()
    looker.follow("Access log")
    tab.get_by_label("The child's identifier").fill(child_id)
    looker.press("Who looked")
    assert "Georgie Kemble (made up), family-help" in looker.words
    assert "attribute: children.date of birth" in looker.words
    looker.look()


def test_a_reviewer_sees_the_records_around_a_pair_after_the_verdict_and_goes_on_where_they_stopped(
    looker: Looker,
) -> None:
    tab = looker.tab
    looker.sign_in("second-reviewer")
    looker.follow("Clashes")
    looker.open(tab.locator("table a").first)
    pair = tab.url
    assert tab.locator("svg").count() == 0
    tab.get_by_label("Not the same person").check()
    tab.get_by_label("Why, in words").fill("two children, one number typed wrongly")
    looker.press("Write my verdict down")
    around = tab.locator('svg[aria-label*="records and"]')
    assert around.locator("circle").count() >= 2
    rows = tab.locator("#graph ~ .hub-scroll tbody tr")
    assert rows.count() >= around.locator('line:not([stroke="#ffdd00"])').count() >= 1
    looker.look()
    tab.goto(pair)
    assert tab.url == f"{pair}/evidence"
    looker.press("I stand by my first verdict")
    assert "Decision" in looker.words
    looker.follow("Go to the queue")
    looker.follow("Figures")
    # Others review in the same home: how many decided is theirs to say, too.
    assert re.search(r"[1-9]\d* of [1-9]\d* \(\d+ %\)", looker.words)
    looker.look(1280)
