"""Clusters from scored pairs: components, then closure, then average linkage under constraints.

Pairs at or above the join threshold connect records. A chain of such pairs can still bridge two
people, so every pair inside a component is scored, and where one is doubtful or forbidden the
component is built anew: starting from single records, the two parts with the highest mean weight
between them are joined while that mean is positive, some pair between them reaches the threshold
and none is forbidden. One strong pair cannot outvote several that speak against it, because
weights are capped in the mean. A reviewer's decisions come first. Records are numbered in the order
of their ids and ties go to the lowest numbers, so the order of the input does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.em import Bools, Floats, Ints


def components(count: int, left: Ints, right: Ints) -> Ints:
    """Label each of ``count`` records with the lowest record it is connected to."""
    label: Ints = np.arange(count, dtype=np.int64)
    while True:
        low = np.minimum(label[left], label[right])
        new = label.copy()
        np.minimum.at(new, label[left], low)
        np.minimum.at(new, label[right], low)
        while not np.array_equal(new, new[new]):
            new = new[new]
        if np.array_equal(new, label):
            return label
        label = new


def members(labels: Ints, at_least: int) -> list[Ints]:
    """Records of each component with a number of records, in order of label."""
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    groups: list[NDArray[np.int64]] = np.split(order, starts[1:])
    return [g for g in groups if len(g) >= at_least]


def pairs_within(groups: list[Ints]) -> tuple[Ints, Ints]:
    """All pairs (left < right) inside the groups."""
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for group in groups:
        i, j = np.triu_indices(len(group), 1)
        left.append(group[i])
        right.append(group[j])
    return np.concatenate(left), np.concatenate(right)


def cut_oversized(
    labels: Ints, left: Ints, right: Ints, weight: Floats, largest: int
) -> tuple[Ints, int]:
    """Break components over a size by dropping their weakest edges, two bits at a time.

    Returns the new labels and how many edges were dropped. A component that no threshold breaks
    stays as it is.
    """
    dropped = 0
    floor = float(np.floor(weight.min())) if len(weight) else 0.0
    keep = np.ones(len(left), dtype=bool)
    top = float(weight.max()) if len(weight) else 0.0
    while floor < top:
        sizes = np.bincount(labels, minlength=len(labels))
        if sizes.max(initial=0) <= largest:
            break
        floor += 2.0
        weak = keep & (sizes[labels[left]] > largest) & (weight < floor)
        dropped += int(weak.sum())
        keep &= ~weak
        labels = components(len(labels), left[keep], right[keep])
    return labels, dropped


@dataclass(frozen=True)
class Evidence:
    """About one component's records; all arrays are (records, records) and symmetric.

    ``weight`` is capped; ``linked`` marks pairs at or above the join threshold, ``forbidden`` pairs
    that may not be together, ``joined`` pairs that a reviewer joined.
    """

    weight: Floats
    linked: Bools
    forbidden: Bools
    joined: Bools


class Parts:
    """The parts of a component while they grow; part i is named after its lowest record."""

    def __init__(self, evidence: Evidence) -> None:
        self.records: list[list[int]] = [[i] for i in range(len(evidence.weight))]
        self.total = evidence.weight.copy()
        self.linked = evidence.linked.copy()
        self.forbidden = evidence.forbidden.copy()

    def part_of(self, record: int) -> int:
        """The part that holds a record."""
        return next(i for i, part in enumerate(self.records) if record in part)

    def merge(self, a: int, b: int) -> None:
        """Move part b into part a."""
        self.records[a] = sorted(self.records[a] + self.records[b])
        self.records[b] = []
        self.total[a] += self.total[b]
        self.total[:, a] += self.total[:, b]
        for flags in (self.linked, self.forbidden):
            flags[a] |= flags[b]
            flags[:, a] |= flags[:, b]

    def best(self) -> tuple[int, int] | None:
        """The two parts to join next, or None."""
        sizes = np.array([len(part) for part in self.records], dtype=np.float64)
        area = np.outer(sizes, sizes)
        mean = self.total / np.maximum(area, 1)
        open_ = self.linked & ~self.forbidden & (area > 0)
        mean[~open_ | np.tri(len(mean), dtype=bool)] = -np.inf
        a, b = divmod(int(np.argmax(mean)), len(mean))
        return (a, b) if mean[a, b] > 0 else None


def repair(evidence: Evidence) -> tuple[list[list[int]], int]:
    """Average linkage under constraints: parts of a component, and decisions that clashed."""
    parts, clashes = Parts(evidence), 0
    for i, j in np.argwhere(np.triu(evidence.joined, 1)):
        a, b = sorted((parts.part_of(int(i)), parts.part_of(int(j))))
        if a == b:
            continue
        if parts.forbidden[a, b]:
            clashes += 1
        else:
            parts.merge(a, b)
    while (found := parts.best()) is not None:
        parts.merge(*found)
    return [part for part in parts.records if part], clashes
