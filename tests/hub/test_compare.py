"""What an assignment would make of the identifiers in use, for the gate of a model."""

from __future__ import annotations

from hypothesis import given

from ffp_data.hub.assignment import assign
from ffp_data.hub.compare import Fate, outlook
from ffp_data.hub.state import Constraints, Facts, Links, Rules, State
from tests.hub.test_assign import decided, found, states
from tests.hub.test_safety import told

KNOWN = State({"a1": "A", "a2": "A", "b1": "B", "c1": "C", "c2": "C"}, {"A": 1, "B": 1, "C": 1})


def fates(clusters: str) -> dict[str, str]:
    """Fates of the three known identifiers if linkage finds these clusters."""
    links = Links({r: str(n) for n, part in enumerate(clusters.split("|")) for r in part.split()})
    found_fates = outlook(KNOWN, assign(KNOWN, links)).fates
    return {child: fate.value for child, fate in found_fates.items()}


def test_identifiers_that_keep_their_records_are_unchanged_whoever_joins_them() -> None:
    assert fates("a1 a2 new | b1 | c1 c2") == dict.fromkeys("ABC", "unchanged")


def test_of_two_that_meet_one_is_merged_and_one_gains() -> None:
    assert fates("a1 a2 b1 | c1 c2") == {"A": "gained", "B": "merged", "C": "unchanged"}


def test_one_that_loses_records_and_lives_on_is_split() -> None:
    assert fates("a1 | a2 | b1 | c1 c2") == {"A": "split", "B": "unchanged", "C": "unchanged"}
    assert fates("a1 | a2 b1 | c1 c2") == {"A": "split", "B": "gained", "C": "unchanged"}


def test_identifiers_whose_records_do_not_come_have_no_fate() -> None:
    assert fates("a1 a2") == {"A": "unchanged"}


def test_a_new_group_is_issued_and_what_both_models_change_alike_is_left_out() -> None:
    links = Links({"a1": "x", "a2": "y", "b1": "z", "c1": "w", "c2": "w"})
    split = outlook(KNOWN, assign(KNOWN, links))
    assert split.issued == {("a2",)}
    assert split.beyond(split).issued == frozenset()
    assert set(split.beyond(split).fates.values()) == {Fate.UNCHANGED}


@given(states(), found(), decided(), told())
def test_every_identifier_with_records_has_one_fate_and_changes_only_as_the_hub_counts_them(
    state: State, links: Links, constraints: Constraints, facts: Facts
) -> None:
    assignment = assign(state, links, constraints, Rules(), facts)
    seen = outlook(state, assignment)
    assert seen.fates.keys() == {state.members[r] for r in links.clusters if r in state.members}
    losing = {c for c, fate in seen.fates.items() if fate in {Fate.MERGED, Fate.SPLIT}}
    assert losing == assignment.changed_identifiers(state)
    issued = {group.records for group in assignment.groups if group.child_id is None}
    assert seen.issued == issued
