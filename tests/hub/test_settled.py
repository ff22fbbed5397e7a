"""Leaving out what is settled changes nothing of what a run writes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ffp_data.hub.assignment import assign
from ffp_data.hub.plan import Plan, make_plan
from ffp_data.hub.settled import without_settled
from ffp_data.hub.state import Constraints, Facts, Links, Rules, State
from tests.hub.test_assign import PAIRS, RECORDS, decided, found, states

NUMBERS = st.dictionaries(st.sampled_from(RECORDS), st.sampled_from(["n1", "n2", "n3"]), max_size=4)


@st.composite
def told(draw: st.DrawFn) -> Facts:
    merged = draw(st.frozensets(st.sampled_from(PAIRS), max_size=2))
    corrected = draw(st.dictionaries(st.sampled_from(RECORDS), st.just(("surname",)), max_size=2))
    return Facts(draw(NUMBERS), merged, corrected)


def outcome(state: State, links: Links, constraints: Constraints, facts: Facts) -> tuple[Any, ...]:
    """What a run would write, list and refuse on."""
    assignment = assign(state, links, constraints, Rules(), facts)
    new = [f"new{n}" for n in range(sum(g.child_id is None for g in assignment.groups))]
    plan: Plan = make_plan(state, links, constraints, assignment, new, facts)
    return plan, assignment.clashes, assignment.changed_identifiers(state)


@settings(max_examples=300)
@given(states(), found(), decided(), told())
def test_a_run_without_the_settled_clusters_comes_to_the_same(
    state: State, links: Links, constraints: Constraints, facts: Facts
) -> None:
    part = without_settled(state, links, constraints, facts)
    assert outcome(state, part, constraints, facts) == outcome(state, links, constraints, facts)


def test_what_was_together_and_is_so_again_is_left_out() -> None:
    state = State({"a": "A", "b": "A", "c": "C", "x": "X"}, dict.fromkeys("ACX", 1))
    links = Links({"a": "p", "b": "p", "c": "q", "new": "q", "x": "s"})
    assert without_settled(state, links, Constraints(), Facts()).clusters == {"c": "c", "new": "c"}


def test_one_number_in_two_clusters_keeps_both() -> None:
    state = State({"a": "A", "c": "C", "x": "X"}, dict.fromkeys("ACX", 1))
    links = Links({"a": "p", "c": "q", "x": "s"})
    facts = Facts(numbers={"a": "9990000018", "x": "9990000018"})
    assert without_settled(state, links, Constraints(), facts).clusters.keys() == {"a", "x"}
