"""Training: which rule teaches what, in which order, and what is made of the results.

Family rules come first and teach the household class; the others take it as given. All is done
twice, because the first round says how many pairs are one person, and that corrects the rates at
which strangers agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from linkage.apart import learn_apart
from linkage.classifier import grouped_ecm
from linkage.diagnose import Climb, climbs, elsewhere, taught_by_few, too_alike, well_taught
from linkage.engine import Bools, Engine, Floats, Grouped, Ints
from linkage.estimate import (
    FEWEST_PAIRS,
    IMPOSSIBLE,
    Classes,
    Parameters,
    held_out,
    make_layout,
    mixing_shares,
    posteriors,
    start_same,
    stranger_rates,
    vetoed,
)
from linkage.layout import Layout
from linkage.model import Model
from linkage.packing import Packing

if TYPE_CHECKING:
    from linkage.em import GroupedECM

ROUNDS = 2


@dataclass(frozen=True)
class Fit:
    """What one rule taught: probabilities (classes, features), and which features it may teach."""

    probabilities: Floats
    taught: Bools
    pairs: Floats  # expected pairs of each class
    seen: Floats  # (features,) expected pairs of one person at each level
    report: dict[str, Any]


@dataclass(frozen=True)
class Trainer:
    """Everything that training reads; ``patterns`` are all pairs of the rules, grouped."""

    model: Model
    packing: Packing
    layout: Layout
    classes: Classes
    patterns: Grouped
    rates: Floats
    spoken: Floats
    total: float

    def run(self) -> Parameters:
        """Learn all parameters."""
        current = self._start()
        for number in range(ROUNDS):
            strangers = self._strangers(current)
            rows = self._replace(current.probabilities, 0, strangers)
            current = self._round(rows, check=number == ROUNDS - 1)
        return current

    def _start(self) -> Parameters:
        """Start values; no pair is yet taken for one person."""
        same = start_same(self.layout)
        rows = [self.rates, same]
        if self.classes.household_known:
            shared = self._by_feature([c.shared_by_household for c in self.packing.comparisons])
            rows.insert(1, np.where(shared, same, self.rates))
        shares = np.array([1.0, *[0.0] * (self.classes.count - 1)])
        return Parameters(self.classes, self.packing, self.layout, np.stack(rows), shares)

    def _by_feature(self, by_comparison: list[bool] | Bools) -> Bools:
        result: Bools = np.repeat(np.asarray(by_comparison), self.layout.levels)
        return result

    @staticmethod
    def _replace(probabilities: Floats, row: int, values: Floats) -> Floats:
        result = probabilities.copy()
        result[row] = values
        return result

    def _strangers(self, current: Parameters) -> Floats:
        """Rates at which strangers agree: those of all pairs, less the pairs known otherwise."""
        if not current.shares[1:].any():
            return self.rates
        likelihood = self._likelihood(current)
        _, posterior = mixing_shares(likelihood, self._counts, self.total, current.shares)
        known = (self._counts * posterior[:, 1:].sum(axis=1)) @ self._encoded
        everyone = self.rates * self._by_comparison(self.spoken) * self.total
        # At least a fiftieth stays, and half a pair: the subtraction is an estimate.
        left = np.maximum(np.maximum(everyone - known, 0.02 * everyone), 0.5)
        return self.layout.normalised_row(left)

    def _by_comparison(self, values: Floats) -> Floats:
        result: Floats = np.repeat(values, self.layout.levels)
        return result

    @cached_property
    def _counts(self) -> Floats:
        return self.patterns.count.astype(np.float64)

    @cached_property
    def _levels(self) -> Ints:
        return self.packing.unpack(self.patterns.pattern)

    @cached_property
    def _encoded(self) -> Floats:
        return grouped_ecm(self.layout).encode(self._levels)

    @cached_property
    def _vetoed(self) -> Bools:
        return vetoed(self.model, self.packing, self._levels)

    def _likelihood(self, current: Parameters) -> Floats:
        likelihood = current.log_likelihood(self._levels)
        likelihood[self._vetoed, self.classes.same] += IMPOSSIBLE
        return likelihood

    def _round(self, probabilities: Floats, check: bool) -> Parameters:
        """Family rules, then the others, then the shares of the classes.

        With ``check`` every rule is fitted from other start values too.
        """
        rules = [i for i, r in enumerate(self.model.blocking) if r.train and self._has_pairs(i)]
        families = [i for i in rules if self.model.blocking[i].family and self.classes.count == 3]
        fits = [self._fit(rule, probabilities, True, check) for rule in families]
        if families:
            probabilities = self._combine(probabilities, fits, 1)
        fits += [self._fit(r, probabilities, False, check) for r in rules if r not in families]
        probabilities = self._combine(probabilities, fits, self.classes.same)
        if self.classes.count == 3:
            probabilities = self._shared_untaught(probabilities, fits[: len(families)])
        start = np.array([1.0, *[1e-6] * (self.classes.count - 1)])
        reports = [f.report for f in fits]
        learnt = Parameters(self.classes, self.packing, self.layout, probabilities, start, reports)
        shares, _ = mixing_shares(self._likelihood(learnt), self._counts, self.total, start)
        return Parameters(
            self.classes,
            self.packing,
            self.layout,
            probabilities,
            shares,
            reports,
            self._warnings(fits, probabilities),
        )

    def _has_pairs(self, rule: int) -> bool:
        return bool(((self.patterns.mask >> rule) & 1).any())

    def _fit(self, rule: int, start: Floats, teaches_household: bool, check: bool) -> Fit:
        """Expectation-maximisation among the pairs of one rule."""
        out = held_out(self.model, self.packing, rule)
        X, counts, forbidden = self._pairs_of(rule, out)  # noqa: N806  # a matrix
        taught = self._by_feature(~out) & ~self.layout.silent
        free = np.zeros_like(start, dtype=bool)
        free[self.classes.same] = taught
        if teaches_household:
            free[1] = taught
        settings = self.model.estimation
        offset = np.zeros((len(counts), self.classes.count))
        offset[forbidden, self.classes.same] = IMPOSSIBLE
        even = np.full(self.classes.count, 1 / self.classes.count)

        def solve(values: Floats) -> GroupedECM:
            ecm = grouped_ecm(self.layout, settings.max_iterations, settings.tolerance)
            return ecm.set_parameters(even, values).fit(X, counts, free, settings.smoothing, offset)

        ecm = solve(start)
        found = np.exp(ecm.feature_log_prob_)
        expected = np.exp(ecm.class_log_prior_) * counts.sum()
        switched = self._switched(found, taught)
        report = {
            "rule": self.model.blocking[rule].name,
            "pairs": int(counts.sum()),
            "patterns": len(counts),
            "iterations": ecm.n_iter_,
            "converged": ecm.converged_,
            "log_likelihood_per_pair": ecm.log_likelihood_[-1] / float(counts.sum()),
            "pairs_of_one_person": float(expected[self.classes.same]),
            "labels_switched": switched,
            "held_out": [c.name for c, o in zip(self.packing.comparisons, out, strict=True) if o],
        }
        seen = (
            posteriors(np.asarray(ecm._joint_log_likelihood(X)) + offset) * counts[:, None]
        ).T @ X
        if check:
            pairs = float(counts.sum())
            others = climbs(solve, start, free, self.layout, pairs)
            told = free & well_taught(seen, self.layout)
            report["start_values"] = elsewhere(Climb.of(ecm, pairs), others, told)
        usable = taught & (not switched) & (expected[self.classes.same] >= FEWEST_PAIRS)
        return Fit(found, usable, expected, seen[self.classes.same], report)

    def _pairs_of(self, rule: int, out: Bools) -> tuple[Floats, Floats, Bools]:
        """Encoded patterns of one rule without what it fixes, their counts, and which are vetoed."""
        chosen = np.flatnonzero((self.patterns.mask >> rule) & 1)
        levels = self._levels[chosen]
        levels[:, out] = 0
        packed = (levels << np.array(self.packing.shifts)).sum(axis=1) * 2 + self._vetoed[chosen]
        _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
        counts = np.bincount(inverse, self._counts[chosen]).astype(np.float64)
        encoded = self._encoded[chosen[first]]
        for part in (p for p, held in zip(self.layout.slices(), out, strict=True) if held):
            encoded[:, part] = 0.0
            encoded[:, part.start] = 1.0  # missing
        return encoded, counts, self._vetoed[chosen[first]]

    def _switched(self, found: Floats, taught: Bools) -> bool:
        """True if one person agrees less than strangers, or less than a household, on first levels."""
        first = [p.start + int(np.argmin(self.layout.silent[p])) for p in self.layout.slices()]
        first = [f for f in first if taught[f]]
        if not first:
            return False
        agreement = np.log(found[:, first])
        individual = [
            i
            for i, f in enumerate(first)
            if not self._by_feature([c.shared_by_household for c in self.packing.comparisons])[f]
        ]
        same, others = agreement[self.classes.same], agreement[: self.classes.same]
        below_strangers = same.mean() <= others[0].mean()
        columns = individual or list(range(len(first)))
        return bool(below_strangers or (same[columns].mean() < others[-1][columns].mean()))

    def _combine(self, probabilities: Floats, fits: list[Fit], row: int) -> Floats:
        """Average of the fits on the log scale, weighted by expected pairs; start values remain
        where nothing was taught."""
        weights = np.array([f.pairs[row] * f.taught for f in fits])
        if not len(fits) or not weights.any():
            return probabilities
        logs = np.stack([np.log(f.probabilities[row]) for f in fits])
        total = weights.sum(axis=0)
        mean = np.where(total > 0, (weights * logs).sum(axis=0) / np.maximum(total, 1e-300), 0)
        combined = np.where(total > 0, np.exp(mean), probabilities[row])
        floor = self.model.estimation.floor * (1.0 if row == self.classes.same else 0.1)
        combined = np.maximum(combined, floor)
        return self._replace(probabilities, row, self.layout.normalised_row(combined))

    def _shared_untaught(self, probabilities: Floats, families: list[Fit]) -> Floats:
        """Where no family rule taught a shared comparison (the rules fix it), take it that members
        of a household agree as often as the records of one person."""
        shared = self._by_feature([c.shared_by_household for c in self.packing.comparisons])
        for fit in families:
            shared &= ~fit.taught
        household = np.where(shared, probabilities[self.classes.same], probabilities[1])
        return self._replace(probabilities, 1, household)

    def _warnings(self, fits: list[Fit], probabilities: Floats) -> list[str]:
        taught = np.zeros(self.layout.features, dtype=bool)
        for fit in fits:
            taught |= fit.taught
        found = [
            f"comparison '{c.name}' was taught by no rule: start values are used"
            for c, part in zip(self.packing.comparisons, self.layout.slices(), strict=True)
            if not taught[part].any()
        ]
        found += [
            f"rule '{f.report['rule']}': {problem}"
            for f in fits
            for problem, there in (
                ("did not converge", not f.report["converged"]),
                ("labels switched, left out", f.report["labels_switched"]),
                (
                    "other start values end in other probabilities that explain the pairs as well",
                    not f.report.get("start_values", {"settled": True})["settled"],
                ),
            )
            if there
        ]
        return [*found, *self._disordered(probabilities), *self._doubtful(fits, probabilities)]

    def _doubtful(self, fits: list[Fit], probabilities: Floats) -> Iterator[str]:
        """Comparisons taught by few pairs, and classes that are too alike."""
        pairs = [
            max((f.seen[part][f.taught[part]].sum() for f in fits), default=0.0)
            for part in self.layout.slices()
        ]
        yield from taught_by_few([c.name for c in self.packing.comparisons], np.array(pairs))
        others = ("pairs of strangers", "pairs of one household")[: self.classes.same]
        yield from too_alike(probabilities, self.spoken, self.layout, others)

    def _disordered(self, probabilities: Floats) -> list[str]:
        """Comparisons whose ``different`` speaks more for one person than their first level."""
        weight = np.log(probabilities[self.classes.same]) - np.log(probabilities[0])
        found = []
        for comparison, part in zip(self.packing.comparisons, self.layout.slices(), strict=True):
            speaking = np.flatnonzero(~self.layout.silent[part]) + part.start
            if weight[speaking[-1]] >= weight[speaking[0]]:
                found.append(f"comparison '{comparison.name}' does not tell one person from others")
        return found


def train(engine: Engine, model: Model, patterns: Grouped, random: Grouped) -> Parameters:
    """Learn the parameters of a model from grouped pairs."""
    packing, records = engine.loaded.packing, engine.loaded.count
    layout = make_layout(packing)
    rates, spoken = stranger_rates(engine, packing, layout, random)
    households = any(c.shared_by_household for c in packing.comparisons)
    total = records * (records - 1) / 2
    trainer = Trainer(model, packing, layout, Classes(households), patterns, rates, spoken, total)
    return learn_apart(model, trainer.run(), patterns, random, total)
