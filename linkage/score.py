"""Weights of pairs: patterns first, then only the pairs that could matter, with term frequencies.

A pattern's log-likelihoods need one row of arithmetic however many pairs share it. A pair survives
if its pattern, with the rarest values it could agree on, could reach the review threshold. For
survivors the general rate at which strangers agree gives way to the frequency of the very value.
The shares of the classes among all pairs are then settled by fixed point on the survivors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linkage.em import Bools, Floats, Ints
from linkage.engine import Engine, Grouped
from linkage.estimate import IMPOSSIBLE, Parameters, mixing_shares, posteriors, vetoed
from linkage.model import Model


@dataclass(frozen=True)
class Scored:
    """Scored pairs, ordered by (left, right): arrays of one length, posterior (pairs, classes)."""

    left: Ints
    right: Ints
    pattern: Ints
    weight: Floats  # log2 of the odds of one person
    posterior: Floats
    veto: Bools

    def __len__(self) -> int:
        return len(self.left)

    @property
    def probability(self) -> Floats:
        """Probability of one person."""
        result: Floats = self.posterior[:, -1]
        return result

    def take(self, chosen: Bools | Ints) -> Scored:
        """The chosen pairs."""
        return Scored(
            *(
                getattr(self, name)[chosen]
                for name in ("left", "right", "pattern", "weight", "posterior", "veto")
            )
        )


@dataclass(frozen=True)
class Scorer:
    """Scores pairs of an engine's records with fixed parameters."""

    engine: Engine
    model: Model
    parameters: Parameters
    records: int

    def survivors(self, patterns: Grouped) -> tuple[Ints, Ints, Ints]:
        """(left, right, pattern) of the proposed pairs that could reach the review threshold."""
        unique = np.unique(patterns.pattern)
        levels = self.parameters.packing.unpack(unique)
        likelihood = self.parameters.log_likelihood(levels) - self._rarest(levels)
        # Shares may grow by a few times when term frequencies come in: leave room for that.
        shares = self.parameters.shares * np.array(
            [1.0, *[4.0] * (len(self.parameters.shares) - 1)]
        )
        reach = posteriors(likelihood, shares)[:, self.parameters.classes.same]
        chosen = unique[reach >= self.model.thresholds.review / 4]
        return self.engine.survivors(chosen)

    def _frequency_columns(self) -> list[tuple[int, int, str, bool]]:
        """(comparison, exact level, column, shared by household) with term frequencies."""
        found = []
        for index, comparison in enumerate(self.parameters.packing.comparisons):
            column = comparison.levels[comparison.exact_level - 1].exact
            if comparison.term_frequency and column:
                shared = comparison.shared_by_household
                found.append((index, comparison.exact_level, column, shared))
        return found

    def _rarest(self, levels: Ints) -> Floats:
        """(patterns, classes) of the log-likelihood that the rarest values could take away."""
        result = np.zeros((len(levels), self.parameters.classes.count))
        for index, exact, _, shared in self._frequency_columns():
            rate = self.parameters.of(index, 0)[exact]
            gain = max(0.0, float(np.log(rate * self.records)))
            result[levels[:, index] == exact, : 1 if shared else -1] += gain
        return result

    def likelihood(self, left: Ints, right: Ints, pattern: Ints) -> Floats:
        """(pairs, classes) of log-likelihoods, term frequencies included."""
        unique, inverse = np.unique(pattern, return_inverse=True)
        levels = self.parameters.packing.unpack(unique)
        result: Floats = self.parameters.log_likelihood(levels)[inverse]
        for index, exact, column, shared in self._frequency_columns():
            agreeing = (levels[:, index] == exact)[inverse]
            counts = self.engine.value_counts(column)
            frequency = counts[left[agreeing]] / max(1, np.count_nonzero(counts))
            rate = self.parameters.of(index, 0)[exact]
            # What a household shares says nothing of how rare it is; what it does not share does.
            columns = slice(0, 1) if shared else slice(0, self.parameters.classes.same)
            result[agreeing, columns] += np.log(frequency / rate)[:, None]
        return result

    def settle_shares(self, left: Ints, right: Ints, pattern: Ints) -> Floats:
        """Shares of the classes among all pairs, given the survivors with term frequencies.

        Only the share of one person is settled anew: most household pairs do not survive.
        """
        if not len(left):
            return self.parameters.shares
        likelihood = self.likelihood(left, right, pattern)
        levels = self.parameters.packing.unpack(pattern)
        likelihood[
            vetoed(self.model, self.parameters.packing, levels), self.parameters.classes.same
        ] += IMPOSSIBLE
        total = self.records * (self.records - 1) / 2
        counts = np.ones(len(left))
        found, _ = mixing_shares(likelihood, counts, total, self.parameters.shares, rounds=30)
        shares = self.parameters.shares.copy()
        shares[-1] = found[-1]
        shares[0] = 1 - shares[1:].sum()
        return shares

    def score(self, left: Ints, right: Ints, pattern: Ints, shares: Floats) -> Scored:
        """Weights and posteriors of given pairs."""
        likelihood = self.likelihood(left, right, pattern) + np.log(shares)
        others = np.logaddexp.reduce(likelihood[:, :-1], axis=1)
        weight = (likelihood[:, -1] - others) / np.log(2)
        top = likelihood.max(axis=1, keepdims=True)
        posterior = np.exp(likelihood - top)
        posterior /= posterior.sum(axis=1, keepdims=True)
        unique, inverse = np.unique(pattern, return_inverse=True)
        levels = self.parameters.packing.unpack(unique)
        veto = vetoed(self.model, self.parameters.packing, levels)[inverse]
        return Scored(left, right, pattern, weight, posterior, veto)
