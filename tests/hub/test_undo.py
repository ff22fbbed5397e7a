"""The undo of a decision restores every identifier, whatever the decision had led to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ffp_data.hub import Hub, Verdict
from tests.hub.stories import Story, export, seeded_ids

RECORDS = [f"r{n}" for n in range(8)]
PAIRS = list(combinations(RECORDS, 2))
RUN = st.dictionaries(st.sampled_from(RECORDS), st.sampled_from("pqrs"), min_size=1)
DECISION = st.tuples(st.sampled_from(PAIRS), st.sampled_from(list(Verdict)))
SCORES = st.dictionaries(
    st.sampled_from([" ".join(pair) for pair in PAIRS]),
    st.sampled_from([0.2, 0.6, 0.8, 0.97]),
    max_size=6,
)
DELIVERY = st.tuples(RUN, SCORES)
Delivery = tuple[Mapping[str, str], Mapping[str, float]]


@contextmanager
def fresh_story() -> Iterator[Story]:
    with Hub.open("sqlite://", seeded_ids()) as hub:
        yield Story(hub)


def line(labels: Mapping[str, str]) -> str:
    return " | ".join(
        " ".join(sorted(r for r, label in labels.items() if label == name))
        for name in sorted(set(labels.values()))
    )


def deliver(story: Story, delivery: Delivery) -> None:
    labels, scores = delivery
    inside = {key: share for key, share in scores.items() if set(key.split()) <= labels.keys()}
    story.run(line(labels), inside, allow_large_change=True)


def exported(story: Story, path: Path) -> bytes:
    export(story.hub, path)
    return path.read_bytes()


@pytest.mark.control("B12")
@pytest.mark.parametrize("verdict", [Verdict.SAME, Verdict.NOT_SAME])
@pytest.mark.parametrize("between", [1, 3])
def test_after_undo_and_run_the_export_is_byte_for_byte_what_it_was(
    story: Story, tmp_path: Path, verdict: Verdict, between: int
) -> None:
    story.run("ann1 ann2 | bob1 bob2 | cat1", {"ann1 ann2": 0.99, "ann2 bob1": 0.6})
    # A doubtful pair in either state: apart below the joining threshold, together above the breaking one.
    story.run("ann1 | ann2 | bob1 bob2 | cat1", {"ann1 ann2": 0.7, "ann2 bob1": 0.6})
    before = exported(story, tmp_path / "before.csv")
    pair = ("ann2", "bob1") if verdict == Verdict.SAME else ("ann1", "ann2")
    decision = story.decide(*pair, verdict)
    for _ in range(between):
        story.run("ann1 | ann2 | bob1 bob2 | cat1", {"ann1 ann2": 0.7, "ann2 bob1": 0.6})
    assert exported(story, tmp_path / "decided.csv") != before
    story.undo(decision)
    story.run("ann1 | ann2 | bob1 bob2 | cat1", {"ann1 ann2": 0.7, "ann2 bob1": 0.6})
    assert exported(story, tmp_path / "after.csv") == before


def test_records_that_came_since_stay_and_follow_those_they_came_to(
    story: Story, tmp_path: Path
) -> None:
    doubtful = {"ann1 bob1": 0.6}
    story.run("ann1 | bob1", doubtful)
    before = story.ids()
    decision = story.decide("ann1", "bob1", Verdict.SAME)
    story.run("ann1 | bob1", doubtful)
    story.run("aaa ann1 | bob1 zed", {**doubtful, "aaa ann1": 0.98, "bob1 zed": 0.98})
    assert story.together() == "aaa ann1 bob1 zed"
    story.undo(decision)
    story.run("aaa ann1 | bob1 zed", {**doubtful, "aaa ann1": 0.98, "bob1 zed": 0.98})
    after = story.ids()
    assert story.together() == "aaa ann1 | bob1 zed"
    assert {record: after[record] for record in before} == before


def test_an_undo_waits_for_a_run_that_brings_both_records(story: Story) -> None:
    doubtful = {"ann1 bob1": 0.6}
    story.run("ann1 | bob1", doubtful)
    before = story.ids()
    decision = story.decide("ann1", "bob1", Verdict.SAME)
    story.run("ann1 | bob1", doubtful)
    story.undo(decision)
    story.run("ann1")
    assert story.together() == "ann1 bob1"
    story.run("ann1 | bob1", doubtful)
    assert story.ids() == before


def test_what_linkage_has_joined_meanwhile_stays_joined(story: Story) -> None:
    story.run("ann1 | bob1 | cat1", {"ann1 bob1": 0.6})
    decision = story.decide("ann1", "bob1", Verdict.SAME)
    story.run("ann1 | bob1 | cat1", {"ann1 bob1": 0.6})
    story.run("ann1 bob1 cat1", {"ann1 bob1": 0.99, "bob1 cat1": 0.99})
    joined = story.ids()
    story.undo(decision)
    story.run("ann1 bob1 cat1", {"ann1 bob1": 0.99, "bob1 cat1": 0.99})
    assert story.together() == "ann1 bob1 cat1"
    assert story.ids() == joined


def test_an_undo_before_the_next_run_leaves_no_trace_on_identifiers(story: Story) -> None:
    doubtful = {"ann1 bob1": 0.6}
    story.run("ann1 | bob1", doubtful)
    before = story.ids()
    story.undo(story.decide("ann1", "bob1", Verdict.SAME))
    story.run("ann1 | bob1", doubtful)
    assert story.ids() == before


@settings(max_examples=10)
@given(st.lists(DELIVERY, min_size=1, max_size=4), DECISION, st.integers(1, 3))
def test_no_history_keeps_a_decision_from_being_undone_without_a_rest(
    history: list[Delivery], decision: tuple[tuple[str, str], Verdict], between: int
) -> None:
    with fresh_story() as story:
        for delivery in [*history, history[-1]]:
            deliver(story, delivery)
        before = story.ids()
        assume(set(decision[0]) <= history[-1][0].keys())
        number = story.decide(*decision[0], decision[1])
        for _ in range(between):
            deliver(story, history[-1])
        story.undo(number)
        deliver(story, history[-1])
        assert story.ids() == before


@settings(max_examples=10)
@given(DELIVERY, DECISION, st.lists(DELIVERY, min_size=1, max_size=2))
def test_with_other_deliveries_between_the_outcome_is_that_of_a_hub_without_the_decision(
    first: Delivery, decision: tuple[tuple[str, str], Verdict], between: list[Delivery]
) -> None:
    whole = dict.fromkeys(RECORDS, "p") | dict(first[0])
    with fresh_story() as story, fresh_story() as twin:
        for hub in (story, twin):
            deliver(hub, (whole, first[1]))
        number = story.decide(*decision[0], decision[1])
        for labels, scores in between:
            for hub in (story, twin):
                deliver(hub, (whole | dict(labels), scores))
        story.undo(number)
        for hub in (story, twin):
            deliver(hub, (whole, first[1]))
        assert story.together() == twin.together()


@settings(max_examples=10)
@given(DELIVERY, DECISION, DECISION, st.booleans(), st.integers(1, 2))
def test_the_undo_of_one_decision_leaves_what_others_did(
    first: Delivery,
    undone: tuple[tuple[str, str], Verdict],
    kept: tuple[tuple[str, str], Verdict],
    is_first: bool,
    between: int,
) -> None:
    assume(undone[0] != kept[0])
    whole = (dict.fromkeys(RECORDS, "p") | dict(first[0]), first[1])
    with fresh_story() as story, fresh_story() as twin:
        for hub in (story, twin):
            deliver(hub, whole)
        order = [undone, kept] if is_first else [kept, undone]
        numbers = {pair: story.decide(*pair, verdict) for pair, verdict in order}
        twin.decide(*kept[0], kept[1])
        for _ in range(between):
            for hub in (story, twin):
                deliver(hub, whole)
        story.undo(numbers[undone[0]])
        for hub in (story, twin):
            deliver(hub, whole)
        assert story.together() == twin.together()
