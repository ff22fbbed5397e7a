"""Parameters from the data: level probabilities for strangers, households and one person.

Strangers: agreement on a column is its exact collision probability (from the counts of values);
other levels come from random pairs. Pairs that the model itself takes for one person or household
are then subtracted, which matters where nearly every agreement is a true one (identifiers).
One person and household: expectation-maximisation among the pairs of one blocking rule at a time,
without the comparisons that the rule fixes; the rules' results are averaged on the log scale,
weighted by their pairs of one person. The household class is learnt in the rules marked ``family``.
Vetoed patterns cannot be one person, in training too. Each fit is checked for convergence and for
label switching; a switched fit is left out and reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from linkage.classifier import grouped_ecm
from linkage.engine import Bools, Engine, Floats, Grouped, Ints
from linkage.layout import Layout
from linkage.model import Model
from linkage.packing import Packing

if TYPE_CHECKING:
    from linkage.em import GroupedECM

IMPOSSIBLE = -60.0  # log-likelihood added for a class that a veto rules out
FEWEST_PAIRS = 20.0  # a rule with fewer pairs of one person teaches nothing


@dataclass(frozen=True)
class Classes:
    """Positions of the latent classes; without shared comparisons there is no household class."""

    household_known: bool

    @property
    def count(self) -> int:
        """Number of classes."""
        return 3 if self.household_known else 2

    @property
    def same(self) -> int:
        """Position of the class of pairs of one person; strangers are 0, households 1."""
        return self.count - 1


@dataclass(frozen=True)
class Apart:
    """A comparison's level probabilities (classes, levels) for pairs at some levels of another one."""

    comparison: int
    other: int
    codes: tuple[int, ...]
    probabilities: Floats

    def applies(self, levels: Ints) -> Bools:
        """Rows of level codes (pairs, comparisons) that these probabilities are for."""
        result: Bools = np.isin(levels[:, self.other], self.codes)
        return result


@dataclass(frozen=True)
class Parameters:
    """What was learnt: probabilities (classes, features), shares of all pairs, and how it went.

    ``moved`` (classes,) is how often a pair at two places has a witness of the move (``moves``).
    """

    classes: Classes
    packing: Packing
    layout: Layout
    probabilities: Floats
    shares: Floats
    training: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    apart: tuple[Apart, ...] = ()
    moved: Floats | None = None

    def kernel(self, shares: Floats | None = None) -> GroupedECM:
        """The fitted classifier, with shares of all pairs as its priors."""
        priors = self.shares if shares is None else shares
        return grouped_ecm(self.layout).set_parameters(priors, self.probabilities)

    def log_likelihood(self, levels: Ints) -> Floats:
        """(pairs, comparisons) of level codes to (pairs, classes) of log-likelihoods."""
        if not len(levels):
            return np.empty((0, self.classes.count))
        ecm = self.kernel(np.ones(self.classes.count))
        result = np.asarray(ecm._joint_log_likelihood(ecm.encode(levels)))
        for apart in self.apart:
            rows = np.flatnonzero(apart.applies(levels))
            part = self.layout.slices()[apart.comparison]
            difference = np.log(apart.probabilities) - np.log(self.probabilities[:, part])
            result[rows] += difference.T[levels[rows, apart.comparison]]
        return result

    def of(self, comparison: int, class_index: int) -> Floats:
        """Probabilities of one comparison's levels in one class, by code."""
        row: Floats = self.probabilities[class_index, self.layout.slices()[comparison]]
        return row


def make_layout(packing: Packing) -> Layout:
    """One-hot layout of a packing: missing and neutral levels are silent."""
    levels = tuple(len(c.level_names) for c in packing.comparisons)
    silent = np.zeros(sum(levels), dtype=bool)
    start = 0
    for comparison, width in zip(packing.comparisons, levels, strict=True):
        silent[[start + code for code in comparison.neutral_codes]] = True
        start += width
    return Layout(levels, silent)


