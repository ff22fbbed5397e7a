"""Intervals, groups and thresholds against slow ways of getting the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import linkage
from linkage.curves import by_threshold, calibration, histogram, wilson
from linkage.quality import quality

ROWS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.sampled_from("ab")), min_size=1, max_size=30
)


def _tables(rows: list[tuple[Any, Any, str]]) -> tuple[pa.Table, pa.Table]:
    ids = [f"r{i}" for i in range(len(rows))]
    clusters = pa.table({"record_id": ids, "cluster_id": [f"c{r[0]}" for r in rows]})
    truth = pa.table(
        {
            "record_id": ids,
            "person_id": [f"p{r[1]}" for r in rows],
            "group": [r[2] for r in rows],
        }
    )
    return clusters, truth


def _families(people: int, split: dict[str, float], seed: int = 3) -> tuple[pa.Table, pa.Table]:
    """Three records of each person of each group; a share of people is split into two clusters."""
    random = np.random.default_rng(seed)
    rows: list[tuple[Any, Any, str]] = []
    for group, share in split.items():
        for i in range(people):
            person = f"{group}{i}"
            apart = random.random() < share
            rows += [
                (f"{person}{'x' if apart and k == 2 else ''}", person, group) for k in range(3)
            ]
    return _tables(rows)


@settings(deadline=None)
@given(ROWS)
def test_the_figures_are_those_of_evaluate_and_lie_in_their_intervals(
    rows: list[tuple[int, int, str]],
) -> None:
    found = quality(*_tables(rows), by=["group"])
    for mine, theirs in [
        (found, linkage.evaluate(*_tables(rows))),
        *(
            (found["by"]["group"][name], figures)
            for name, figures in linkage.evaluate(*_tables(rows), by="group")["by"].items()
        ),
    ]:
        for measure in ("pairwise", "b_cubed"):
            for name in ("precision", "recall", "f1"):
                assert mine[measure][name] == pytest.approx(theirs[measure][name])
                low, high = mine[measure]["intervals"][name]
                assert 0 <= low <= mine[measure][name] <= high <= 1


def test_the_interval_is_that_of_drawing_people_again_one_by_one() -> None:
    clusters, truth = _families(400, {"a": 0.1})
    found = quality(clusters, truth)["pairwise"]
    cluster = np.asarray(clusters["cluster_id"].to_pylist()).reshape(-1, 3)
    right = np.where(cluster[:, 2] == cluster[:, 0], 3.0, 1.0)  # pairs found of each person's three
    random = np.random.default_rng(7)
    draws = [random.choice(right, len(right)).sum() / (3 * len(right)) for _ in range(2000)]
    assert found["recall"] == pytest.approx(right.sum() / (3 * len(right)))
    assert found["intervals"]["recall"] == pytest.approx(
        np.quantile(draws, [0.025, 0.975]), abs=0.004
    )


def test_no_error_seen_is_no_proof_of_none() -> None:
    found = quality(*_families(100, {"a": 0.0}))["pairwise"]
    assert found["precision"] == found["recall"] == 1
    assert found["intervals"]["recall"] == [pytest.approx(1 - 3 / 100), 1.0]


def test_the_answer_depends_neither_on_the_order_of_rows_nor_on_the_run() -> None:
    clusters, truth = _families(60, {"a": 0.2, "b": 0.1})
    turned = truth.take(list(reversed(range(truth.num_rows))))
    assert quality(clusters, truth, ["group"]) == quality(clusters, turned, ["group"])


def test_a_group_that_is_behind_is_named_with_how_far() -> None:
    found = quality(*_families(400, {"north": 0.02, "south": 0.02, "east": 0.20}), by=["group"])
    behind = [d for d in found["differences"] if d["beyond_chance"]]
    assert [(d["group"], d["measure"]) for d in behind] == [("east", "recall")]
    assert 0.05 < behind[0]["interval"][0] < behind[0]["behind"] < behind[0]["interval"][1]
    assert any(
        s.startswith("By group, the recall of 'east' is ") and "beyond chance (interval" in s
        for s in found["words"]
    )


def test_groups_that_differ_by_luck_alone_are_not_said_to_be_behind() -> None:
    alike = dict.fromkeys("abcdefgh", 0.05)
    blamed = 0
    for seed in range(20):
        found = quality(*_families(150, alike, seed), by=["group"])
        blamed += any(d["beyond_chance"] for d in found["differences"])
    assert blamed <= 2


def test_a_group_of_few_people_is_shown_but_not_judged() -> None:
    clusters, truth = _families(200, {"many": 0.0, "some": 0.0})
    more, known = _families(5, {"few": 1.0})
    shift = {c: pa.array([f"z{v}" for v in more[c].to_pylist()]) for c in more.column_names}
    known = known.set_column(0, "record_id", shift["record_id"])
    found = quality(
        pa.concat_tables([clusters, pa.table(shift)]), pa.concat_tables([truth, known]), ["group"]
    )
    assert found["by"]["group"]["few"]["pairwise"]["recall"] == pytest.approx(1 / 3)
    assert not any(d["beyond_chance"] for d in found["differences"])
    assert "By group, not judged on recall for want of people: 'few' (5)." in found["words"]


def test_a_column_of_dates_is_no_column_of_groups() -> None:
    clusters, truth = _tables([(i, i, str(i)) for i in range(101)])
    with pytest.raises(linkage.LinkageError, match="101 values; make one of bands"):
        quality(clusters, truth, ["group"])


def test_ids_written_as_numbers_meet_ids_written_as_text() -> None:
    clusters = pa.table({"record_id": ["1", "2"], "cluster_id": ["a", "a"]})
    truth = pa.table({"record_id": [1, 2], "person_id": [7, 7]})
    assert quality(clusters, truth)["pairwise"]["recall"] == 1
    assert by_threshold(_pairs([("1", "2", 3.0, None)]), truth)[0]["recall"] == 1


def _pairs(rows: list[tuple[str, str, float, str | None]]) -> pa.Table:
    weight = [r[2] for r in rows]
    return pa.table(
        {
            "record_id_l": [r[0] for r in rows],
            "record_id_r": [r[1] for r in rows],
            "match_weight": pa.array(weight, pa.float64()),
            "match_probability": pa.array([1 / (1 + 2**-w) for w in weight], pa.float64()),
            "veto": pa.array([r[3] for r in rows], pa.string()),
        }
    )


TRUTH = pa.table(
    {"record_id": list("abcdef"), "person_id": ["1", "1", "1", "2", "2", None]}
)  # four pairs belong together
PAIRS = _pairs(
    [
        ("a", "b", 9.5, None),
        ("a", "c", 3.2, None),
        ("a", "d", 2.9, None),
        ("d", "e", 8.0, "held"),
        ("b", "f", 9.0, None),
        ("c", "x", 9.0, None),
    ]
)


def test_precision_and_recall_by_threshold_are_those_of_counting() -> None:
    rows = {r["weight"]: r for r in by_threshold(PAIRS, TRUTH)}
    assert sorted(rows) == [2, 3, 9]
    assert (rows[2]["pairs"], rows[2]["precision"], rows[2]["recall"]) == (3, 2 / 3, 0.5)
    assert (rows[3]["pairs"], rows[3]["precision"], rows[3]["recall"]) == (2, 1.0, 0.5)
    assert (rows[9]["pairs"], rows[9]["precision"], rows[9]["recall"]) == (1, 1.0, 0.25)
    assert rows[3]["probability"] == pytest.approx(8 / 9)


def test_calibration_counts_what_is_true_in_each_band() -> None:
    rows = calibration(PAIRS, TRUTH)
    assert [(r["from"], r["to"], r["pairs"], r["true"]) for r in rows] == [
        (0.75, 0.9, 1, 0.0),
        (0.9, 0.95, 1, 1.0),
        (0.99, 0.999, 1, 1.0),
    ]
    assert all(r["interval"][0] <= r["true"] <= r["interval"][1] for r in rows)


def test_curves_of_no_pairs_are_empty() -> None:
    assert by_threshold(PAIRS.slice(0, 0), TRUTH) == []
    assert calibration(PAIRS.slice(0, 0), TRUTH) == []
    assert histogram(np.empty(0), {}) == []


def test_wilson_is_as_published() -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263, and 15 of 148."""
    assert wilson(81, 263) == pytest.approx([0.2553, 0.3662], abs=1e-4)
    assert wilson(15, 148) == pytest.approx([0.0624, 0.1605], abs=1e-4)
    assert wilson(0, 0) == [0, 1]


def test_a_histogram_counts_every_finite_weight_once() -> None:
    weight = np.array([-120.5, -3.0, 0.0, 0.5, 90.0, np.inf])
    rows = histogram(weight, {"all": np.ones(6, dtype=bool), "low": weight < 0})
    assert sum(r["all"] for r in rows) == 5
    assert sum(r["low"] for r in rows) == 2
    assert len(rows) <= 41
