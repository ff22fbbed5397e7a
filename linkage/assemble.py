"""From scored pairs to clusters: which pairs connect, what is forbidden, which components need repair.

``forbidden`` are vetoed patterns (different identifiers, twins), a reviewer's cannot-link, and two
records of a source that holds each person once. A reviewer's must-link overrides a veto on that
very pair, never another reviewer's cannot-link; every such contradiction is listed. A component in
which every pair speaks for one person is one cluster; any other is built anew (``average``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from linkage.average import Evidence, Result, agglomerate
from linkage.cluster import (
    by_size,
    components,
    cut_oversized,
    join_sparsely,
    pairs_within,
    sizes_of,
)
from linkage.decisions import CANNOT_LINK, ONE_PER_SOURCE, Contradiction, Decisions
from linkage.engine import Bools, Floats, Ints
from linkage.estimate import veto_names
from linkage.model import Model
from linkage.packing import Packing
from linkage.score import Scored


@dataclass(frozen=True)
class Population:
    """What clustering knows of the records besides pairs; arrays by record number."""

    source: Ints  # code of each record's source
    single: Bools  # records of sources that hold each person once

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def of(cls, sources: pa.DictionaryArray, model: Model) -> Population:
        """From the name of each record's source."""
        names = sources.dictionary.to_pylist()
        source = np.asarray(sources.indices.fill_null(len(names)), dtype=np.int64)
        single = np.array([*(n in model.one_per_source for n in names), False])
        return cls(source, single[source])


@dataclass(frozen=True)
class Joins:
    """Pairs that put records together, in order: a spanning tree of each cluster."""

    left: Ints
    right: Ints
    mean: Floats  # mean weight between the two parts when they were joined
    decided: Bools

    @classmethod
    def none(cls) -> Joins:
        """No joins."""
        number = np.empty(0, np.int64)
        return cls(number, number, np.empty(0), np.empty(0, dtype=bool))

    def and_then(self, *others: Joins) -> Joins:
        """These, then others."""
        parts = (self, *others)
        names = ("left", "right", "mean", "decided")
        return Joins(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))


@dataclass(frozen=True)
class Evident:
    """Scored pairs with what follows from the model and the decisions; arrays by pair."""

    scored: Scored
    linked: Bools
    forbidden: Bools  # whatever reviewers joined
    decided: Bools  # a reviewer joined the pair
    parted: Bools  # a reviewer parted the pair

    @property
    def barred(self) -> Bools:
        """Forbidden, and no reviewer overrode it: only a cannot-link stands against a must-link."""
        return self.forbidden & ~(self.decided & ~self.parted)


@dataclass
class Tally:
    """What happened while components were built anew."""

    labels: Ints
    joins: list[Joins] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)


@dataclass(frozen=True)
class Assembled:
    """Label of each record (its cluster's lowest record), every pair scored, and how it came.

    ``repaired`` are the joins of components that were built anew; ``dropped`` pairs (left, right)
    were cut from oversized components, and ``kept_large`` names components too large to compare
    each with each.
    """

    model: Model
    packing: Packing
    population: Population
    labels: Ints
    before: Ints  # labels of the components before any was built anew
    evident: Evident
    repaired: Joins
    rebuilt: Ints  # labels of the components that were built anew
    dropped: tuple[Ints, Ints]
    proposed: Bools  # of the scored pairs, those that came from the rules
    contradictions: list[Contradiction]
    report: dict[str, Any]

    @property
    def scored(self) -> Scored:
        """Every pair scored."""
        return self.evident.scored

    @cached_property
    def joins(self) -> Joins:
        """The joins of every cluster; those of sound components are worked out here."""
        sound = np.ones(len(self.labels), dtype=bool)
        sound[self.rebuilt] = False
        sizes = sizes_of(self.before)
        scored = self.evident.scored
        inside = np.flatnonzero(
            (self.before[scored.left] == self.before[scored.right])
            & (sizes[self.before[scored.left]] == 2)
            & sound[self.before[scored.left]]
        )
        pairs = scored.take(inside)
        twos = Joins(pairs.left, pairs.right, pairs.weight, np.zeros(len(pairs), dtype=bool))
        wanted = np.flatnonzero(sound & (sizes > 2))
        _, rest, _ = average(self.model, self.evident, self.before, wanted)
        return self.repaired.and_then(twos, rest)


