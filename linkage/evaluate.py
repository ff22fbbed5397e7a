"""Quality of clusters against the truth: pairwise and B-cubed precision, recall and F1.

Pairwise counts pairs of records put together against pairs that belong together, so a big cluster
weighs with the square of its size. B-cubed asks of each record how much of its cluster is its own
person, and how much of its person is in its cluster, and averages over records. Both come from the
table of (cluster, person) counts; no pair is listed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from linkage.em import Floats, Ints
from linkage.errors import LinkageError


def evaluate(clusters: pa.Table, truth: pa.Table, by: str | None = None) -> dict[str, Any]:
    """Compare clusters (record_id, cluster_id) with truth (record_id, person_id, ...).

    Only records in both are counted; ``records_without_truth`` says how many were not. With ``by``,
    a column of the truth, ``by`` holds the same figures for each of its values: pairwise over the
    pairs with a record in the group, B-cubed over the records of the group. Raises LinkageError.
    """
    _check(clusters, "clusters", ("record_id", "cluster_id"))
    _check(truth, "truth", ("record_id", "person_id", *((by,) if by else ())))
    wanted = ["record_id", "person_id"] + ([by] if by else [])
    joined = clusters.join(truth.select(wanted), "record_id", join_type="inner")
    cluster, person = _codes(joined["cluster_id"]), _codes(joined["person_id"])
    result: dict[str, Any] = {
        "records": joined.num_rows,
        "records_without_truth": clusters.num_rows - joined.num_rows,
        **_figures(cluster, person, np.ones(joined.num_rows, dtype=bool)),
    }
    if by:
        groups = joined[by].combine_chunks().cast(pa.string()).fill_null("(none)")
        values = np.asarray(groups.to_pylist(), dtype=object)
        result["by"] = {
            str(value): {"records": int((values == value).sum())}
            | _figures(cluster, person, values == value)
            for value in sorted(set(values))
        }
    return result


def _check(table: pa.Table, name: str, columns: tuple[str, ...]) -> None:
    missing = [c for c in columns if c not in table.column_names]
    if missing:
        raise LinkageError(f"{name}: no column {', '.join(missing)}")
    ids = table["record_id"]
    if len(ids.unique()) != len(ids):
        raise LinkageError(f"{name}: a record_id occurs more than once; keep one row for each")


def _codes(column: pa.ChunkedArray) -> Ints:
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices, dtype=np.int64)


def _figures(
    cluster: Ints, person: Ints, chosen: np.ndarray[Any, np.dtype[np.bool_]]
) -> dict[str, Any]:
    """Figures over the chosen records, each against all records."""
    if not chosen.any():
        return {"pairwise": _prf(0, 0, 0), "b_cubed": _prf(0, 0, 0)}
    together = _size_of(cluster * (int(person.max()) + 1) + person)
    in_cluster, of_person = _size_of(cluster), _size_of(person)
    pairwise = [
        _pairs(code, size, chosen)
        for code, size in (
            (cluster * (int(person.max()) + 1) + person, together),
            (cluster, in_cluster),
            (person, of_person),
        )
    ]
    precision = float((together / in_cluster)[chosen].mean())
    recall = float((together / of_person)[chosen].mean())
    return {
        "pairwise": _prf(*pairwise),
        "b_cubed": {"precision": precision, "recall": recall, "f1": _f1(precision, recall)},
    }


def _size_of(code: Ints) -> Floats:
    """For each record, the number of records with its code."""
    _, inverse, counts = np.unique(code, return_inverse=True, return_counts=True)
    return counts[inverse].astype(np.float64)


def _pairs(code: Ints, size: Floats, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """Pairs with equal codes and at least one chosen record."""
    _, inverse = np.unique(code, return_inverse=True)
    inside = np.bincount(inverse, chosen.astype(np.float64))[inverse]
    # A chosen record's pairs, those with another chosen record counted half on each side.
    return float(((size - inside) + (inside - 1) / 2)[chosen].sum())


def _prf(true: float, found: float, wanted: float) -> dict[str, float]:
    precision = true / found if found else 1.0
    recall = true / wanted if wanted else 1.0
    return {"precision": precision, "recall": recall, "f1": _f1(precision, recall)}


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
