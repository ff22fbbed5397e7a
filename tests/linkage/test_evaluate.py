"""Figures against a definition written out pair by pair."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import linkage

LABELS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from("ab")), min_size=1, max_size=25
)


def _tables(rows: list[tuple[int, int, str]]) -> tuple[pa.Table, pa.Table]:
    ids = [f"r{i}" for i in range(len(rows))]
    clusters = pa.table({"record_id": ids, "cluster_id": [f"c{r[0]}" for r in rows]})
    truth = {
        "record_id": ids,
        "person_id": [f"p{r[1]}" for r in rows],
        "group": [r[2] for r in rows],
    }
    return clusters, pa.table(truth)


@given(LABELS)
def test_figures_equal_their_definitions(rows: list[tuple[int, int, str]]) -> None:
    found = linkage.evaluate(*_tables(rows), by="group")
    for group, figures in [(None, found), *found["by"].items()]:
        chosen = [i for i, r in enumerate(rows) if group in (None, r[2])]
        pairs = [p for p in itertools.combinations(range(len(rows)), 2) if set(p) & set(chosen)]
        together = [p for p in pairs if rows[p[0]][0] == rows[p[1]][0]]
        wanted = [p for p in pairs if rows[p[0]][1] == rows[p[1]][1]]
        both = len(set(together) & set(wanted))
        assert figures["pairwise"]["precision"] == pytest.approx(
            both / len(together) if together else 1
        )
        assert figures["pairwise"]["recall"] == pytest.approx(both / len(wanted) if wanted else 1)
        shares = {"precision": 0.0, "recall": 0.0}
        for i in chosen:
            cluster = {j for j, r in enumerate(rows) if r[0] == rows[i][0]}
            person = {j for j, r in enumerate(rows) if r[1] == rows[i][1]}
            shares["precision"] += len(cluster & person) / len(cluster) / len(chosen)
            shares["recall"] += len(cluster & person) / len(person) / len(chosen)
        for name, share in shares.items():
            assert figures["b_cubed"][name] == pytest.approx(share)


def test_records_without_truth_are_counted_and_left_out() -> None:
    clusters, truth = _tables([(0, 0, "a"), (0, 0, "a"), (1, 1, "b")])
    found = linkage.evaluate(clusters, truth.slice(0, 2))
    assert (found["records"], found["records_without_truth"]) == (2, 1)
    assert found["pairwise"]["f1"] == 1


def test_a_missing_column_or_a_record_in_two_clusters_is_refused() -> None:
    clusters, truth = _tables([(0, 0, "a"), (1, 1, "b")])
    with pytest.raises(linkage.LinkageError, match="truth: no column town"):
        linkage.evaluate(clusters, truth, by="town")
    with pytest.raises(linkage.LinkageError, match="occurs more than once"):
        linkage.evaluate(pa.concat_tables([clusters, clusters]), truth)
