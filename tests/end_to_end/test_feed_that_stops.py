"""Feeds that stop: two weeks on two others alone deliver, and each list says what it is not told any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.adoption import Story
from tests.end_to_end.commands import Demo, ffp

pytestmark = pytest.mark.slow

SINCE = {
    "education_attendance": "2026-04-02",
    "health_fhir": "2026-04-04",
    "not_in_school": "2026-04-11",
}
"""Days on which promises ran out (36 hours, 72 hours, 10 days) after the last delivery, on 1 April at 03:00."""


def shown(home: Path, *words: str) -> Any:
    done = ffp("lists", "show", *words, "--json", home=home)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def children(home: Path, list_id: str) -> dict[str, bool]:
    """Who stands on a list, and whether what says so is late."""
    return {each["child_id"]: each["is_late"] for each in shown(home, list_id)["children"]}


def test_a_list_says_which_of_its_feeds_stopped_and_when_their_promise_ran_out(
    demo: Demo, story: Story
) -> None:
    before, after = (shown(home, "not_reached") for home in (demo.home, story.home.root))
    assert {feed["state"] for feed in before["feeds"]} == {"in_time"}
    assert {feed["feed"]: feed["state_in_words"] for feed in after["feeds"]} == {
        feed: f"late since {day}, last delivered on 2026-04-01; nobody is listed for want of it"
        for feed, day in SINCE.items()
    }


def test_nobody_looks_missing_since_a_feed_stopped(demo: Demo, story: Story) -> None:
    assert children(demo.home, "not_reached")
    assert children(story.home.root, "not_reached") == {}


def test_whom_a_stopped_feed_named_stays_listed_with_a_mark(demo: Demo, story: Story) -> None:
    before = children(demo.home, "home_educated")
    assert set(before.values()) == {False}
    kept = before.keys() - {story.old.child_id}  # sealed before the run
    assert children(story.home.root, "home_educated") == dict.fromkeys(kept, True)


def test_lists_of_feeds_that_go_on_stay_in_time(story: Story) -> None:
    states = {row["list_id"]: row["state"] for row in shown(story.home.root)}
    assert (states["referred_again"], states["missing_education"]) == ("in_time", "late")
    checked = ffp("lists", "check", home=story.home.root)
    assert checked.returncode == 1
    assert "late since 2026-04-11" in checked.stderr
