"""How pairs' weights relate to the truth: precision and recall by threshold, and calibration.

Both are about single pairs before clusters are built: a pair counts as found when its weight
reaches the threshold and no veto holds it apart. Pairs that no rule proposed, or that lie below the
model's review threshold, are not in the pairs; they count as lost, so recall starts below 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage.engine import Bools, Floats
from linkage.evaluate import codes

BANDS = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)


def same_person(pairs: pa.Table, truth: pa.Table) -> tuple[Bools, Bools]:
    """For each pair, whether both records have a known person, and whether it is the same one."""
    known = truth.filter(pc.is_valid(truth["person_id"]))
    ids = known["record_id"].cast(pa.string()).combine_chunks()
    person = codes(known["person_id"])
    places = [pc.index_in(pairs[f"record_id_{side}"], value_set=ids) for side in "lr"]
    both = pc.and_(pc.is_valid(places[0]), pc.is_valid(places[1])).to_numpy()
    left, right = (np.asarray(p.fill_null(0), dtype=np.int64) for p in places)
    same = both & (person[left] == person[right]) if len(person) else both
    return both, same


def by_threshold(pairs: pa.Table, truth: pa.Table) -> list[dict[str, Any]]:
    """Precision, recall and F1 of the pairs at or above each whole number of bits.

    ``truth``: record_id, person_id. One row for each threshold at which the number of pairs differs,
    lowest first: weight, probability, pairs, precision, recall, f1.
    """
    both, same = same_person(pairs, truth)
    open_ = pairs["veto"].is_null().to_numpy()
    weight = pairs["match_weight"].to_numpy()
    _, sizes = np.unique(codes(truth["person_id"].drop_null()), return_counts=True)
    wanted = float((sizes * (sizes - 1) / 2).sum())
    chosen = both & open_ & np.isfinite(weight)
    rows: list[dict[str, Any]] = []
    if not chosen.any():
        return rows
    weight, same = weight[chosen], same[chosen]
    for bits in range(int(np.floor(weight.min())), int(np.floor(weight.max())) + 1):
        found = weight >= bits
        pairs_found, right = int(found.sum()), float(same[found].sum())
        if rows and rows[-1]["pairs"] == pairs_found:
            rows.pop()
        precision, recall = right / pairs_found, right / wanted if wanted else 1.0
        both_ = precision + recall
        rows.append(
            {
                "weight": bits,
                "probability": float(1 / (1 + 2.0**-bits)),
                "pairs": pairs_found,
                "precision": precision,
                "recall": recall,
                "f1": 2 * precision * recall / both_ if both_ else 0.0,
            }
        )
    return rows


def calibration(pairs: pa.Table, truth: pa.Table, review: float = 0.0) -> list[dict[str, Any]]:
    """In bands of match probability, the mean of what the model says and the share that is true.

    Vetoed pairs are left out: their probability is not what decides. So are pairs below ``review``,
    listed only because the other records of a cluster hold them together. ``interval`` is Wilson's.
    """
    both, same = same_person(pairs, truth)
    chosen = both & pairs["veto"].is_null().to_numpy()
    chosen &= pairs["match_probability"].to_numpy() >= review
    probability, same = pairs["match_probability"].to_numpy()[chosen], same[chosen]
    band = np.clip(np.searchsorted(BANDS, probability, side="right") - 1, 0, len(BANDS) - 2)
    rows = []
    for index in np.unique(band):
        mine = band == index
        count, true = int(mine.sum()), int(same[mine].sum())
        rows.append(
            {
                "from": BANDS[index],
                "to": BANDS[index + 1],
                "pairs": count,
                "said": float(probability[mine].mean()),
                "true": true / count,
                "interval": wilson(true, count),
            }
        )
    return rows


def wilson(true: int, count: int, z: float = 1.959964) -> list[float]:
    """Wilson's 95 % interval of a share (1927, Journal of the American Statistical Association 22)."""
    if not count:
        return [0.0, 1.0]
    share = true / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * ((share * (1 - share) + z * z / (4 * count)) / count) ** 0.5
    return [max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))]


def histogram(weights: Floats, classes: dict[str, Bools]) -> list[dict[str, Any]]:
    """Number of pairs of each class by weight in whole bits (a bin is [weight, weight + step)).

    At most 40 bins: with a wider spread of weights a bin is several bits.
    """
    finite = np.isfinite(weights)
    if not finite.any():
        return []
    low, high = int(np.floor(weights[finite].min())), int(np.floor(weights[finite].max())) + 1
    step = -(-(high - low) // 40)
    edges = np.arange(low, high + step, step)
    counts = {n: np.histogram(weights[finite & c], edges)[0] for n, c in classes.items()}
    return [
        {"weight": int(edge), "bits": step} | {name: int(c[i]) for name, c in counts.items()}
        for i, edge in enumerate(edges[:-1])
    ]
