"""Can the estimates be trusted? Other start values, few pairs, classes that are too alike.

Expectation-maximisation climbs to the nearest top. So each rule is fitted again from start values that
claim less of some comparisons and more of others: where such a fit explains the pairs as well (or better) with
other probabilities, the data do not settle them, and the report says so. A comparison that few pairs
of one person taught is named too, and so are two classes whose levels overlap so much that most
pairs could be either (Bhattacharyya 1943: the overlap of two distributions is the sum of the roots of
the products).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from linkage.engine import Bools, Floats
from linkage.layout import Layout

if TYPE_CHECKING:
    from linkage.em import GroupedECM

AS_GOOD = 1e-4  # log-likelihood per pair: nearer than this is as good
ELSEWHERE = 0.05  # a probability that differs by more is another one
FEW_PAIRS = 50.0  # expected pairs of one person that a comparison should be taught by
ALIKE = 0.2  # overlap of two classes from which on they are hard to tell apart


@dataclass(frozen=True)
class Climb:
    """Where one start led: log-likelihood per pair, and probabilities (classes, features)."""

    likelihood: float
    probabilities: Floats

    @classmethod
    def of(cls, ecm: GroupedECM, pairs: float) -> Climb:
        """The end of a fit."""
        return cls(ecm.log_likelihood_[-1] / pairs, np.exp(ecm.feature_log_prob_))


def starts(start: Floats, free: Bools, layout: Layout) -> list[Floats]:
    """Start values that claim less of every other comparison and more of the rest, and the reverse.

    Only where they are free to move.
    """
    timid, bold = (layout.normalised(start**power) for power in (0.4, 1.6))
    every_other = np.repeat(np.arange(len(layout.levels)) % 2 == 0, layout.levels)
    mixed = np.where(every_other, timid, bold), np.where(every_other, bold, timid)
    return [np.where(free, values, start) for values in mixed]


def elsewhere(found: Climb, others: list[Climb], free: Bools) -> dict[str, Any]:
    """What other start values led to; ``settled`` is false where the data leave a choice.

    ``difference`` is the largest of any probability among fits that are as good.
    """
    as_good = [o for o in others if o.likelihood >= found.likelihood - AS_GOOD]
    apart = [np.abs(o.probabilities - found.probabilities)[free].max(initial=0) for o in as_good]
    difference = float(max(apart, default=0.0))
    better = max((o.likelihood for o in others), default=found.likelihood) - found.likelihood
    return {
        "other_starts": len(others),
        "as_good": len(as_good),
        "difference": difference,
        "gain_per_pair": float(max(0.0, better)),
        "settled": difference <= ELSEWHERE,
    }


def well_taught(seen: Floats, layout: Layout) -> Bools:
    """(classes, features) of comparisons that a class has many expected pairs for."""
    result = np.zeros(seen.shape, dtype=bool)
    for part in layout.slices():
        total = seen[:, part][:, ~layout.silent[part]].sum(axis=1)
        result[:, part] = (total >= FEW_PAIRS)[:, None]
    return result


def taught_by_few(names: list[str], pairs: Floats) -> Iterator[str]:
    """Warnings for comparisons that some but few pairs of one person taught."""
    for name, expected in zip(names, pairs, strict=True):
        if 1 <= expected < FEW_PAIRS:
            yield (
                f"comparison '{name}' was taught by about {expected:.0f} pairs of one person: "
                "its weights are rough"
            )


def overlap(one: Floats, other: Floats, spoken: Floats, layout: Layout) -> float:
    """How alike two classes are, 0 to 1, given how often each comparison speaks (comparisons,)."""
    result = 1.0
    for part, share in zip(layout.slices(), spoken, strict=True):
        speaking = ~layout.silent[part]
        common = float(np.sqrt(one[part][speaking] * other[part][speaking]).sum())
        result *= 1 - float(share) * (1 - common)
    return result


def too_alike(
    probabilities: Floats, spoken: Floats, layout: Layout, names: tuple[str, ...]
) -> Iterator[str]:
    """Warnings for the class of one person and each other one."""
    for row, name in enumerate(names):
        common = overlap(probabilities[-1], probabilities[row], spoken, layout)
        if common > ALIKE:
            yield (
                f"pairs of one person and {name} overlap by {common:.0%}: they are hard to tell apart; "
                "add a comparison that differs between them"
            )


Solve = Callable[[Floats], "GroupedECM"]


def climbs(solve: Solve, start: Floats, free: Bools, layout: Layout, pairs: float) -> list[Climb]:
    """Fit again from other start values."""
    return [Climb.of(solve(other), pairs) for other in starts(start, free, layout)]
