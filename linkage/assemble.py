"""From scored pairs to clusters: which pairs connect, what is forbidden, which components need repair.

``forbidden`` are vetoed patterns (different identifiers, twins), a reviewer's cannot-link, and two
records of a source that holds each person once. A reviewer's must-link overrides a veto on that
very pair, never another reviewer's cannot-link; such a clash is counted and the records stay apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from linkage.cluster import (
    Evidence,
    components,
    cut_oversized,
    members,
    pairs_within,
    repair,
)
from linkage.em import Bools, Ints
from linkage.model import Model
from linkage.score import Scored

Pairs = set[tuple[int, int]]


@dataclass(frozen=True)
class Decisions:
    """Reviewers' pairs as record numbers (lower, higher); pairs of unknown records are counted."""

    must: Pairs
    cannot: Pairs
    unknown: int

    @classmethod
    def of(
        cls,
        number: dict[str, int],
        must: Iterable[tuple[str, str]],
        cannot: Iterable[tuple[str, str]],
    ) -> Decisions:
        """Translate pairs of record ids."""
        found: list[Pairs] = [set(), set()]
        unknown = 0
        for target, pairs in zip(found, (must, cannot), strict=True):
            for a, b in pairs:
                if a in number and b in number and a != b:
                    target.add((min(number[a], number[b]), max(number[a], number[b])))
                else:
                    unknown += 1
        return cls(found[0], found[1], unknown)


@dataclass(frozen=True)
class Assembled:
    """Label of each record (its cluster's lowest record), every pair scored, and a report."""

    labels: Ints
    scored: Scored
    report: dict[str, Any]


@dataclass(frozen=True)
class Assembler:
    """Builds clusters; ``score_more`` scores pairs (left, right) that no rule proposed."""

    model: Model
    count: int
    source: Ints  # code of each record's source
    single: Bools  # records of sources that hold each person once
    decisions: Decisions
    score_more: Callable[[Ints, Ints], Scored]

    def run(self, scored: Scored) -> Assembled:
        """Cluster all records."""
        edge = self._linked(scored) & ~self._forbidden(scored)
        must = _arrays(self.decisions.must)
        left = np.concatenate([scored.left[edge], must[0]])
        right = np.concatenate([scored.right[edge], must[1]])
        weight = np.concatenate([scored.weight[edge], np.full(len(must[0]), np.inf)])
        labels = components(self.count, left, right)
        finite = np.where(np.isfinite(weight), weight, 1e9)
        labels, dropped = cut_oversized(labels, left, right, finite, self.model.limits.component)
        groups = members(labels, 3)
        scored = self._complete(scored, groups)
        labels, repaired, clashes = self._repair(labels, scored)
        report = {
            "edges": int(edge.sum()),
            "forbidden_pairs_at_or_above_join": int(
                (self._linked(scored) & self._forbidden(scored)).sum()
            ),
            "components": len(np.unique(labels)),
            "weak_edges_dropped_from_oversized_components": dropped,
            "components_repaired": repaired,
            "must_link": len(self.decisions.must),
            "cannot_link": len(self.decisions.cannot),
            "decisions_about_unknown_records": self.decisions.unknown,
            "decisions_that_clash": clashes,
        }
        return Assembled(labels, scored, report)

    def _linked(self, scored: Scored) -> Bools:
        result: Bools = scored.probability >= self.model.thresholds.join
        return result

    def _forbidden(self, scored: Scored) -> Bools:
        same_source = self.source[scored.left] == self.source[scored.right]
        result: Bools = scored.veto | (same_source & self.single[scored.left])
        if self.decisions.cannot:
            result |= _contains(scored, self.decisions.cannot, self.count)
        return result

    def _complete(self, scored: Scored, groups: list[Ints]) -> Scored:
        """Add every pair inside a component that no rule proposed, and reviewers' pairs."""
        left, right = pairs_within(groups)
        extra = _arrays(self.decisions.must | self.decisions.cannot)
        wanted = np.concatenate([left, extra[0]]) * self.count + np.concatenate([right, extra[1]])
        known = scored.left * self.count + scored.right
        new = np.setdiff1d(wanted, known)
        if not len(new):
            return scored
        more = self.score_more(new // self.count, new % self.count)
        return _ordered(scored, more, self.count)

    def _repair(self, labels: Ints, scored: Scored) -> tuple[Ints, int, int]:
        """Rebuild the components in which some pair is doubtful, forbidden or decided."""
        forbidden, linked = self._forbidden(scored), self._linked(scored)
        inside = labels[scored.left] == labels[scored.right]
        decided = _contains(scored, self.decisions.must, self.count)
        doubtful = inside & (forbidden | decided | (scored.weight <= 0))
        wanted = np.unique(labels[scored.left[doubtful]])
        rows = np.flatnonzero(inside & np.isin(labels[scored.left], wanted))
        rows = rows[np.argsort(labels[scored.left[rows]], kind="stable")]
        starts = np.searchsorted(labels[scored.left[rows]], wanted)
        labels, clashes = labels.copy(), 0
        cap = self.model.limits.weight_in_mean
        for chunk in np.split(rows, starts[1:]) if len(rows) else []:
            records = np.unique(np.concatenate([scored.left[chunk], scored.right[chunk]]))
            i = np.searchsorted(records, scored.left[chunk])
            j = np.searchsorted(records, scored.right[chunk])
            size = (len(records), len(records))
            evidence = Evidence(
                _square(size, i, j, np.clip(scored.weight[chunk], -cap, cap)),
                _square(size, i, j, linked[chunk]),
                _square(size, i, j, forbidden[chunk] & ~self._overridden(scored, chunk)),
                _square(size, i, j, decided[chunk]),
            )
            parts, clashed = repair(evidence)
            clashes += clashed
            for part in parts:
                labels[records[part]] = records[part[0]]
        return labels, len(wanted), clashes

    def _overridden(self, scored: Scored, rows: Ints) -> Bools:
        """Pairs that a reviewer joined and none parted: a veto does not hold for them."""
        chosen = scored.take(rows)
        joined = _contains(chosen, self.decisions.must, self.count)
        return joined & ~_contains(chosen, self.decisions.cannot, self.count)


def _square(size: tuple[int, int], i: Ints, j: Ints, values: Any) -> Any:
    result = np.zeros(size, dtype=values.dtype)
    result[i, j] = values
    result[j, i] = values
    return result


def _arrays(pairs: Pairs) -> tuple[Ints, Ints]:
    ordered = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return ordered[:, 0], ordered[:, 1]


def _contains(scored: Scored, pairs: Pairs, count: int) -> Bools:
    """Which scored pairs are among the given ones."""
    left, right = _arrays(pairs)
    result: Bools = np.isin(scored.left * count + scored.right, left * count + right)
    return result


def _ordered(a: Scored, b: Scored, count: int) -> Scored:
    """Both, ordered by (left, right)."""
    names = ("left", "right", "pattern", "weight", "posterior", "veto")
    both = Scored(*(np.concatenate([getattr(a, n), getattr(b, n)]) for n in names))
    return both.take(np.argsort(both.left * count + both.right, kind="stable"))
