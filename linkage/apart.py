"""Comparisons that depend on another one: their probabilities are learnt apart where it says so.

The classes take comparisons for independent of one another. Some are not, in any data: twins share
their birth date, and parents like to give them names alike; two strangers of one given name are of
one sex. A comparison with ``apart_when`` has a second set of probabilities, for pairs that are at
certain levels of the other comparison (Thibaudeau 1993, Survey Methodology 19, and Winkler 1993 met
the same need with interaction terms). They are learnt by expectation-maximisation after the others,
which stay fixed: for households among the pairs of the family rules, for strangers among random
pairs. Pairs that a veto keeps apart (other numbers, another birth order) show what twins look like.
Where there are few such pairs, the general probabilities weigh in. One person keeps those.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from linkage.engine import Bools, Floats, Grouped, Ints
from linkage.estimate import IMPOSSIBLE, Apart, Parameters, mixing_shares, posteriors, vetoed
from linkage.model import Model

GENERAL = 50.0  # pairs that the general probabilities count for
ROUNDS = 200
TOLERANCE = 1e-4


def learn_apart(
    model: Model, parameters: Parameters, patterns: Grouped, random: Grouped, total: float
) -> Parameters:
    """Parameters with what ``apart_when`` asks for; ``total`` is the number of all pairs."""
    current = replace(parameters, apart=_general(parameters))
    if not current.apart:
        return parameters
    among = _Pairs.of(model, current, patterns, random)
    for _ in range(ROUNDS):
        new = among.learn(current)
        moved = max(
            float(np.abs(a.probabilities - b.probabilities).max())
            for a, b in zip(new.apart, current.apart, strict=True)
        )
        current = new
        if moved < TOLERANCE:
            break
    likelihood = among.likelihood(current, among.levels)
    shares, _ = mixing_shares(likelihood, among.counts, total, current.shares)
    return replace(current, shares=shares)


def _general(parameters: Parameters) -> tuple[Apart, ...]:
    """Every dependence that the comparisons ask for, with the general probabilities."""
    packing = parameters.packing
    position = {c.name: i for i, c in enumerate(packing.comparisons)}
    found = []
    for index, comparison in enumerate(packing.comparisons):
        for other, levels in comparison.apart_when.items():
            if other not in position:  # dropped: it cannot speak
                continue
            names = packing.comparisons[position[other]].level_names
            codes = tuple(names.index(level) for level in levels)
            part = parameters.layout.slices()[index]
            found.append(Apart(index, position[other], codes, parameters.probabilities[:, part]))
    return tuple(found)


class _Pairs:
    """The pairs that teach: proposed ones, those of family rules marked, and random ones."""

    def __init__(
        self, model: Model, levels: Ints, counts: Floats, family: Bools, random: tuple[Ints, Floats]
    ) -> None:
        self.model, self.levels, self.counts, self.family = model, levels, counts, family
        self.random_levels, self.random_counts = random

    @classmethod
    def of(cls, model: Model, parameters: Parameters, patterns: Grouped, random: Grouped) -> _Pairs:
        unpack = parameters.packing.unpack
        rules = sum(1 << i for i, r in enumerate(model.blocking) if r.family)
        drawn = unpack(random.pattern), random.count.astype(np.float64)
        counts = patterns.count.astype(np.float64)
        return cls(model, unpack(patterns.pattern), counts, (patterns.mask & rules) != 0, drawn)

    def likelihood(self, parameters: Parameters, levels: Ints) -> Floats:
        likelihood = parameters.log_likelihood(levels)
        forbidden = vetoed(self.model, parameters.packing, levels)
        likelihood[forbidden, parameters.classes.same] += IMPOSSIBLE
        return likelihood

    def learn(self, current: Parameters) -> Parameters:
        """One round: expectation with the current probabilities, then new ones."""
        proposed = posteriors(self.likelihood(current, self.levels), current.shares)
        drawn = posteriors(self.likelihood(current, self.random_levels), current.shares)
        new = []
        for apart in current.apart:
            part = current.layout.slices()[apart.comparison]
            rows = current.probabilities[:, part].copy()
            teachers = [(0, self.random_levels, self.random_counts * drawn[:, 0])]
            if current.classes.household_known:
                weight = self.counts * proposed[:, 1] * self.family
                teachers.append((1, self.levels, weight))
            for row, levels, weight in teachers:
                seen = self._seen(apart, levels, weight, part.stop - part.start)
                speaking = ~current.layout.silent[part]
                found = (seen + GENERAL * rows[row])[speaking]
                rows[row, speaking] = found / found.sum()
            new.append(replace(apart, probabilities=rows))
        return replace(current, apart=tuple(new))

    @staticmethod
    def _seen(apart: Apart, levels: Ints, weight: Floats, width: int) -> Floats:
        """Pairs at each level of the comparison, among those that the dependence is about."""
        chosen = apart.applies(levels)
        seen = np.bincount(levels[chosen, apart.comparison], weight[chosen], width)
        return seen.astype(np.float64)
