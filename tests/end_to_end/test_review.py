"""Reviewers find the doubtful links of a run, and what they read gives nobody's place away."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ffp_data.pipeline.review_desk import read_queue
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from tests.end_to_end.commands import Demo, ffp

pytestmark = pytest.mark.slow

_HIDDEN = """
SELECT DISTINCT unnest([p.address_line, p.postcode, p.uprn, p.phone, p.email, p.upn]) AS place
FROM identity.person_records p JOIN identity.child_membership m USING (record_key)
WHERE m.child_id IN (
    SELECT child_id FROM identity.child_membership JOIN identity.person_records USING (record_key)
    WHERE is_restricted
    UNION SELECT child_id FROM single_view.children WHERE is_restricted
)
"""


def _json(demo: Demo, *command: str) -> Any:
    done = ffp("hub", *command, "--home", demo.home, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_leaves_a_queue_whose_places_are_told_in_words(demo: Demo) -> None:
    queue = read_queue(Home(demo.home))
    assert queue
    assert [item.place for item in queue] == list(range(1, len(queue) + 1))
    assert any(item.words for item in queue)
    for item in queue:
        must_agree = any("plan" in words or "located" in words for words in item.words)
        assert item.readers == (2 if must_agree else 1)


def test_what_reviewers_read_holds_no_place_of_a_protected_person(demo: Demo) -> None:
    home = Home(demo.home)
    with connect(home, read_only=True) as con:
        hidden = {place for (place,) in con.execute(_HIDDEN).fetchall() if place}
    assert hidden, "the made-up partnership has people who must not be located"
    for item in read_queue(home):
        if any("located" in words for words in item.words):
            shown = json.dumps([item.sheet, item.evidence], ensure_ascii=False)
            assert not [place for place in hidden if place in shown]


def test_a_reviewer_works_a_pair_from_the_queue_to_a_decision_and_takes_it_back(demo: Demo) -> None:
    before = _json(demo, "review-report")["undone"]
    first = next(w for w in _json(demo, "queue") if w["standing"] == "waits for a reviewer")
    item = str(first["item"])
    sheet = _json(demo, "show", item, "--as", "ann")
    assert not {"weight", "probability", "reasons"} & sheet.keys()
    told = _json(demo, "decide", item, "cant_tell", "--reason", "too little", "--as", "ann")
    assert told["evidence"]["reasons"]
    decision = _json(demo, "confirm", item, "--as", "ann")["decision"]
    assert item not in {str(w["item"]) for w in _json(demo, "queue")}
    undone = ffp("hub", "undo", decision, "--reason", "a test", "--as", "ben", "--home", demo.home)
    assert undone.returncode == 0, undone.stderr
    assert _json(demo, "review-report")["undone"] == before + 1
