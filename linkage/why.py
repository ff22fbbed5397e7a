"""Why records are together, and why pairs that seem to be one person are not: joins and cuts.

``joins`` are a spanning tree of each cluster in the order in which its parts came together. ``cuts``
are the pairs at or above the join threshold that were not put together: because the pair itself is
forbidden, because another pair of the two clusters is, or because the pair was a weak bridge: the
mean weight between the two clusters speaks against one person (``household`` where members of one
household are the likelier reading, else ``weak_bridge``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from linkage.assemble import Assembled, reasons_of
from linkage.decisions import Contradiction
from linkage.engine import Bools, Floats, Ints
from linkage.score import Scored

HOUSEHOLD = "household"
WEAK_BRIDGE = "weak_bridge"
OVERSIZED = "oversized_component"
LINK, MUST_LINK = "link", "must_link"
EXAMPLES = 20


def joins_table(assembled: Assembled, ids: pa.StringArray, cluster_ids: pa.StringArray) -> pa.Table:
    """cluster_id, step, record_id_l, record_id_r, match_weight, reason, mean_weight.

    Ordered by the cluster's lowest record and step; ``cluster_ids`` are those of each record.
    """
    joins, labels = assembled.joins, assembled.labels
    order = np.argsort(labels[joins.left], kind="stable")
    left, right = joins.left[order], joins.right[order]
    label = labels[left]
    new = np.diff(label, prepend=-1) != 0
    start = np.maximum.accumulate(np.where(new, np.arange(len(label)), 0))
    reasons = pa.DictionaryArray.from_arrays(
        pa.array(joins.decided[order].astype(np.int8)), [LINK, MUST_LINK]
    )
    return pa.table(
        {
            "cluster_id": cluster_ids.take(pa.array(left)),
            "step": pa.array((np.arange(len(label)) - start + 1).astype(np.int32)),
            "record_id_l": ids.take(pa.array(left)),
            "record_id_r": ids.take(pa.array(right)),
            "match_weight": _weight_of(assembled.scored, left, right, len(labels)),
            "reason": reasons,
            "mean_weight": pa.array(joins.mean[order], from_pandas=True),
        }
    )


def _weight_of(scored: Scored, left: Ints, right: Ints, count: int) -> Floats:
    found: Floats = scored.weight[_rows_of(scored, left, right, count)]
    return found


def _rows_of(scored: Scored, left: Ints, right: Ints, count: int) -> Ints:
    return np.searchsorted(scored.left * count + scored.right, left * count + right)


@dataclass(frozen=True)
class Cuts:
    """Pairs (rows of the scored pairs) that were not put together, and why.

    ``against`` is the row of the pair that stands against it, -1 where it is the mean that does;
    ``mean`` is the mean weight between the two clusters, not a number where not all were compared.
    """

    rows: Ints
    reason: Any
    against: Ints
    mean: Floats


def find_cuts(assembled: Assembled) -> Cuts:
    """The pairs at or above the join threshold that are in two clusters."""
    evident, labels = assembled.evident, assembled.labels
    scored = evident.scored
    rows = np.flatnonzero(
        (evident.linked | evident.decided) & (labels[scored.left] != labels[scored.right])
    )
    barred = evident.forbidden[rows]
    reason = np.full(len(rows), OVERSIZED, dtype=object)
    against, mean = np.where(barred, rows, -1), np.full(len(rows), np.nan)
    reason[barred] = reasons_of(assembled.model, assembled.packing, evident, rows[barred])
    _explain_others(assembled, rows, np.flatnonzero(~barred), reason, against, mean)
    return Cuts(rows, reason, against, mean)


def _explain_others(
    assembled: Assembled, rows: Ints, others: Ints, reason: Any, against: Ints, mean: Floats
) -> None:
    """Fill in what lies between the two clusters of each pair that is not itself forbidden."""
    evident, labels, before = assembled.evident, assembled.labels, assembled.before
    scored = evident.scored
    left = before[scored.left[rows[others]]]
    others = others[left == before[scored.right[rows[others]]]]
    if not len(others):
        return
    count = len(labels)
    borders, border = np.unique(_border(labels, scored, rows[others]), return_inverse=True)
    inside = before[scored.left] == before[scored.right]
    across = np.flatnonzero(inside & (labels[scored.left] != labels[scored.right]))
    between = _border(labels, scored, across)
    place = np.minimum(np.searchsorted(borders, between), len(borders) - 1)
    known = borders[place] == between
    across, place = across[known], place[known]
    pairs = np.bincount(place, minlength=len(borders))
    cap = assembled.model.limits.weight_in_mean
    apart = scored.take(across)
    means = np.bincount(place, np.clip(apart.weight, -cap, cap), len(borders)) / pairs
    closer = apart.other * (2 * apart.household - 1)  # a household rather than strangers
    household = np.bincount(place, closer, len(borders)) > 0
    sizes = np.bincount(labels, minlength=count)
    whole = pairs == sizes[borders // count] * sizes[borders % count]
    barrier = _first(place, evident.barred[across], across, len(borders))
    reason[others] = np.where(household, HOUSEHOLD, WEAK_BRIDGE)[border]
    mean[others] = np.where(whole, means, np.nan)[border]
    against[others] = barrier[border]
    shut = others[barrier[border] >= 0]
    reason[shut] = reasons_of(assembled.model, assembled.packing, evident, against[shut])


def _border(labels: Ints, scored: Scored, rows: Ints) -> Ints:
    """The two clusters of each of the pairs ``rows``, as one number."""
    one, other = labels[scored.left[rows]], labels[scored.right[rows]]
    result: Ints = np.minimum(one, other) * len(labels) + np.maximum(one, other)
    return result


def _first(place: Ints, chosen: Bools, rows: Ints, count: int) -> Ints:
    """The first chosen row of each place, or -1."""
    found = np.full(count, -1, np.int64)
    found[place[chosen][::-1]] = rows[chosen][::-1]
    return found


def cuts_table(assembled: Assembled, ids: pa.StringArray, cuts: Cuts) -> pa.Table:
    """record_id_l, record_id_r, match_weight, match_probability, reason, against_l, against_r,
    mean_weight; ordered by the ids."""
    scored = assembled.scored
    found = scored.take(cuts.rows)
    missing = cuts.against < 0
    against = scored.take(np.where(missing, 0, cuts.against)) if len(scored) else found
    return pa.table(
        {
            "record_id_l": ids.take(pa.array(found.left)),
            "record_id_r": ids.take(pa.array(found.right)),
            "match_weight": found.weight,
            "match_probability": found.probability,
            "reason": pa.array(cuts.reason, pa.string()).dictionary_encode(),
            "against_l": ids.take(pa.array(against.left, mask=missing)),
            "against_r": ids.take(pa.array(against.right, mask=missing)),
            "mean_weight": pa.array(cuts.mean, from_pandas=True),
        }
    )


def summary(cuts: pa.Table, clashes: pa.Table) -> dict[str, Any]:
    """For the report: cuts by reason, the strongest bridges that were cut, and clashes."""
    counts = cuts["reason"].value_counts().to_pylist()
    bridges = cuts.filter(
        pa.compute.is_in(cuts["reason"].cast(pa.string()), pa.array([WEAK_BRIDGE, HOUSEHOLD]))
    ).sort_by([("match_weight", "descending"), ("record_id_l", "ascending")])
    columns = ["record_id_l", "record_id_r", "match_weight", "mean_weight", "reason"]
    return {
        "cuts": {
            "by_reason": {
                c["values"]: c["counts"] for c in sorted(counts, key=lambda c: c["values"])
            },
            "strongest_bridges": bridges.select(columns).slice(0, EXAMPLES).to_pylist(),
        },
        "clashes": clashes.to_pylist(),
    }


def clashes_table(found: list[Contradiction], ids: pa.StringArray) -> pa.Table:
    """Must-links against which something speaks: the two records, what, between whom, the outcome."""
    rows = sorted({(c.left, c.right): c for c in found}.items())
    columns = {
        "record_id_l": [ids[c.left].as_py() for _, c in rows],
        "record_id_r": [ids[c.right].as_py() for _, c in rows],
        "reason": [c.reason for _, c in rows],
        "against_l": [ids[c.against_left].as_py() for _, c in rows],
        "against_r": [ids[c.against_right].as_py() for _, c in rows],
        "outcome": ["joined" if c.followed else "kept_apart" for _, c in rows],
    }
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
