"""Families that moved together: one person's move seen in another's records.

Two records of one child at two addresses have little left to be known by where names are common. But
a family moves as a whole: where a sibling's or a parent's records are joined across the same two
places, that move is known, and the child's two addresses agree as one address would. A comparison
with the test ``moved_together`` says so, once the other comparisons have weighed the pair.

A witness is another person: a pair that is joined without this evidence, in no component with either
record of the pair that it speaks for. So no pair supports itself, and no chain of pairs does. The
evidence is for pairs that a reviewer would be shown anyway (``thresholds.review``), and for all pairs
of a component that is looked at whole. That nobody witnesses a move says nothing: many children have
no siblings on record. All of it is arithmetic on arrays of scored pairs, so it is the same for every
engine, and for an incremental run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from linkage.arrays import distinct
from linkage.cluster import components
from linkage.decisions import Decisions
from linkage.engine import Bools, Engine, Floats, Ints, ValueEngine
from linkage.estimate import Parameters
from linkage.model import Model
from linkage.packing import Packing
from linkage.score import Scored

CAUTION = 50.0  # pairs that the start values count for
ROUNDS = 50
TOLERANCE = 1e-3
WITNESSED = 1  # code of the level


@dataclass(frozen=True)
class Moves:
    """Who moved from where to where. ``place`` is each record's, -1 where it is not known; ``label``
    its component; ``keys`` are the moves, ``witnesses`` the components that made them, in order."""

    place: Ints
    label: Ints
    keys: Ints
    witnesses: Ints  # position of the move among ``keys``, times the records, plus the label

    @classmethod
    def of(cls, scored: Scored, place: Ints, model: Model, decisions: Decisions) -> Moves:
        """The moves of people whose records are joined across two places."""
        strong = scored.at_least(model.thresholds.join) & ~scored.veto
        strong &= ~decisions.mark(decisions.cannot, scored.left, scored.right)
        left, right = scored.left[strong], scored.right[strong]
        label = components(len(place), left, right)
        key = _key(place[left], place[right])
        moved = np.flatnonzero(key >= 0)
        keys = distinct(key[moved])
        at = np.searchsorted(keys, key[moved])
        return cls(place, label, keys, distinct(at * len(place) + label[left[moved]]))

    def between(self, left: Ints, right: Ints) -> Ints:
        """For each pair the move between its places, -1 where one is not known or they are one."""
        return _key(self.place[left], self.place[right])

    def witnessed(self, left: Ints, right: Ints) -> Bools:
        """Pairs whose move another person made."""
        result = np.zeros(len(left), dtype=bool)
        if not len(self.keys):
            return result
        key = self.between(left, right)
        rows = np.flatnonzero(key >= 0)
        at = np.minimum(np.searchsorted(self.keys, key[rows]), len(self.keys) - 1)
        known = self.keys[at] == key[rows]
        rows, at = rows[known], at[known]
        own, other = self.label[left[rows]], self.label[right[rows]]
        others = self._counts[at] - self._made(at, own)
        others -= self._made(at, other) & (own != other)
        result[rows] = others > 0
        return result

    @cached_property
    def _counts(self) -> Ints:
        """How many people made each move."""
        return np.bincount(self.witnesses // len(self.place), minlength=len(self.keys))

    def _made(self, at: Ints, label: Ints) -> Bools:
        """Whether the component is among the witnesses of the move."""
        wanted = at * len(self.place) + label
        found = np.minimum(np.searchsorted(self.witnesses, wanted), len(self.witnesses) - 1)
        result: Bools = self.witnesses[found] == wanted
        return result

    def by_chance(self) -> float:
        """How often two records that live apart lie at the ends of some witnessed move."""
        counts = np.bincount(self.place + 1)[1:].astype(np.float64)
        apart = (counts.sum() ** 2 - (counts**2).sum()) / 2
        ends = counts[self.keys >> 32] @ counts[self.keys & (2**32 - 1)]
        return float(max(ends, 1.0) / max(apart, 1.0))

    def rates(self, scored: Scored, seen: Bools, classes: int) -> Floats:
        """(classes,) how often a pair that lives apart is witnessed (``seen``), among pairs that look alike.

        By expectation-maximisation from the weights that the pairs have, which stay. Where there are
        few pairs, strangers keep the chance of any two records, one person no more than that, and a
        household what one person has.
        """
        apart = (self.between(scored.left, scored.right) >= 0) & ~scored.veto
        witnessed = _belief(scored.take(np.flatnonzero(seen & ~scored.veto)), classes)
        unseen = _belief(scored.take(np.flatnonzero(apart & ~seen)), classes).sum(axis=0)
        chance = self.by_chance()
        rates = np.full(classes, 0.5)
        rates[0] = chance
        for _ in range(ROUNDS):
            joint = witnessed * rates
            found = (joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)).sum(axis=0)
            new = (found + CAUTION * chance) / (found + unseen + CAUTION)
            if classes == 3:
                new[1] = (found[1] + CAUTION * new[-1]) / (found[1] + unseen[1] + CAUTION)
            new[0] = max(new[0], chance)
            new[-1] = max(new[-1], new[0])  # evidence for one person, or none
            moved = np.abs(new - rates).max()
            rates = new
            if moved < TOLERANCE:
                break
        return rates


@dataclass(frozen=True)
class Witnesses:
    """Adds to scored pairs what the moves say, by ``rates`` (classes,) of witnessed pairs.

    Without moves nothing is added. Patterns are of ``packing``. ``seen`` marks the pairs witnessed among
    those that the moves are from; ``before`` collects the changed pairs as they were.
    """

    model: Model
    packing: Packing
    moves: Moves | None = None
    rates: Floats | None = None
    seen: Bools | None = None
    before: list[Scored] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        model: Model,
        packing: Packing,
        place: Ints | None,
        scored: Scored,
        decisions: Decisions,
        parameters: Parameters,
        learn: bool,
    ) -> Witnesses:
        """From pairs scored without this evidence; the rates are learnt, or those of a fit."""
        if place is None or not (learn or parameters.moved is not None):
            return cls(model, packing)
        moves = Moves.of(scored, place, model, decisions)
        seen = moves.witnessed(scored.left, scored.right)
        rates = moves.rates(scored, seen, parameters.classes.count) if learn else parameters.moved
        return cls(model, with_moves(packing, model), moves, rates, seen)

    def first(self, scored: Scored) -> Scored:
        """The pairs that the moves are from, with the evidence for those worth a review."""
        if self.seen is None:
            return scored
        return self._with_evidence(scored, np.flatnonzero(self._open(scored) & self.seen))

    def __call__(self, scored: Scored) -> Scored:
        """Other pairs, with the evidence for those worth a review."""
        return self._where_seen(scored, np.flatnonzero(self._open(scored)))

    @property
    def look_again(self) -> Callable[[Scored, Bools], Scored] | None:
        """Adds the evidence to the pairs marked that were not worth a review by themselves."""
        if self.moves is None:
            return None
        return lambda scored, inside: self._where_seen(
            scored, np.flatnonzero(inside & ~self._open(scored))
        )

    def _open(self, scored: Scored) -> Bools:
        return scored.at_least(self.model.thresholds.review)

    def _where_seen(self, scored: Scored, rows: Ints) -> Scored:
        if self.moves is None:
            return scored
        new = rows[scored.pattern[rows] & self._bit == 0]
        seen = self.moves.witnessed(scored.left[new], scored.right[new])
        return self._with_evidence(scored, new[seen])

    def _with_evidence(self, scored: Scored, rows: Ints) -> Scored:
        if not len(rows) or self.rates is None:
            return scored
        old = scored.take(rows)
        self.before.append(old)
        stranger = self.rates[0] * (1 - old.household)
        family = (self.rates[1] if len(self.rates) == 3 else 0.0) * old.household
        other = stranger + family
        new = replace(
            old,
            weight=old.weight + np.log2(self.rates[-1] / other),
            household=family / other,
            pattern=old.pattern | self._bit,
        )
        return _with_rows(scored, rows, new)

    @property
    def _bit(self) -> int:
        position = next(i for i, c in enumerate(self.packing.comparisons) if c.moved)
        return WITNESSED << self.packing.shifts[position]


def as_it_was(scored: Scored, before: Sequence[Scored], records: int) -> Scored:
    """Ordered pairs without the evidence that was added to some of them."""
    for old in before:
        keys = scored.left * records + scored.right
        rows = np.searchsorted(keys, old.left * records + old.right)
        scored = _with_rows(scored, rows, old)
    return scored


def _with_rows(scored: Scored, rows: Ints, new: Scored) -> Scored:
    """The pairs with other weights and patterns in some rows."""
    weight, household, pattern = (
        scored.weight.copy(),
        scored.household.copy(),
        scored.pattern.copy(),
    )
    weight[rows], household[rows], pattern[rows] = new.weight, new.household, new.pattern
    return replace(scored, weight=weight, household=household, pattern=pattern)


def places(engine: Engine, model: Model) -> Ints | None:
    """The number of each record's place; None where nobody asks or nobody knows."""
    if (asked := model.moves) is None or not isinstance(engine, ValueEngine):
        return None
    found = engine.numbers(str(asked.moved))
    return found if len(found) and found.max() >= 0 else None


def with_moves(packing: Packing, model: Model) -> Packing:
    """The packing of patterns that may have the evidence; patterns without it stay as they are."""
    asked = model.moves
    if asked is None or packing.named(asked.name):
        return packing
    return Packing((*packing.comparisons, asked))


def _key(one: Ints, other: Ints) -> Ints:
    """Two places as one number, whichever comes first; -1 where one is not known or they are one."""
    low, high = np.minimum(one, other).astype(np.int64), np.maximum(one, other)
    return np.where((low >= 0) & (low != high), low << 32 | high, -1)


def _belief(pairs: Scored, classes: int) -> Floats:
    """(pairs, classes) probabilities of stranger, household and one person."""
    other = pairs.other
    columns = [other * (1 - pairs.household), other * pairs.household, pairs.probability]
    return np.stack(columns if classes == 3 else [other, pairs.probability], axis=1)
