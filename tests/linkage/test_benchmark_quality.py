"""The benchmark's own figures, on clusters small enough to count by hand."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.linkage import quality, shown

# Records a1 a2 of twin 1, b1 of twin 2, c1 of their sibling 3, d1 d2 of a stranger 4.
TRUTH = pa.table(
    {
        "record_id": ["a1", "a2", "b1", "c1", "d1", "d2"],
        "person_id": [1, 1, 2, 3, 4, 4],
        "family_id": [1, 1, 1, 1, 2, 2],
        "kind": ["twin", "twin", "twin", "sibling", "only_child", "only_child"],
        "ethnic_group": ["x", "x", "x", "x", "y", "y"],
    }
)


def clusters(*labels: int) -> pa.Table:
    """One label for each record of the truth."""
    return pa.table({"record_id": TRUTH["record_id"], "cluster_id": list(labels)})


def test_false_joins_are_counted_in_people_by_how_they_are_related() -> None:
    everyone = quality.measure(clusters(1, 1, 1, 1, 1, 1), TRUTH)
    assert everyone["false_joins"] == {"twins": 1, "siblings": 2, "strangers": 3}
    right = quality.measure(clusters(1, 1, 2, 3, 4, 4), TRUTH)
    assert right["false_joins"] == {"twins": 0, "siblings": 0, "strangers": 0}
    assert right["pairwise"]["f1"] == 1.0


def test_the_gap_is_between_the_groups_with_most_and_least_recall() -> None:
    measured = quality.measure(clusters(1, 1, 2, 3, 4, 5), TRUTH)
    assert measured["recall_by_group"] == {"x": 1.0, "y": 0.0}
    assert measured["recall_gap"] == 1.0


def test_twins_are_counted_when_both_have_records() -> None:
    assert quality.twins(TRUTH) == 1
    assert quality.twins(TRUTH.slice(0, 2)) == 0


def test_the_best_threshold_joins_what_is_true_and_nothing_else(tmp_path: Path) -> None:
    pairs = pa.table(
        {
            "record_id_l": ["a1", "d1", "a1", "c1"],
            "record_id_r": ["a2", "d2", "b1", "d1"],
            "weight": [12.5, 10.5, 6.5, 1.0],
        }
    )
    pq.write_table(pairs, tmp_path / "pairs.parquet")
    best = quality.best_threshold(tmp_path / "pairs.parquet", TRUTH)
    assert 6.5 < best["weight"] <= 10.5
    assert best["pairwise"]["f1"] == 1.0


def test_the_report_gives_every_system_of_every_set_its_row_and_its_bars() -> None:
    cost = {"wall_seconds": 2.0, "cpu_seconds": 3.0, "peak_gib": 0.5, "runs": [{}]}
    measured = quality.measure(clusters(1, 1, 2, 3, 4, 4), TRUTH)
    machine = {
        "processor": "p", "cores": 2, "memory_gib": 8, "load_before": [0.1], "python": "3",
        "ffp": {"duckdb": "1"}, "peers": {"splink": "5"},
    }  # fmt: skip
    one = {
        "records": 6, "pairs_of_twins": 1, "machine": machine,
        "systems": {"ffp": cost | measured, "splink": cost | measured | {"wall_seconds": 8.0}},
    }  # fmt: skip
    results = {"sets": {"tiny": one}}
    table, picture = shown.table(results), shown.picture(results)
    assert "| tiny | Splink 5, recommended | 8.0 | 4.0 |" in table
    assert picture.count('height="15"') == 2 * len(shown.PANELS)
