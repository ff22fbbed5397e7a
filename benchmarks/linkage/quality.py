"""How good clusters are: pairwise and B-cubed, recall by ethnic group, and who was joined wrongly.

False joins are counted in people, not in records: two twins whose records meet in one cluster are
one false join, however many records they have. With scored pairs, the threshold that would have
been best for the truth is found as well, by clustering again at each.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

import linkage

WEIGHTS = (
    -5,
    -3,
    -1.5,
    0,
    2,
    4.25,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    14,
    16,
    18,
    21,
)  # log2 of the odds; 4.25 is 0.95


def measure(clusters: pa.Table, truth: pa.Table) -> dict[str, Any]:
    """All figures of one clustering."""
    result = _rounded(linkage.evaluate(clusters, truth))
    if "kind" not in truth.column_names:
        return result
    joined = clusters.join(truth, "record_id", join_type="inner")
    groups = linkage.evaluate(clusters, truth, by="ethnic_group")["by"]
    recalls = {name: round(g["pairwise"]["recall"], 4) for name, g in groups.items()}
    return result | {
        "false_joins": _false_joins(joined),
        "recall_by_group": recalls,
        "recall_gap": round(max(recalls.values()) - min(recalls.values()), 4),
    }


def _rounded(quality: dict[str, Any]) -> dict[str, Any]:
    return {
        kind: {name: round(value, 5) for name, value in quality[kind].items()}
        for kind in ("pairwise", "b_cubed")
    }


def _false_joins(joined: pa.Table) -> dict[str, int]:
    """People joined with another: pairs of twins, of other siblings, of strangers."""
    once = joined.group_by(["cluster_id", "person_id", "family_id", "kind"]).aggregate([])
    members: dict[Any, list[tuple[int, int, str]]] = {}
    columns = (once[c].to_pylist() for c in ("cluster_id", "person_id", "family_id", "kind"))
    for cluster, person, family, kind in zip(*columns, strict=True):
        members.setdefault(cluster, []).append((person, family, kind))
    pairs: dict[tuple[int, int], str] = {}
    for people in members.values():
        for one, other in combinations(sorted(people), 2):
            pairs[one[0], other[0]] = _relation(one, other)
    found = Counter(pairs.values())
    return {name: found[name] for name in ("twins", "siblings", "strangers")}


def _relation(one: tuple[int, int, str], other: tuple[int, int, str]) -> str:
    if one[1] != other[1]:
        return "strangers"
    return "twins" if one[2] == other[2] == "twin" else "siblings"


def twins(truth: pa.Table) -> int:
    """How many pairs of twins have records."""
    chosen = truth.filter(pa.compute.equal(truth["kind"], "twin"))
    people = chosen.group_by(["family_id", "person_id"]).aggregate([])
    counts = people.group_by("family_id").aggregate([("person_id", "count")])
    return int(pa.compute.sum(pa.compute.equal(counts["person_id_count"], 2)).as_py() or 0)


def best_threshold(pairs: Path, truth: pa.Table) -> dict[str, Any]:
    """The weight at which clusters of these scored pairs are best (pairwise F1), and their figures."""
    clusters = max(
        (_clusters(pq.read_table(pairs), truth["record_id"], weight) for weight in WEIGHTS),
        key=lambda c: linkage.evaluate(c[1], truth)["pairwise"]["f1"],
    )
    return {"weight": clusters[0]} | measure(clusters[1], truth)


def _clusters(pairs: pa.Table, ids: pa.ChunkedArray, weight: float) -> tuple[float, pa.Table]:
    kept = pairs.filter(pa.compute.greater_equal(pairs["weight"], weight))
    ends = [
        pa.compute.index_in(kept[c], value_set=ids.combine_chunks()).to_numpy()
        for c in ("record_id_l", "record_id_r")
    ]
    size = len(ids)
    graph = coo_matrix((np.ones(len(ends[0])), tuple(ends)), shape=(size, size))
    labels = connected_components(graph, directed=False)[1]
    return weight, pa.table({"record_id": ids, "cluster_id": labels})
