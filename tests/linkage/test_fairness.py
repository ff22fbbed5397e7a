"""No group is left behind: recall, precision and split children by ethnic group, on a made partnership.

Twenty thousand records hold some 600 of the smallest groups, so a difference of one point between
two groups can be chance there; the bounds leave room for that, and the benchmark at 100,000 records
(docs/decisions/017) tells the finer truth.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import linkage
from benchmarks.linkage import partnership

MODEL = Path(partnership.__file__).with_name("partnership.yaml")
FEWEST = 500  # records of a group that is judged
SEED = 11  # not the seed that the model was looked at with


@pytest.fixture(scope="module")
def linked() -> tuple[linkage.LinkResult, pa.Table]:
    """A partnership of 20,000 records, linked, and its truth."""
    records, truth = partnership.make(20_000, SEED)
    return linkage.link(records, linkage.Model.from_yaml(MODEL)), truth


@pytest.fixture(scope="module")
def groups(linked: tuple[linkage.LinkResult, pa.Table]) -> dict[str, Any]:
    """Figures by ethnic group."""
    quality = linkage.evaluate(linked[0].clusters, linked[1], by="ethnic_group")
    return {name: g for name, g in quality["by"].items() if g["records"] >= FEWEST}


def test_no_ethnic_groups_recall_is_far_behind_the_best(groups: dict[str, Any]) -> None:
    recall = {name: g["b_cubed"]["recall"] for name, g in groups.items()}
    assert len(recall) >= 8
    assert max(recall.values()) - min(recall.values()) < 0.015, recall


def test_no_ethnic_groups_records_are_joined_wrongly_more_than_others(
    groups: dict[str, Any],
) -> None:
    precision = {name: g["b_cubed"]["precision"] for name, g in groups.items()}
    assert min(precision.values()) > 0.99, precision


def test_black_african_children_are_split_about_as_seldom_as_white_british_ones(
    linked: tuple[linkage.LinkResult, pa.Table],
) -> None:
    result, truth = linked
    cluster = dict(
        zip(
            result.clusters["record_id"].to_pylist(),
            result.clusters["cluster_id"].to_pylist(),
            strict=True,
        )
    )
    parts: dict[tuple[str, str], set[str]] = {}
    for row in truth.to_pylist():
        key = row["ethnic_group"], str(row["person_id"])
        parts.setdefault(key, set()).add(cluster[row["record_id"]])
    shares = {
        group: sum(len(p) > 1 for (g, _), p in parts.items() if g == group)
        / sum(g == group for g, _ in parts)
        for group in ("White British", "Black African")
    }
    # 1.3 is the bound at size; one child more or less among some 500 is not held against it.
    assert shares["Black African"] <= 1.3 * shares["White British"] + 0.004, shares
