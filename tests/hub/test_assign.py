"""Assignment as a pure function: properties over random states, clusters and decisions."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.hub.assignment import Assignment, assign
from ffp_data.hub.grouping import group_records
from ffp_data.hub.plan import link_confidence, make_plan
from ffp_data.hub.state import Constraints, Links, Pair, Retired, Rules, State, input_digest
from tests.hub.stories import AS_AT

RECORDS = [f"r{n}" for n in range(10)]
PAIRS = list(itertools.combinations(RECORDS, 2))


@st.composite
def states(draw: st.DrawFn) -> State:
    """Some records known under one of five identifiers, two of which may have retired."""
    members = draw(st.dictionaries(st.sampled_from(RECORDS), st.sampled_from("ABCDE")))
    issued = {child: draw(st.integers(1, 3)) for child in "ABCDE"}
    gone = [child for child in "DE" if child not in members.values()]
    retired = {
        child: Retired(
            draw(st.sampled_from("ABC")),
            draw(st.integers(2, 4)),
            draw(st.frozensets(st.sampled_from(RECORDS))),
            draw(st.frozensets(st.sampled_from(RECORDS))),
        )
        for child in gone
    }
    return State(members, issued, retired)


@st.composite
def found(draw: st.DrawFn) -> Links:
    clusters = draw(st.dictionaries(st.sampled_from(RECORDS), st.sampled_from("pqrst"), min_size=1))
    scored = draw(st.dictionaries(st.sampled_from(PAIRS), st.integers(-5, 12), max_size=15))
    pairs = (
        Pair(left, right, float(weight), 2**weight / (1 + 2**weight), "x" if weight == 3 else "")
        for (left, right), weight in scored.items()
        if left in clusters and right in clusters
    )
    return Links(clusters, tuple(pairs))


@st.composite
def decided(draw: st.DrawFn) -> Constraints:
    verdicts = draw(st.dictionaries(st.sampled_from(PAIRS), st.booleans(), max_size=4))
    return Constraints(
        frozenset(pair for pair, same in verdicts.items() if same),
        frozenset(pair for pair, same in verdicts.items() if not same),
    )


def shuffled(
    seed: int, state: State, links: Links, constraints: Constraints
) -> tuple[State, Links, Constraints]:
    """The same facts in another order, with other cluster names."""
    source = random.Random(seed)

    def mix(mapping: Mapping[str, Any]) -> dict[str, Any]:
        items = list(mapping.items())
        source.shuffle(items)
        return dict(items)

    names = dict(zip("pqrst", source.sample("vwxyz", 5), strict=True))
    clusters = {record: names[cluster] for record, cluster in mix(links.clusters).items()}
    pairs = source.sample(links.pairs, len(links.pairs))
    return (
        State(mix(state.members), mix(state.issued), mix(state.retired)),
        Links(clusters, tuple(pairs)),
        Constraints(
            frozenset(source.sample(sorted(constraints.same), len(constraints.same))),
            frozenset(source.sample(sorted(constraints.not_same), len(constraints.not_same))),
        ),
    )


def resulting(state: State, assignment: Assignment) -> dict[str, str]:
    """Each record's identifier afterwards; new ones are n0, n1, …"""
    count = sum(group.child_id is None for group in assignment.groups)
    plan = make_plan(state, Links({}), Constraints(), assignment, [f"n{n}" for n in range(count)])
    return {**state.members, **{place.record_key: place.child_id for place in plan.places}}


@given(states(), found(), decided(), st.integers(0, 99))
def test_no_order_of_the_input_changes_anything(
    state: State, links: Links, constraints: Constraints, seed: int
) -> None:
    facts = (state, links, constraints)
    mixed = shuffled(seed, *facts)
    first, second = assign(*facts), assign(*mixed)
    assert first == second
    new_ids = [f"n{n}" for n in range(sum(g.child_id is None for g in first.groups))]
    plans = [make_plan(*f, assign(*f), new_ids) for f in (facts, mixed)]
    assert sorted(plans[0].places, key=str) == sorted(plans[1].places, key=str)
    assert plans[0].events == plans[1].events
    digests = {input_digest(AS_AT, "m", links, c, Rules()) for _, links, c in (facts, mixed)}
    assert len(digests) == 1


@given(states(), found(), decided())
def test_every_record_has_one_group_and_every_group_one_identifier(
    state: State, links: Links, constraints: Constraints
) -> None:
    assignment = assign(state, links, constraints)
    records = [record for group in assignment.groups for record in group.records]
    assert sorted(records) == sorted(links.clusters)
    names = [group.child_id for group in assignment.groups if group.child_id]
    assert len(names) == len(set(names))
    assert set(names) <= state.issued.keys()


@given(states(), found(), decided())
def test_no_identifier_is_lost(state: State, links: Links, constraints: Constraints) -> None:
    """Whoever held a record of this run holds one now, or leads to somebody who does."""
    assignment = assign(state, links, constraints)
    holders = {group.child_id for group in assignment.groups}
    for record, child_id in state.members.items():
        if record in links.clusters:
            assert (child_id in holders) != (child_id in assignment.retired)
    untouched = state.members.keys() - links.clusters.keys()
    after = resulting(state, assignment)
    for record in untouched:
        before = state.members[record]
        moved = before in assignment.retired or assignment.restored or assignment.redirected
        assert after[record] == before or moved