def veto_names(model: Model, packing: Packing, levels: Ints) -> list[tuple[str, Bools]]:
    """For each veto, which rows of level codes it applies to. A dropped comparison is missing."""
    position = {c.name: i for i, c in enumerate(packing.comparisons)}
    result = []
    for veto in model.vetoes:
        applies = np.ones(len(levels), dtype=bool)
        for name, wanted in veto.when.items():
            if name not in position:
                applies &= "missing" in wanted
                continue
            names = packing.comparisons[position[name]].level_names
            codes = [names.index(w) for w in wanted]
            applies &= np.isin(levels[:, position[name]], codes)
        result.append((veto.name, applies))
    return result


def vetoed(model: Model, packing: Packing, levels: Ints) -> Bools:
    """Rows of level codes to which any veto applies."""
    result = np.zeros(len(levels), dtype=bool)
    for _, applies in veto_names(model, packing, levels):
        result |= applies
    return result


def held_out(model: Model, packing: Packing, rule: int) -> Bools:
    """Comparisons that a blocking rule fixes, because both read the same input."""
    keys = (*model.blocking[rule].equal, *model.blocking[rule].other)
    fixed = frozenset().union(*(model.inputs_of(k.column) for k in keys))
    return np.array(
        [any(model.inputs_of(c) & fixed for c in comp.columns) for comp in packing.comparisons]
    )


def start_same(layout: Layout) -> Floats:
    """Start values for one person: mostly the first level, seldom different."""
    row = np.ones(layout.features)
    for part in layout.slices():
        speaking = np.flatnonzero(~layout.silent[part]) + part.start
        row[speaking] = 0.10 / max(1, len(speaking) - 2)
        row[speaking[0]], row[speaking[-1]] = 0.85, 0.05
    return layout.normalised_row(row)


def stranger_rates(
    engine: Engine, packing: Packing, layout: Layout, random: Grouped
) -> tuple[Floats, Floats]:
    """(features,) share of random pairs at each level, and (comparisons,) share that speak."""
    levels = packing.unpack(random.pattern)
    ecm = grouped_ecm(layout)
    counts: Floats = random.count @ ecm.encode(levels)
    rates = layout.normalised_row(counts + 0.5)
    spoken = np.array([1 - counts[p][0] / random.count.sum() for p in layout.slices()])
    for index, comparison in enumerate(packing.comparisons):
        column = comparison.levels[0].exact
        if column is None or comparison.columns != (column,) or comparison.only_if_missing:
            continue
        part = layout.slices()[index]
        exact = part.start + 1
        collision = engine.collision_probability(column)
        others = [f for f in range(part.start + 2, part.stop) if not layout.silent[f]]
        rates[others] *= (1 - collision) / rates[others].sum()
        rates[exact] = collision
    floored: Floats = np.maximum(rates, 1e-12)
    return floored, spoken


def mixing_shares(
    likelihood: Floats, counts: Floats, total: float, start: Floats, rounds: int = 200
) -> tuple[Floats, Floats]:
    """Shares of the classes among ``total`` pairs, and the posteriors (rows, classes).

    Pairs that no rule proposed count as strangers.
    """
    shares = start
    for _ in range(rounds):
        posterior = posteriors(likelihood, shares)
        found = np.maximum(counts @ posterior / total, 1 / total)
        found[0] = 1 - found[1:].sum()
        moved = np.abs(np.log(found[1:]) - np.log(shares[1:])).max()
        shares = found
        if moved < 1e-4:
            break
    return shares, posteriors(likelihood, shares)


def posteriors(likelihood: Floats, shares: Floats | None = None) -> Floats:
    """(rows, classes) of log-likelihoods to probabilities of the classes; shares may be in them."""
    joint = likelihood + (0.0 if shares is None else np.log(shares))
    joint -= joint.max(axis=1, keepdims=True)
    weight = np.exp(joint)
    result: Floats = weight / weight.sum(axis=1, keepdims=True)
    return result
