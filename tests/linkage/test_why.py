"""Joins span each cluster, cuts name what stands against a pair, clashes name the decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

import linkage
from linkage.assemble import Assembled, Assembler, Population
from linkage.decisions import Decisions
from linkage.packing import Packing
from linkage.score import Scored
from linkage.why import cuts_table, find_cuts, joins_table
from tests.linkage.conftest import SMALL
from tests.linkage.support import groups, invented

VETO = {"vetoes": [{"name": "other_number", "when": {"number": ["different"]}}]}
Weights = dict[tuple[int, int], float]
# Patterns of the small model: all missing; numbers that differ.
PACKING = Packing(linkage.Model.from_dict(SMALL).comparisons)
PLAIN, DIFFERENT = PACKING.pack(np.array([[0, 0, 0, 0], [0, 0, 0, 2]]))


def _scored(weights: Weights, vetoed: set[tuple[int, int]], household: float) -> Scored:
    keys = sorted(weights)
    left, right = np.array(keys, np.int64).reshape(-1, 2).T
    veto = np.array([k in vetoed for k in keys], dtype=bool)
    pattern = np.where(veto, DIFFERENT, PLAIN)
    weight = np.array([weights[k] for k in keys], np.float64)
    return Scored(left, right, pattern, weight, np.full(len(keys), household), veto)


def _assemble(
    count: int,
    weights: Weights,
    vetoed: set[tuple[int, int]] = frozenset(),  # type: ignore[assignment]
    must: list[tuple[int, int]] = [],  # noqa: B006  # never changed
    cannot: list[tuple[int, int]] = [],  # noqa: B006
    limits: dict[str, Any] | None = None,
    rest: float = -8.0,
    household: float = 0.1,
) -> Assembled:
    """Clusters of records 0, 1, ...; pairs without a weight have ``rest`` once they are asked for."""
    model = linkage.Model.from_dict(SMALL | VETO | ({"limits": limits} if limits else {}))
    ids = pa.array([str(i) for i in range(count)])

    def more(left: np.ndarray, right: np.ndarray) -> Scored:
        asked = {(int(a), int(b)): rest for a, b in zip(left, right, strict=True)}
        return _scored(asked, vetoed, household)

    people = Population(np.zeros(count, np.int64), np.zeros(count, dtype=bool))
    named: Callable[[Any], Any] = lambda pairs: [(str(a), str(b)) for a, b in pairs]  # noqa: E731
    decisions = Decisions.of(ids, named(must), named(cannot))
    return Assembler(model, PACKING, people, decisions, more).run(
        _scored(weights, vetoed, household)
    )


def _cuts(found: Assembled) -> dict[tuple[str, str], dict[str, Any]]:
    ids = pa.array([str(i) for i in range(len(found.labels))])
    rows = cuts_table(found, ids, find_cuts(found)).to_pylist()
    return {(r["record_id_l"], r["record_id_r"]): r for r in rows}


def test_the_joins_of_each_cluster_are_a_spanning_tree_of_it() -> None:
    model = linkage.Model.from_dict(SMALL)
    result = linkage.link(pa.Table.from_pylist(invented(5, 150)), model)
    graph = nx.Graph()
    graph.add_nodes_from(result.clusters["record_id"].to_pylist())
    graph.add_edges_from((j["record_id_l"], j["record_id_r"]) for j in result.joins.to_pylist())
    assert {frozenset(c) for c in nx.connected_components(graph)} == groups(result.clusters)
    assert result.joins.num_rows == result.clusters.num_rows - len(groups(result.clusters))
    weights = {(p["record_id_l"], p["record_id_r"]): p for p in result.pairs.to_pylist()}
    for join in result.joins.to_pylist():
        pair = weights[join["record_id_l"], join["record_id_r"]]
        assert join["match_weight"] == pair["match_weight"]
        assert pair["match_probability"] >= model.thresholds.join
        assert join["reason"] == "link"
        assert join["step"] >= 1


def test_every_pair_at_or_above_the_join_threshold_is_together_or_a_cut() -> None:
    model = linkage.Model.from_dict(SMALL | VETO)
    result = linkage.link(pa.Table.from_pylist(invented(6, 150)), model)
    cluster = dict(
        zip(*(result.clusters[c].to_pylist() for c in ("record_id", "cluster_id")), strict=True)
    )
    apart = {
        (p["record_id_l"], p["record_id_r"])
        for p in result.pairs.to_pylist()
        if p["match_probability"] >= model.thresholds.join
        and cluster[p["record_id_l"]] != cluster[p["record_id_r"]]
    }
    cuts = {(c["record_id_l"], c["record_id_r"]) for c in result.cuts.to_pylist()}
    assert apart == cuts
    assert sum(result.report["cuts"]["by_reason"].values()) == len(cuts)


@pytest.mark.parametrize(("household", "reason"), [(0.1, "weak_bridge"), (0.9, "household")])
def test_a_weak_bridge_is_cut_and_named_with_the_mean_between_the_two(
    household: float, reason: str
) -> None:
    found = _assemble(4, {(0, 1): 12.0, (2, 3): 12.0, (1, 2): 9.0}, household=household)
    assert found.labels.tolist() == [0, 0, 2, 2]
    cut = _cuts(found)["1", "2"]
    assert cut["reason"] == reason
    assert cut["mean_weight"] == pytest.approx((9 - 3 * 8) / 4)
    assert cut["against_l"] is None


def test_a_pair_kept_apart_by_another_pair_names_that_pair() -> None:
    found = _assemble(3, {(0, 1): 12.0, (1, 2): 9.0, (0, 2): 9.0}, vetoed={(0, 2)})
    cuts = _cuts(found)
    assert found.labels.tolist() == [0, 0, 2]
    assert cuts["0", "2"]["reason"] == cuts["1", "2"]["reason"] == "other_number"
    assert (cuts["1", "2"]["against_l"], cuts["1", "2"]["against_r"]) == ("0", "2")


def test_a_join_that_a_veto_forbids_is_followed_and_named() -> None:
    found = _assemble(2, {(0, 1): 9.0}, vetoed={(0, 1)}, must=[(0, 1)])
    assert found.labels.tolist() == [0, 0]
    (clash,) = found.contradictions
    assert (clash.reason, clash.followed) == ("other_number", True)
    assert found.joins.decided.tolist() == [True]
    assert found.report["decisions_that_clash"] == 0


def test_a_join_that_would_bring_a_vetoed_pair_along_is_not_followed_and_named() -> None:
    weights = {(0, 1): 12.0, (1, 2): -9.0, (2, 3): 12.0, (0, 3): -20.0}
    found = _assemble(4, weights, vetoed={(0, 3)}, must=[(0, 1), (1, 2), (2, 3)])
    assert found.labels.tolist() == [0, 0, 0, 3]
    (clash,) = found.contradictions
    assert (clash.left, clash.right, clash.followed) == (2, 3, False)
    assert (clash.against_left, clash.against_right) == (0, 3)
    assert clash.reason == "other_number"


def test_an_oversized_component_loses_its_weak_edges_and_these_are_cuts() -> None:
    chain = {(i, i + 1): 20.0 for i in range(9)} | {(4, 5): 6.0}
    found = _assemble(10, chain, limits={"component": 5}, rest=5.0)
    assert found.labels.tolist() == [0] * 5 + [5] * 5
    assert _cuts(found)["4", "5"]["reason"] == "oversized_component"


def test_a_component_that_no_threshold_breaks_is_joined_edge_by_edge_under_the_constraints() -> (
    None
):
    star = {(0, i): 20.0 for i in range(1, 9)} | {(1, 2): 20.0}
    found = _assemble(9, star, vetoed={(1, 2)}, limits={"component": 5})
    assert found.report["oversized_components_joined_edge_by_edge"] == 1
    assert found.labels.tolist() == [0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert len(found.joins.left) == 7


def test_a_decided_join_in_an_oversized_component_ends_the_cutting() -> None:
    chain = {(i, i + 1): 20.0 for i in range(9)} | {(4, 5): 6.0}
    found = _assemble(10, chain, must=[(4, 5)], limits={"component": 5}, rest=5.0)
    assert found.labels[4] == found.labels[5]


def test_the_table_of_joins_is_in_order_of_cluster_and_step() -> None:
    found = _assemble(5, {(0, 4): 9.0, (1, 2): 12.0, (1, 3): 9.0, (2, 3): 5.0})
    ids = pa.array(list("abcde"))
    rows = joins_table(found, ids, pa.array(list("xyyyx"))).to_pylist()
    assert [(r["cluster_id"], r["step"], r["record_id_l"], r["record_id_r"]) for r in rows] == [
        ("x", 1, "a", "e"), ("y", 1, "b", "c"), ("y", 2, "b", "d"),
    ]  # fmt: skip
    assert rows[2]["mean_weight"] == pytest.approx(7.0)
