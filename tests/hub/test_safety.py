"""Safety for children in the assignment, each rule told as a story, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.hub import EventKind, Facts, RunSummary, Verdict
from ffp_data.hub.assignment import assign
from ffp_data.hub.grouping import group_records
from ffp_data.hub.safety import (
    MERGE_OF_KNOWN,
    MERGE_OF_NUMBERS,
    ONE_NUMBER,
    TWO_NUMBERS,
    _origins,
)
from ffp_data.hub.state import Constraints, Links, Rules, State
from tests.hub.stories import Story
from tests.hub.test_assign import PAIRS, RECORDS, decided, found, states


def reasons(summary: RunSummary) -> list[tuple[str, str, str]]:
    return [(clash.left, clash.right, clash.reason) for clash in summary.clashes]


def numbers(**of: str) -> Facts:
    return Facts(numbers=of)


def merged(*pairs: str, **more: Any) -> Facts:
    return Facts(merged=frozenset(tuple(p.split()) for p in pairs), **more)  # type: ignore[misc]


def test_two_nhs_numbers_are_not_one_child_even_where_linkage_says_so(story: Story) -> None:
    """A cluster of a model without a veto: the records part along their numbers."""
    told = numbers(gp="9990000018", midwife="9990000018", school="9990000026")
    story.run("gp midwife school", {"gp midwife": 0.99, "midwife school": 0.97}, facts=told)
    assert story.together() == "gp midwife | school"


def test_a_record_without_a_number_follows_its_strongest_pair_out_of_two_numbers(
    story: Story,
) -> None:
    told = numbers(gp="9990000018", school="9990000026")
    story.run("gp police school", {"gp police": 0.96, "police school": 0.99}, facts=told)
    assert story.together() == "gp | police school"


def test_a_reviewer_may_join_two_numbers_and_the_clash_stays_on_the_list(story: Story) -> None:
    told = numbers(gp="9990000018", school="9990000026")
    story.run("gp | school", facts=told)
    story.decide("gp", "school", Verdict.SAME)
    summary = story.run("gp school", facts=told)
    assert story.together() == "gp school"
    assert reasons(summary) == [("gp", "school", TWO_NUMBERS)]


def test_a_corrected_number_parts_what_a_middling_pair_would_have_held(story: Story) -> None:
    """Join high, break lower, but never across two numbers."""
    story.run("gp school", {"gp school": 0.97})
    told = numbers(gp="9990000018", school="9990000026")
    story.run("gp | school", {"gp school": 0.8}, facts=told)
    assert story.together() == "gp | school"


def test_one_nhs_number_on_two_children_is_listed_and_joins_nobody(story: Story) -> None:
    told = numbers(twin1="9990000018", twin2="9990000018", twin1gp="9990000018")
    summary = story.run("twin1 twin1gp | twin2", facts=told)
    assert story.together() == "twin1 twin1gp | twin2"
    assert reasons(summary) == [("twin1", "twin2", ONE_NUMBER)]


def test_records_that_their_sender_merged_are_one_child(story: Story) -> None:
    story.run("old | new", facts=merged("new old"))
    assert story.together() == "new old"


def test_a_new_record_merged_into_a_known_one_joins_it_by_its_senders_word(story: Story) -> None:
    story.run("old")
    child = story.ids()["old"]
    story.run("old | new", facts=merged("new old"))
    assert story.ids()["new"] == child
    joined = story.hub.history(child)[-1]
    assert (joined.kind, joined.reason) == (EventKind.JOINED, "sender")


def test_a_senders_merge_never_joins_two_known_children(story: Story) -> None:
    """The police merge two of their records; the hub knows them as two children: somebody must look."""
    story.run("ann1 ann2 | bob1")
    before = story.ids()
    for _ in range(2):
        summary = story.run("ann1 ann2 | bob1", facts=merged("ann1 bob1"))
        assert story.ids() == before
        assert summary.unchanged_since or reasons(summary) == [("ann1", "bob1", MERGE_OF_KNOWN)]


def test_nor_does_a_merge_with_a_new_record_that_evidence_ties_to_another_child(
    story: Story,
) -> None:
    story.run("ann1 | bob1")
    before = story.ids()
    summary = story.run("ann1 | bob1 new", {"bob1 new": 0.99}, facts=merged("ann1 new"))
    assert story.ids() == {**before, "new": before["bob1"]}
    assert reasons(summary) == [("ann1", "new", MERGE_OF_KNOWN)]


def test_nor_do_two_merges_one_after_the_other(story: Story) -> None:
    story.run("ann1 | bob1")
    before = story.ids()
    summary = story.run("ann1 | bob1 | new", facts=merged("ann1 new", "bob1 new"))
    assert story.ids() == {**before, "new": before["ann1"]}
    assert reasons(summary) == [("bob1", "new", MERGE_OF_KNOWN)]


def test_a_reviewer_settles_a_merge_that_waits(story: Story) -> None:
    story.run("ann1 | bob1")
    senior = min(story.ids().values())
    story.run("ann1 | bob1", facts=merged("ann1 bob1"))
    decision = story.decide("ann1", "bob1", Verdict.SAME)
    story.run("ann1 bob1", facts=merged("ann1 bob1"))
    assert set(story.ids().values()) == {senior}
    story.undo(decision)
    summary = story.run("ann1 | bob1", facts=merged("ann1 bob1"))
    assert story.together() == "ann1 | bob1"
    assert reasons(summary) == [("ann1", "bob1", MERGE_OF_KNOWN)]


def test_a_merge_of_records_with_two_nhs_numbers_waits_for_a_reviewer(story: Story) -> None:
    told = merged("new old", numbers={"new": "9990000018", "old": "9990000026"})
    summary = story.run("new | old", facts=told)
    assert story.together() == "new | old"
    assert reasons(summary) == [("new", "old", MERGE_OF_NUMBERS)]


@pytest.mark.control("D05")
def test_a_correction_is_an_event_that_names_fields_and_never_values(story: Story) -> None:
    story.run("gp school")
    child = story.ids()["gp"]
    told = Facts(corrected={"gp": ("date_of_birth", "nhs_number")}, content="second")
    summary = story.run("gp school", facts=told)
    assert summary.changes["corrected"] == 1
    event = story.hub.history(child)[-1]
    assert (event.kind, event.child_id, event.reason) == (EventKind.CORRECTED, child, "sender")
    assert event.evidence == {"records": ["gp"], "fields": ["date_of_birth", "nhs_number"]}
    assert event.model_version == "model-1"


def test_a_corrected_record_that_leaves_its_identifier_is_told_by_the_split_alone(
    story: Story,
) -> None:
    story.run("gp school")
    told = Facts(corrected={"school": ("nhs_number",)}, content="second")
    summary = story.run("gp | school", facts=told)
    assert (summary.changes["split"], summary.changes["corrected"]) == (1, 0)


def test_the_expected_child_keeps_the_identifier_when_born(story: Story) -> None:
    """The unborn child's record was there first, so a merge with the newborn's keeps its identifier."""
    story.run("unborn | mother")
    expected = story.ids()["unborn"]
    story.run("unborn | mother | born")
    story.run("born unborn | mother", {"born unborn": 0.98})
    assert story.ids()["born"] == story.ids()["unborn"] == expected


@st.composite
def told(draw: st.DrawFn) -> Facts:
    carried = draw(st.dictionaries(st.sampled_from(RECORDS), st.sampled_from("12"), max_size=6))
    return Facts(carried, draw(st.frozensets(st.sampled_from(PAIRS), max_size=4)))


def _shuffled(state: State, links: Links) -> Links:
    clusters = dict(reversed(list(links.clusters.items())))
    return Links(clusters, tuple(reversed(links.pairs)))


@given(states(), found(), decided(), told())
def test_no_group_carries_two_numbers_unless_a_reviewer_said_same_in_it(
    state: State, links: Links, constraints: Constraints, facts: Facts
) -> None:
    grouping = group_records(state, links, constraints, Rules(), facts)
    assert sorted(r for g in grouping.groups for r in g) == sorted(links.clusters)
    clashes = {(c.left, c.right) for c in grouping.clashes if c.reason == TWO_NUMBERS}
    for group in grouping.groups:
        carried = {facts.numbers[r] for r in group if r in facts.numbers}
        if len(carried) > 1:
            assert any(set(pair) <= set(group) for pair in constraints.same) or clashes
            assert any(left in group for left, _ in clashes)


@given(states(), found(), decided(), told())
def test_no_order_of_input_changes_what_facts_do(
    state: State, links: Links, constraints: Constraints, facts: Facts
) -> None:
    turned = Facts(dict(reversed(list(facts.numbers.items()))), frozenset(sorted(facts.merged)))
    again = assign(state, _shuffled(state, links), constraints, Rules(), turned)
    assert again == assign(state, links, constraints, Rules(), facts)


@given(states(), found(), told())
def test_a_senders_merge_alone_never_brings_two_known_identifiers_together(
    state: State, links: Links, facts: Facts
) -> None:
    without = Facts(facts.numbers)
    before = group_records(state, links, Constraints(), Rules(), without).groups
    after = group_records(state, links, Constraints(), Rules(), facts).groups

    origin = _origins(state)

    def known(group: tuple[str, ...]) -> frozenset[str]:
        return frozenset(origin[r] for r in group if r in origin)

    most = {record: len(known(group)) for group in before for record in group}
    for group in after:
        assert len(known(group)) <= max(1, *(most[r] for r in group), 1)
