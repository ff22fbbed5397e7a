"""Candidate pairs by keyed blocking tokens: each pair once, with the mask of rules that propose it.

The same order of work as in the clear: one join after the other, a pair belonging to the first that
proposes it. A join sorts the tokens and lists the pairs inside each block by arithmetic on its
bounds, some hundred thousand at a time, so memory does not grow with the largest rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from linkage.engine import Bools, Ints, RuleSize
from linkage.model import Model
from linkage.private.columns import Words, equal
from linkage.private.plan import rule_name

_PAIRS = 500_000  # listed at a time


@dataclass(frozen=True)
class Candidates:
    """The blocking rules of a model over the records' tokens."""

    model: Model
    tokens: dict[str, Words]

    def sizes(self) -> list[RuleSize]:
        """What each rule would propose."""
        return [self._size(index) for index in range(len(self.model.blocking))]

    def _size(self, index: int) -> RuleSize:
        rule = self.model.blocking[index]
        values, counts, first = _counted(self.tokens[rule_name(index)])
        if rule.with_ is None:
            many = counts > 1
            blocks, first = counts[many], first[many]
            pairs = blocks * (blocks - 1) // 2
        else:
            others, more, _ = _counted(self.tokens[rule_name(index, True)])
            _, i, j = np.intersect1d(values, others, return_indices=True)
            blocks, first, pairs = counts[i] + more[j], first[i], counts[i] * more[j]
        if not len(blocks):
            return RuleSize(rule.name, 0, 0)
        member = int(first[blocks == blocks.max()].min())
        return RuleSize(rule.name, int(pairs.sum()), int(blocks.max()), member)

    def _joins(self) -> Iterator[tuple[int, Words, Words]]:
        for index, rule in enumerate(self.model.blocking):
            key = self.tokens[rule_name(index)]
            if rule.with_ is None:
                yield index, key, key
            else:
                other = self.tokens[rule_name(index, True)]
                yield index, key, other
                yield index, other, key

    def pairs(self) -> Iterator[tuple[Ints, Ints, Ints]]:
        """(left, right, mask) of all pairs of the rules, in pieces."""
        joins = list(self._joins())
        for number, (_, a, b) in enumerate(joins):
            for left, right in _matches(a, b):
                new = left < right
                for _, x, y in joins[:number]:
                    new &= ~equal(x[left], y[right])
                yield left[new], right[new], self.mask(left[new], right[new])

    def mask(self, left: Ints, right: Ints) -> Ints:
        """(pairs,) of masks: bit i is set when rule i proposes the pair."""
        result = np.zeros(len(left), np.int64)
        for index, x, y in self._joins():
            result |= equal(x[left], y[right]).astype(np.int64) << index
        return result


def _counted(key: Words) -> tuple[Words, Ints, Ints]:
    """(values, records of each, lowest record of each)."""
    rows = np.flatnonzero(key)
    values, first, counts = np.unique(key[rows], return_index=True, return_counts=True)
    return values, counts.astype(np.int64), rows[first]


def _matches(a: Words, b: Words) -> Iterator[tuple[Ints, Ints]]:
    """Pairs (i, j) with a[i] equal to b[j]; where a is b, each once, with i before j."""
    order = np.argsort(b, kind="stable")
    ordered = b[order]
    if a is b:
        rows = order
        first = np.arange(1, len(order) + 1)
    else:
        rows = np.arange(len(a))
        first = np.searchsorted(ordered, a, "left")
    last = np.searchsorted(ordered, a[rows], "right")
    there: Bools = (a[rows] != 0) & (last > first)
    rows, first, counts = rows[there], first[there], (last - first)[there]
    if not len(rows):
        return
    bounds = np.searchsorted(np.cumsum(counts), np.arange(_PAIRS, counts.sum(), _PAIRS), "left")
    for piece in np.split(np.arange(len(rows)), np.unique(bounds)):
        n = counts[piece]
        place = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        yield np.repeat(rows[piece], n), order[np.repeat(first[piece], n) + place]
