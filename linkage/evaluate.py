"""Quality of clusters against the truth: pairwise and B-cubed precision, recall and F1.

Pairwise counts pairs of records put together against pairs that belong together, so a big cluster
weighs with the square of its size. B-cubed asks of each record how much of its cluster is its own
person, and how much of its person is in its cluster, and averages over records. Both come from the
table of (cluster, person) counts; no pair is listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage.engine import Bools, Floats, Ints
from linkage.errors import LinkageError


def evaluate(clusters: pa.Table, truth: pa.Table, by: str | None = None) -> dict[str, Any]:
    """Compare clusters (record_id, cluster_id) with truth (record_id, person_id, ...).

    Only records in both are counted; ``records_without_truth`` says how many were not. With ``by``,
    a column of the truth, ``by`` holds the same figures for each of its values: pairwise over the
    pairs with a record in the group, B-cubed over the records of the group. Raises LinkageError.
    """
    joined = joined_with_truth(clusters, truth, (by,) if by else ())
    table = Crosstab.of(codes(joined["cluster_id"]), codes(joined["person_id"]))
    result: dict[str, Any] = {
        "records": joined.num_rows,
        "records_without_truth": clusters.num_rows - joined.num_rows,
        **_figures(table, np.ones(joined.num_rows, dtype=bool)),
    }
    if by:
        groups = joined[by].combine_chunks().cast(pa.string()).fill_null("(none)")
        values = np.asarray(groups.to_pylist(), dtype=object)
        result["by"] = {
            str(value): {"records": int((values == value).sum())} | _figures(table, values == value)
            for value in sorted(set(values))
        }
    return result


def joined_with_truth(clusters: pa.Table, truth: pa.Table, columns: tuple[str, ...]) -> pa.Table:
    """Records that have a cluster and a person, with columns of the truth, in order of record id.

    Raises LinkageError when a column is missing or a record occurs more than once.
    """
    clusters = _checked(clusters, "clusters", ("record_id", "cluster_id"))
    truth = _checked(truth, "truth", ("record_id", "person_id", *columns))
    truth = truth.filter(pc.is_valid(truth["person_id"]))
    wanted = list(dict.fromkeys(["record_id", "person_id", *columns]))
    joined = clusters.join(truth.select(wanted), "record_id", join_type="inner")
    return joined.sort_by("record_id")


def _checked(table: pa.Table, name: str, columns: tuple[str, ...]) -> pa.Table:
    """The table with ids as text, so that 7 in one file meets "7" in the other."""
    missing = [c for c in columns if c not in table.column_names]
    if missing:
        raise LinkageError(f"{name}: no column {', '.join(missing)}")
    for column in columns[:2]:
        place = table.column_names.index(column)
        table = table.set_column(place, column, table[column].cast(pa.string()))
    ids = table["record_id"]
    if len(ids.unique()) != len(ids):
        raise LinkageError(f"{name}: a record_id occurs more than once; keep one row for each")
    return table


def codes(column: pa.ChunkedArray) -> Ints:
    """Equal values as equal integers from 0."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices, dtype=np.int64)


@dataclass(frozen=True)
class Contributions:
    """What each record adds to the sums that the figures are ratios of; arrays of one length.

    ``both``, ``together`` and ``wanted`` are pairs put together rightly, put together, and belonging
    together; ``precision`` and ``recall`` are the record's own, for B-cubed.
    """

    both: Floats
    together: Floats
    wanted: Floats
    precision: Floats
    recall: Floats

    def columns(self) -> tuple[Floats, ...]:
        """both, together, wanted, records (1 each), precision, recall."""
        ones = np.ones(len(self.both))
        return (self.both, self.together, self.wanted, ones, self.precision, self.recall)


@dataclass(frozen=True)
class Crosstab:
    """Cluster, person, and (cluster, person) of each record, as codes from 0."""

    cluster: Ints
    person: Ints
    meet: Ints

    @classmethod
    def of(cls, cluster: Ints, person: Ints) -> Crosstab:
        """From codes of clusters and persons."""
        both = cluster * (int(person.max(initial=0)) + 1) + person
        return cls(cluster, person, np.unique(both, return_inverse=True)[1])

    def contributions(self, chosen: Bools) -> Contributions:
        """Contributions of the chosen records (0 pairs for the others), each against all records."""
        codes_ = (self.meet, self.cluster, self.person)
        together, in_cluster, of_person = (np.bincount(c)[c].astype(np.float64) for c in codes_)
        return Contributions(
            _pairs(self.meet, together, chosen),
            _pairs(self.cluster, in_cluster, chosen),
            _pairs(self.person, of_person, chosen),
            together / in_cluster,
            together / of_person,
        )


def _figures(table: Crosstab, chosen: Bools) -> dict[str, Any]:
    """Figures over the chosen records, each against all records."""
    if not chosen.any():
        return {"pairwise": _prf(0, 0, 0), "b_cubed": _prf(0, 0, 0)}
    each = table.contributions(chosen)
    precision = float(each.precision[chosen].mean())
    recall = float(each.recall[chosen].mean())
    return {
        "pairwise": _prf(*(float(x.sum()) for x in (each.both, each.together, each.wanted))),
        "b_cubed": {"precision": precision, "recall": recall, "f1": _f1(precision, recall)},
    }


def _pairs(code: Ints, size: Floats, chosen: Bools) -> Floats:
    """Each chosen record's pairs of equal codes; those with another chosen record counted half."""
    inside = np.bincount(code, chosen.astype(np.float64))[code]
    result: Floats = np.where(chosen, (size - inside) + (inside - 1) / 2, 0.0)
    return result


def _prf(true: float, found: float, wanted: float) -> dict[str, float]:
    precision = true / found if found else 1.0
    recall = true / wanted if wanted else 1.0
    return {"precision": precision, "recall": recall, "f1": _f1(precision, recall)}


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
