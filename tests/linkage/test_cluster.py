"""Components against networkx; repair never breaks a constraint and is not bridged by one edge."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkage.average import Evidence, agglomerate
from linkage.cluster import by_size, components, cut_oversized, pairs_within

EDGES = st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=60)


@given(EDGES)
def test_components_are_those_of_networkx(edges: list[tuple[int, int]]) -> None:
    graph = nx.Graph()
    graph.add_nodes_from(range(30))
    graph.add_edges_from(edges)
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    labels = components(30, ends[:, 0], ends[:, 1])
    expected = {frozenset(c) for c in nx.connected_components(graph)}
    groups = [g for k in by_size(labels, np.unique(labels)) for g in k.tolist()]
    assert {frozenset(g) for g in groups} == expected
    assert all(labels[list(c)].min() == min(c) for c in expected)


def test_pairs_within_lists_each_pair_of_each_group_once() -> None:
    left, right = pairs_within(np.array([[1, 4, 7], [2, 3, 9]]))
    expected = {(1, 4), (1, 7), (4, 7), (2, 3), (2, 9), (3, 9)}
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == expected
    assert len(left) == len(expected)


def repair(
    weight: np.ndarray, forbidden: list[tuple[int, int]], joined: list[tuple[int, int]]
) -> tuple[list[list[int]], int]:
    """Parts of one component, and decisions that clashed."""
    marks = np.zeros(weight.shape, dtype=bool)
    for a, b in forbidden:
        marks[a, b] = marks[b, a] = True
    decided = [(0, a, b) for a, b in joined]
    result = agglomerate(Evidence(weight[None], weight[None] >= 4, marks[None], decided), cap=15.0)
    part = result.part[0]
    return [np.flatnonzero(part == p).tolist() for p in np.unique(part)], len(result.clashes)


def test_one_strong_pair_does_not_bridge_two_people() -> None:
    # 0 and 1 are one child, 2 and 3 another; 1 and 2 carry one number written on both.
    weight = np.full((4, 4), -6.0)
    for a, b in [(0, 1), (2, 3), (1, 2)]:
        weight[a, b] = weight[b, a] = 15.0
    parts, _ = repair(weight, [], [])
    assert parts == [[0, 1], [2, 3]]


def test_a_forbidden_pair_never_shares_a_part_and_the_rest_goes_to_the_stronger_side() -> None:
    weight = np.full((3, 3), 10.0)
    weight[1, 2] = weight[2, 1] = 12.0
    assert repair(weight, [(0, 2)], [])[0] == [[0], [1, 2]]


def test_a_reviewers_join_holds_against_the_weights_but_not_against_another_reviewers_parting() -> (
    None
):
    weight = np.full((3, 3), -20.0)
    assert repair(weight, [], [(0, 2)]) == ([[0, 2], [1]], 0)
    assert repair(weight, [(0, 2)], [(0, 1), (1, 2)]) == ([[0, 1], [2]], 1)


@given(st.data())
def test_repair_returns_every_record_once_and_keeps_every_constraint(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 7))
    pairs = list(itertools.combinations(range(size), 2))
    weight = np.zeros((size, size))
    for a, b in pairs:
        weight[a, b] = weight[b, a] = data.draw(st.integers(-15, 15))
    forbidden = data.draw(st.lists(st.sampled_from(pairs), max_size=4))
    parts, _ = repair(weight, forbidden, [])
    assert sorted(itertools.chain(*parts)) == list(range(size))
    for part in parts:
        assert not set(itertools.combinations(part, 2)) & set(forbidden)


def test_an_oversized_component_is_cut_at_its_weakest_edges() -> None:
    left, right = np.arange(9), np.arange(1, 10)
    weight = np.full(9, 20.0)
    weight[4] = 5.0
    labels, dropped = cut_oversized(components(10, left, right), left, right, weight, 5)
    assert dropped.tolist() == [False] * 4 + [True] + [False] * 4
    assert labels.tolist() == [0] * 5 + [5] * 5