@given(states(), found(), decided())
def test_retired_identifiers_always_lead_to_a_living_one(
    state: State, links: Links, constraints: Constraints
) -> None:
    assignment = assign(state, links, constraints)
    new_ids = [f"n{n}" for n in range(sum(g.child_id is None for g in assignment.groups))]
    plan = make_plan(state, links, constraints, assignment, new_ids)
    successor = {child: gone.replaced_by for child, gone in state.retired.items()}
    successor |= {**plan.retired, **plan.redirected}
    for child in plan.restored:
        del successor[child]
    for first in successor:
        child, steps = first, 0
        while child in successor:
            child, steps = successor[child], steps + 1
            assert steps <= len(successor)


@given(states(), found(), decided())
def test_what_must_be_apart_is_apart_and_what_must_be_together_is_or_is_a_clash(
    state: State, links: Links, constraints: Constraints
) -> None:
    grouping = group_records(state, links, constraints, Rules())
    group_of = {record: n for n, group in enumerate(grouping.groups) for record in group}
    assert all(
        group_of[left] != group_of[right]
        for left, right in constraints.not_same
        if left in group_of and right in group_of
    )
    listed = {(clash.left, clash.right) for clash in grouping.clashes}
    for pair in constraints.same:
        if pair[0] in group_of and pair[1] in group_of:
            assert group_of[pair[0]] == group_of[pair[1]] or pair in listed


@given(found(), st.frozensets(st.sampled_from(PAIRS), max_size=4))
def test_clusters_and_decisions_to_join_give_the_components_of_their_graph(
    links: Links, same: frozenset[tuple[str, str]]
) -> None:
    graph = nx.Graph()
    graph.add_nodes_from(links.clusters)
    for left, right in itertools.combinations(links.clusters, 2):
        if links.clusters[left] == links.clusters[right]:
            graph.add_edge(left, right)
    graph.add_edges_from(p for p in same if p[0] in graph and p[1] in graph)
    expected = sorted(tuple(sorted(part)) for part in nx.connected_components(graph))
    grouping = group_records(State(), links, Constraints(same=same), Rules())
    assert list(grouping.groups) == expected


@given(states(), found(), decided())
def test_applying_the_same_run_to_its_own_result_changes_nothing(
    state: State, links: Links, constraints: Constraints
) -> None:
    first = assign(state, links, constraints)
    members = resulting(state, first)
    issued = {**state.issued, **{child: 9 for child in members.values() if child[0] == "n"}}
    # No retired ones: what a restoration would need is the hub's to remember (test_histories).
    again = assign(State(members, issued), links, constraints)
    assert [group.records for group in again.groups] == [group.records for group in first.groups]
    assert all(members[r] == g.child_id for g in again.groups for r in g.records)
    assert not again.retired


@given(states(), found())
def test_a_child_that_the_run_leaves_whole_and_alone_keeps_its_identifier(
    state: State, links: Links
) -> None:
    assignment = assign(state, links)
    for group in assignment.groups:
        known = {state.members[r] for r in group.records if r in state.members}
        if len(known) == 1:
            [child] = known
            present = {r for r, c in state.members.items() if c == child and r in links.clusters}
            if present <= set(group.records):
                assert group.child_id == child


@given(states(), found())
def test_the_greatest_part_keeps_the_identifier_unless_a_greater_claim_meets_it(
    state: State, links: Links
) -> None:
    living = State(state.members, state.issued)
    assignment = assign(living, links)
    overlap = Counter(
        (child, assignment.group_of[record])
        for record, child in living.members.items()
        if record in links.clusters
    )
    for (child, number), count in overlap.items():
        holder = assignment.groups[number].child_id
        rivals = [n for (other, g), n in overlap.items() if g == number and other != child]
        elsewhere = [n for (other, g), n in overlap.items() if other == child and g != number]
        if all(count > n for n in [*rivals, *elsewhere]) and not _merges(overlap, number):
            assert holder == child


def _merges(overlap: Counter[tuple[str, int]], number: int) -> bool:
    """Whether whole children meet in a group, where seniority decides instead."""
    groups_of = Counter(child for child, _ in overlap)
    whole = [child for child, group in overlap if group == number and groups_of[child] == 1]
    return len(whole) > 1


@given(st.dictionaries(st.sampled_from(PAIRS), st.floats(0.01, 0.99), max_size=20))
def test_the_link_confidence_is_the_best_of_all_paths(
    scores: Mapping[tuple[str, str], float],
) -> None:
    pairs = [Pair(left, right, 0.0, p) for (left, right), p in scores.items()]
    confidence = link_confidence(RECORDS, {"r0"}, pairs, Constraints())
    graph = nx.Graph()
    graph.add_nodes_from(RECORDS)
    graph.add_weighted_edges_from((p.left, p.right, p.probability) for p in pairs)
    tree = nx.maximum_spanning_tree(graph)
    for record in RECORDS[1:]:
        if not nx.has_path(tree, "r0", record):
            assert record not in confidence
            continue
        path = nx.shortest_path(tree, "r0", record)
        steps = [tree.edges[edge]["weight"] for edge in itertools.pairwise(path)]
        assert confidence[record] == min(steps)


@pytest.mark.parametrize("numbers", [{"join": 0.4}, {"break_": 0.96}, {"join": 1.1}])
def test_rules_whose_thresholds_cross_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="break_ <= join"):
        Rules(**numbers)  # type: ignore[arg-type]