@dataclass(frozen=True)
class Assembler:
    """Builds clusters; ``score_more`` scores pairs (left, right) that no rule proposed.

    ``look_again`` may add evidence to the pairs marked, which lie inside components.
    """

    model: Model
    packing: Packing
    population: Population
    decisions: Decisions
    score_more: Callable[[Ints, Ints], Scored]
    look_again: Callable[[Scored, Bools], Scored] | None = None

    def run(self, scored: Scored) -> Assembled:
        """Cluster all records."""
        evident = self._evident(self._with_decided(scored))
        edge = (evident.linked & ~evident.forbidden) | evident.decided
        left, right = evident.scored.left[edge], evident.scored.right[edge]
        weight = np.where(evident.decided[edge], np.inf, evident.scored.weight[edge])
        whole = components(len(self.population), left, right)
        largest = self.model.limits.component
        before, dropped = cut_oversized(whole, left, right, weight, largest)
        sizes = sizes_of(before)
        large = np.flatnonzero(sizes > largest)
        evident = self._complete(evident, before, sizes)
        wanted = self._doubtful(evident, before, sizes)
        labels, joins, contradictions = average(self.model, evident, before, wanted)
        for label in large:
            joins = joins.and_then(self._build_large(evident, before, labels, int(label)))
        rebuilt = np.union1d(wanted, large)
        contradictions = self._named(self._overridden(evident) + contradictions, evident)
        assembled = Assembled(
            self.model, self.packing, self.population, labels, before, evident, joins, rebuilt,
            (left[dropped], right[dropped]), self._among(evident.scored, scored),
            contradictions, {},
        )  # fmt: skip
        report = {
            "edges": int((evident.linked & ~evident.forbidden).sum()),
            "forbidden_pairs_at_or_above_join": int((evident.linked & evident.forbidden).sum()),
            "components": int((labels == np.arange(len(labels))).sum()),
            "weak_edges_dropped_from_oversized_components": int(dropped.sum()),
            "oversized_components_joined_edge_by_edge": len(large),
            "components_repaired": len(wanted),
            "must_link": len(self.decisions.must),
            "cannot_link": len(self.decisions.cannot),
            "decisions_about_unknown_records": self.decisions.unknown,
            "decisions_that_clash": sum(not c.followed for c in contradictions),
            "decisions_against_a_veto_or_source": sum(c.followed for c in contradictions),
        }
        return replace(assembled, report=report)

    def _with_decided(self, scored: Scored) -> Scored:
        """Add reviewers' pairs that no rule proposed."""
        decided = np.unique(np.concatenate([self.decisions.must, self.decisions.cannot]), axis=0)
        return self._with(scored, decided[:, 0], decided[:, 1])

    def _with(self, scored: Scored, left: Ints, right: Ints) -> Scored:
        """Add pairs, unless they are known."""
        if not len(left):
            return scored
        count = len(self.population)
        wanted, known = left * count + right, scored.left * count + scored.right
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        new = np.unique(wanted[known[at] != wanted] if len(known) else wanted)
        if not len(new):
            return scored
        return scored.with_more(self.score_more(new // count, new % count), count)

    def _among(self, scored: Scored, proposed: Scored) -> Bools:
        """Which of the scored pairs are among the proposed ones."""
        if len(scored) == len(proposed):
            return np.ones(len(scored), dtype=bool)
        count = len(self.population)
        keys = scored.left * count + scored.right
        marks = np.zeros(len(scored), dtype=bool)
        marks[np.searchsorted(keys, proposed.left * count + proposed.right)] = True
        return marks

    def _evident(self, scored: Scored) -> Evident:
        left, right = scored.left, scored.right
        decided = self.decisions.mark(self.decisions.must, left, right)
        parted = self.decisions.mark(self.decisions.cannot, left, right)
        forbidden = scored.veto | parted
        if self.population.single.any():
            source = self.population.source
            forbidden |= (source[left] == source[right]) & self.population.single[left]
        linked = scored.at_least(self.model.thresholds.join)
        return Evident(scored, linked, forbidden, decided, parted)

    def _complete(self, evident: Evident, labels: Ints, sizes: Ints) -> Evident:
        """Add every pair inside a component that no rule proposed, and evidence to all of them."""
        scored = evident.scored
        inside = labels[scored.left][labels[scored.left] == labels[scored.right]]
        known = np.bincount(inside, minlength=len(labels))
        full = (sizes > 1) & (sizes <= self.model.limits.component)
        wanted = np.flatnonzero(full & (known < sizes * (sizes - 1) // 2))
        if len(wanted):
            pairs = [pairs_within(groups) for groups in by_size(labels, wanted)]
            left, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
            scored = self._with(scored, left, right)
        if self.look_again is not None:
            low = labels[scored.left]
            scored = self.look_again(scored, (low == labels[scored.right]) & full[low])
        return evident if scored is evident.scored else self._evident(scored)

    def _doubtful(self, evident: Evident, labels: Ints, sizes: Ints) -> Ints:
        """Components to build anew: some pair is doubtful, forbidden or decided."""
        scored = evident.scored
        doubt = np.flatnonzero(evident.forbidden | evident.decided | (scored.weight <= 0))
        low = labels[scored.left[doubt]]
        found = np.unique(low[low == labels[scored.right[doubt]]])
        looked_at: Ints = found[sizes[found] <= self.model.limits.component]
        return looked_at

    def _build_large(self, evident: Evident, before: Ints, labels: Ints, label: int) -> Joins:
        """Join a component of too many records strongest edge first; changes ``labels``."""
        scored = evident.scored
        inside = (before[scored.left] == label) & (before[scored.right] == label)
        edge = np.flatnonzero(inside & ((evident.linked & ~evident.barred) | evident.decided))
        rank = np.lexsort((edge, -scored.weight[edge], ~evident.decided[edge]))
        edge, bar = edge[rank], np.flatnonzero(inside & evident.barred)
        pairs = [
            list(zip(scored.left[r].tolist(), scored.right[r].tolist(), strict=True))
            for r in (edge, bar)
        ]
        used = edge[join_sparsely(pairs[0], pairs[1])]
        members = np.flatnonzero(before == label)
        number = np.searchsorted(members, np.stack([scored.left[used], scored.right[used]]))
        labels[members] = members[components(len(members), number[0], number[1])]
        unknown = np.full(len(used), np.nan)
        return Joins(scored.left[used], scored.right[used], unknown, evident.decided[used])

    def _overridden(self, evident: Evident) -> list[Contradiction]:
        """Must-links that hold although a veto or their source forbids the pair."""
        rows = np.flatnonzero(evident.decided & evident.forbidden & ~evident.parted)
        pairs = zip(evident.scored.left[rows], evident.scored.right[rows], strict=True)
        return [Contradiction(int(a), int(b), "", int(a), int(b), True) for a, b in pairs]

    def _named(self, found: list[Contradiction], evident: Evident) -> list[Contradiction]:
        """With the name of what speaks against each decision."""
        against = np.array([(c.against_left, c.against_right) for c in found], np.int64)
        left, right = against.reshape(-1, 2).T
        count = len(self.population)
        keys = evident.scored.left * count + evident.scored.right
        rows = np.searchsorted(keys, left * count + right)
        reasons = reasons_of(self.model, self.packing, evident, rows)
        return [replace(c, reason=str(r)) for c, r in zip(found, reasons, strict=True)]


def average(
    model: Model, evident: Evident, before: Ints, wanted: Ints
) -> tuple[Ints, Joins, list[Contradiction]]:
    """Build the wanted components (labels in ``before``, sorted) anew.

    Returns the labels of all records, the joins, and the must-links that could not be followed.
    """
    scored, tally = evident.scored, Tally(before.copy())
    if not len(wanted):
        return tally.labels, Joins.none(), []
    pieces = list(by_size(before, wanted))
    order, position = np.full(len(before), -1, np.int64), np.zeros(len(before), np.int64)
    order[np.concatenate([groups[:, 0] for groups in pieces])] = np.arange(len(wanted))
    for groups in pieces:
        position[groups] = np.arange(groups.shape[1])
    place = order[before[scored.left]]
    rows = np.flatnonzero((place >= 0) & (before[scored.left] == before[scored.right]))
    rows = rows[np.argsort(place[rows], kind="stable")]
    place, start = place[rows], 0
    for groups in pieces:
        first, last = np.searchsorted(place, [start, start + len(groups)])
        mine = rows[first:last]
        evidence = _evidence(groups, evident, mine, place[first:last] - start, position)
        _record(tally, groups, agglomerate(evidence, model.limits.weight_in_mean))
        start += len(groups)
    return tally.labels, Joins.none().and_then(*tally.joins), tally.contradictions


def _evidence(groups: Ints, evident: Evident, rows: Ints, place: Ints, position: Ints) -> Evidence:
    """Square arrays of the scored pairs ``rows`` in the components ``place`` of ``groups``."""
    scored = evident.scored
    i, j = position[scored.left[rows]], position[scored.right[rows]]
    shape = (len(groups), groups.shape[1], groups.shape[1])

    def square(values: Any) -> Any:
        result = np.zeros(shape, dtype=values.dtype)
        result[place, i, j] = result[place, j, i] = values
        return result

    decided = np.flatnonzero(evident.decided[rows])
    return Evidence(
        square(scored.weight[rows]),
        square(evident.linked[rows]),
        square(evident.barred[rows]),
        [(int(place[d]), int(i[d]), int(j[d])) for d in decided],
    )


def _record(tally: Tally, groups: Ints, result: Result) -> None:
    """Note what became of components, in record numbers."""
    tally.labels[groups] = np.take_along_axis(groups, result.part, axis=1)
    steps = result.steps
    left, right = groups[steps.component, steps.i], groups[steps.component, steps.j]
    tally.joins.append(Joins(left, right, steps.mean, steps.decided))
    for c in result.clashes:
        one = groups[c.component]
        numbers = (int(one[p]) for p in (c.i, c.j, c.against_i, c.against_j))
        a, b, x, y = numbers
        tally.contradictions.append(Contradiction(a, b, "", x, y, False))


def reasons_of(model: Model, packing: Packing, evident: Evident, rows: Ints) -> Any:
    """Why each of the pairs ``rows`` is forbidden (object array): decision, veto, or source."""
    reasons = np.full(len(rows), ONE_PER_SOURCE, dtype=object)
    levels = packing.unpack(evident.scored.pattern[rows])
    for name, applies in reversed(veto_names(model, packing, levels)):
        reasons[applies] = name
    reasons[evident.parted[rows]] = CANNOT_LINK
    return reasons
