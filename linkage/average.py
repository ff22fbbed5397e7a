"""Average linkage under constraints, for many components of one size at a time.

Starting from single records, the two parts of a component with the highest mean weight between
them are joined while that mean is positive, some pair between them reaches the join threshold and
none is forbidden. Every component takes one step in each round, so a round is a few array
operations however many components there are. Ties go to the lowest records. Weights are capped in
the mean, so that one strong pair cannot outvote several that speak against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from linkage.engine import Bools, Floats, Ints


@dataclass(frozen=True)
class Evidence:
    """About components of k records each; arrays are (components, k, k) and symmetric.

    ``linked`` marks pairs at or above the join threshold, ``forbidden`` pairs that may not be
    together. ``decided`` are pairs (component, i, j) with i < j that a reviewer joined, in the
    order in which they are tried.
    """

    weight: Floats
    linked: Bools
    forbidden: Bools
    decided: Sequence[tuple[int, int, int]] = ()


@dataclass(frozen=True)
class Steps:
    """Joins in order: the component, the pair that joined, the mean weight between the parts."""

    component: Ints
    i: Ints
    j: Ints
    mean: Floats
    decided: Bools


@dataclass(frozen=True)
class Clash:
    """A decision (i, j) that was not followed, because (against_i, against_j) may not be together."""

    component: int
    i: int
    j: int
    against_i: int
    against_j: int


@dataclass(frozen=True)
class Result:
    """``part`` (components, k): each record's part, named after the part's lowest record."""

    part: Ints
    steps: Steps
    clashes: list[Clash]


class Growing:
    """The parts while they grow: sums of capped weights and flags between parts, by lowest record."""

    def __init__(self, evidence: Evidence, cap: float) -> None:
        self.evidence = evidence
        count, self.k = evidence.weight.shape[:2]
        self.part = np.tile(np.arange(self.k), (count, 1))
        self.total = np.clip(evidence.weight, -cap, cap)
        self.linked, self.forbidden = evidence.linked.copy(), evidence.forbidden.copy()
        self.size = np.ones((count, self.k))
        self.row = np.arange(count)  # the components that still grow
        self.found: list[tuple[Ints, Ints, Ints, Floats, Bools]] = []

    def merge(self, at: Ints, a: Ints, b: Ints) -> None:
        """Move part b into part a, for the growing components ``at``."""
        self.total[at, a] += self.total[at, b]
        self.total[at, :, a] += self.total[at, :, b]
        for flags in (self.linked, self.forbidden):
            flags[at, a] |= flags[at, b]
            flags[at, :, a] |= flags[at, :, b]
        self.linked[at, b] = False
        self.linked[at, :, b] = False
        self.size[at, a] += self.size[at, b]
        part = self.part[self.row[at]]
        self.part[self.row[at]] = np.where(part == b[:, None], a[:, None], part)

    def decide(self, component: int, i: int, j: int) -> Clash | None:
        """Follow a reviewer's decision, or say what forbids it."""
        part = self.part[component]
        a, b = sorted((int(part[i]), int(part[j])))
        if a == b:
            return None
        between = np.outer(part == a, part == b)
        if self.forbidden[component, a, b]:
            x, y = np.argwhere(between & self.evidence.forbidden[component])[0]
            return Clash(component, i, j, int(min(x, y)), int(max(x, y)))
        mean = self.total[component, a, b] / (self.size[component, a] * self.size[component, b])
        at, low, high = (np.array([v]) for v in (component, a, b))
        self.found.append((at, np.array([i]), np.array([j]), np.array([mean]), np.array([True])))
        self.merge(at, low, high)
        return None

    def step(self) -> bool:
        """Join the best two parts of every component that has two to join."""
        area = self.size[:, :, None] * self.size[:, None, :]
        open_ = self.linked & ~self.forbidden & np.triu(np.ones((self.k, self.k), dtype=bool), 1)
        mean = np.where(open_, self.total / area, -np.inf).reshape(len(self.row), -1)
        best = mean.argmax(axis=1)
        value = mean[np.arange(len(best)), best]
        live = value > 0
        if not live.all():
            self.row, self.total, self.size = self.row[live], self.total[live], self.size[live]
            self.linked, self.forbidden = self.linked[live], self.forbidden[live]
            best, value = best[live], value[live]
        if not len(self.row):
            return False
        a, b = np.divmod(best, self.k)
        self._note(a, b, value)
        self.merge(np.arange(len(a)), a, b)
        return True

    def _note(self, a: Ints, b: Ints, mean: Floats) -> None:
        """The strongest pair between two parts that are about to be joined."""
        part = self.part[self.row]
        between = (part == a[:, None])[:, :, None] & (part == b[:, None])[:, None, :]
        between &= self.evidence.linked[self.row]
        weight = np.where(between, self.evidence.weight[self.row], -np.inf)
        i, j = np.divmod(weight.reshape(len(a), -1).argmax(axis=1), self.k)
        decided = np.zeros(len(a), dtype=bool)
        self.found.append((self.row, np.minimum(i, j), np.maximum(i, j), mean, decided))


def agglomerate(evidence: Evidence, cap: float) -> Result:
    """Parts of each component, the joins in order, and decisions that clashed."""
    growing, clashes = Growing(evidence, cap), []
    for decision in evidence.decided:
        if (clash := growing.decide(*decision)) is not None:
            clashes.append(clash)
    while len(growing.row) and growing.k > 1 and growing.step():
        pass
    empty = np.empty(0, np.int64)
    nothing = (empty, empty, empty, np.empty(0), np.empty(0, dtype=bool))
    columns = zip(nothing, *growing.found, strict=True)
    return Result(growing.part, Steps(*(np.concatenate(c) for c in columns)), clashes)
