"""Random histories of a whole hub: runs, decisions and undos in any order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from ffp_data.hub import Hub, Verdict
from tests.hub.stories import Story, seeded_ids

RECORDS = [f"r{n}" for n in range(8)]
PAIRS = list(combinations(RECORDS, 2))
RUN = st.dictionaries(st.sampled_from(RECORDS), st.sampled_from("pqrs"), min_size=1)
DECISION = st.tuples(st.sampled_from(PAIRS), st.sampled_from(list(Verdict)))
UNDO = st.integers(0, 5)
HISTORY = st.lists(st.one_of(RUN, RUN, DECISION, UNDO), min_size=1, max_size=9)
Step = Mapping[str, str] | tuple[tuple[str, str], Verdict] | int


@contextmanager
def fresh_story() -> Iterator[Story]:
    with Hub.open("sqlite://", seeded_ids()) as hub:
        yield Story(hub)


def line(labels: Mapping[str, str]) -> str:
    return " | ".join(
        " ".join(sorted(r for r, label in labels.items() if label == name))
        for name in sorted(set(labels.values()))
    )


def take(story: Story, step: Step) -> None:
    """One step of a history; decisions and undos that have no object are left out."""
    if isinstance(step, int):
        in_force = [d.decision_id for d in story.hub.decisions() if d.undone_at is None]
        if in_force:
            story.undo(in_force[step % len(in_force)])
    elif isinstance(step, tuple):
        if set(step[0]) <= story.ids().keys():
            story.decide(*step[0], step[1])
    else:
        story.run(line(step), allow_large_change=True)


@settings(max_examples=40)
@given(HISTORY)
def test_no_history_loses_reuses_or_forgets_an_identifier(history: list[Step]) -> None:
    ever: set[str] = set()
    seen: set[str] = set()
    with fresh_story() as story:
        for step in history:
            take(story, step)
            ids = story.ids()
            seen |= set(step) if isinstance(step, Mapping) else set()
            assert ids.keys() == seen
            ever |= set(ids.values())
            living = set(ids.values())
            assert {story.hub.resolve(child) for child in ever} <= living
            assert all(story.hub.resolve(child) == child for child in living)
        for child in ever:
            kinds = [str(event.kind) for event in story.hub.history(child)]
            assert kinds.count("issued") == 1 or kinds[0] == "issued"


@settings(max_examples=25)
@given(HISTORY, RUN)
def test_a_run_repeated_a_day_later_writes_no_event(
    history: list[Step], labels: Mapping[str, str]
) -> None:
    with fresh_story() as story:
        for step in history:
            take(story, step)
        story.run(line(labels), allow_large_change=True)
        ids = story.ids()
        again = story.run(line(labels))
        assert again.unchanged_since is None
        assert set(again.changes.values()) == {0}
        assert story.ids() == ids


@settings(max_examples=25)
@given(HISTORY, RUN, DECISION)
def test_the_undo_of_a_decision_restores_every_identifier(
    history: list[Step], labels: Mapping[str, str], decision: tuple[tuple[str, str], Verdict]
) -> None:
    with fresh_story() as story:
        for step in history:
            take(story, step)
        story.run(line(labels), allow_large_change=True)
        before = story.ids()
        pair, verdict = decision
        if set(pair) <= before.keys():
            number = story.decide(*pair, verdict)
            story.run(line(labels), allow_large_change=True)
            story.undo(number)
            story.run(line(labels), allow_large_change=True)
            assert story.ids() == before


@settings(max_examples=15)
@given(HISTORY)
def test_the_past_stays_what_it_was(history: list[Step]) -> None:
    shown: dict[str, object] = {}
    with fresh_story() as story:
        for step in history:
            take(story, step)
            if isinstance(step, Mapping):
                shown[f"run-{story.runs}"] = story.hub.membership()
        for run_id, membership in shown.items():
            assert story.hub.as_of(run_id) == membership
