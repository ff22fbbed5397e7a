"""Weights of pairs: patterns first, then only the pairs that could matter, with term frequencies.

A pattern's log-likelihoods need one row of arithmetic however many pairs share it. A pair survives
if its pattern, with the rarest values it could agree on, could reach the review threshold. For
survivors the general rate at which strangers agree gives way to the frequency of the very value.
The shares of the classes among all pairs are then settled by fixed point on the survivors.

The same arithmetic serves a run that learns and one with parameters from elsewhere (``fitted``):
there the frequencies are those of the records that were learnt from, and a comparison that one of
the two record sets cannot use is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage.arrays import coded, distinct, distinct_counts
from linkage.engine import Bools, Engine, Floats, Grouped, Ints, ValueEngine
from linkage.estimate import IMPOSSIBLE, Parameters, mixing_shares, posteriors, vetoed
from linkage.model import Model
from linkage.packing import Packing

CELL = 16.0  # cells per nat when pairs are grouped to settle the shares


@dataclass(frozen=True)
class Scored:
    """Scored pairs, ordered by (left, right): arrays of one length.

    ``weight`` is log2 of the odds of one person; ``household`` the share of the household class in
    what is not one person (0 where that class does not exist).
    """

    left: Ints
    right: Ints
    pattern: Ints
    weight: Floats
    household: Floats
    veto: Bools

    def __len__(self) -> int:
        return len(self.left)

    @property
    def probability(self) -> Floats:
        """Probability of one person."""
        return 1 / (1 + np.exp2(-self.weight))

    @property
    def other(self) -> Floats:
        """Probability of anything but one person, exact where it is tiny."""
        return 1 / (1 + np.exp2(self.weight))

    def take(self, chosen: Bools | Ints) -> Scored:
        """The chosen pairs."""
        return Scored(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def with_more(self, more: Scored, records: int) -> Scored:
        """These and others, ordered by (left, right); both are ordered and share no pair."""
        at = np.searchsorted(self.left * records + self.right, more.left * records + more.right)
        names = [f.name for f in fields(self)]
        return Scored(*(np.insert(getattr(self, n), at, getattr(more, n)) for n in names))

    def at_least(self, probability: float) -> Bools:
        """Which pairs are one person with this probability."""
        with np.errstate(divide="ignore"):
            bits = np.log2(probability) - np.log2(1 - probability)
        result: Bools = self.weight >= bits
        return result

    @classmethod
    def none(cls) -> Scored:
        """No pairs."""
        number, real = np.empty(0, np.int64), np.empty(0)
        return cls(number, number, number, real, real, np.empty(0, dtype=bool))


@dataclass(frozen=True)
class PatternTable:
    """What is known of distinct patterns."""

    likelihood: Floats  # (classes, patterns)
    veto: Bools
    agrees: tuple[Bools, ...]  # for each column with term frequencies: on the same value


@dataclass(frozen=True)
class Likelihood:
    """Log-likelihoods (classes, pairs) without shares, and which pairs a veto forbids."""

    values: Floats
    veto: Bools


@dataclass(frozen=True)
class FrequencyColumn:
    """A column with term frequencies: its comparison's position in the fit, and who shares it."""

    comparison: int
    exact: int
    column: str
    classes: slice  # the classes in which agreement is by chance


@dataclass(frozen=True)
class Frequencies:
    """How often the values of a column occurred: ``filled`` records had one.

    Only values that occurred more than once are listed, in their order, with their ``counts``. A
    value that one record alone had would tell of that record, and its frequency is known without.
    """

    filled: int
    values: pa.StringArray
    counts: Ints


@dataclass(frozen=True)
class Weigher:
    """Weighs given pairs by their patterns, which are of ``packing``.

    ``share_of_value(column)`` has for each left record the share of its value among all records.
    """

    model: Model
    parameters: Parameters
    packing: Packing
    share_of_value: Callable[[str], Floats]

    def likelihood(self, left: Ints, pattern: Ints) -> Likelihood:
        """Log-likelihoods of pairs, term frequencies included."""
        table, row = self._table(pattern)
        values = np.take(table.likelihood, row, axis=1)
        for column, agrees in zip(self.frequency_columns, table.agrees, strict=True):
            rate = self.parameters.of(column.comparison, 0)[column.exact]
            chosen = np.flatnonzero(agrees[row])
            gain = np.log(self.share_of_value(column.column)[left[chosen]] / rate)
            # What a household shares says nothing of how rare it is; what it does not share does.
            for one in range(*column.classes.indices(len(values))):
                values[one, chosen] += gain
        return Likelihood(values, table.veto[row])

    def score(
        self,
        left: Ints,
        right: Ints,
        pattern: Ints,
        shares: Floats,
        likelihood: Likelihood | None = None,
    ) -> Scored:
        """Weights of given pairs; ``likelihood`` is theirs, if it is known already."""
        likely = likelihood or self.likelihood(left, pattern)
        joint = likely.values + np.log(shares)[:, None]
        others, household = joint[0], np.zeros(len(left))
        if self.parameters.classes.count == 3:
            others = np.logaddexp(joint[0], joint[1])
            household = np.exp(joint[1] - others)
        weight = (joint[-1] - others) / np.log(2)
        return Scored(left, right, pattern, weight, household, likely.veto)

    def levels(self, patterns: Ints) -> Ints:
        """Level codes (patterns, comparisons of the fit)."""
        return self.parameters.packing.levels_from(patterns, self.packing)

    def _table(self, pattern: Ints) -> tuple[PatternTable, Ints]:
        """The distinct patterns, and the row of each given one."""
        patterns, row = coded(pattern)
        levels = self.levels(patterns)
        here = self.packing
        table = PatternTable(
            np.ascontiguousarray(self.parameters.log_likelihood(levels).T),
            vetoed(self.model, here, here.unpack(patterns)),
            tuple(levels[:, c.comparison] == c.exact for c in self.frequency_columns),
        )
        return table, row

    @cached_property
    def frequency_columns(self) -> list[FrequencyColumn]:
        """The exact levels of comparisons with term frequencies."""
        found = []
        for index, comparison in enumerate(self.parameters.packing.comparisons):
            column = comparison.levels[comparison.exact_level - 1].exact
            if comparison.term_frequency and column:
                until = 1 if comparison.shared_by_household else self.parameters.classes.same
                found.append(
                    FrequencyColumn(index, comparison.exact_level, column, slice(0, until))
                )
        return found


@dataclass(frozen=True)
class Scorer:
    """Scores pairs of an engine's records with given parameters.

    ``records`` is the number of records that the parameters come from, ``frequencies`` their values
    (columns value, n) by column; without them the engine's own records are counted.
    """

    engine: Engine | ValueEngine
    model: Model
    parameters: Parameters
    records: int
    frequencies: Mapping[str, Frequencies] | None = None
    _shares_of_values: dict[str, Floats] = field(default_factory=dict)

    def survivors(
        self, patterns: Grouped, settled: Floats | None = None
    ) -> tuple[Ints, Ints, Ints]:
        """(left, right, pattern) of the proposed pairs that could reach the review threshold.

        ``settled`` are the shares that the pairs will be scored with, if they are known.
        """
        unique = distinct(patterns.pattern)
        levels = self.weigher.levels(unique)
        likelihood = self.parameters.log_likelihood(levels) - self._rarest(levels)
        # Shares may grow by a few times when term frequencies come in: leave room for that.
        shares = self.parameters.shares * np.array(
            [1.0, *[4.0] * (len(self.parameters.shares) - 1)]
        )
        if settled is not None:
            shares = np.maximum(shares, settled)
        reach = posteriors(likelihood, shares)[:, self.parameters.classes.same]
        chosen = unique[reach >= self.model.thresholds.review / 4]
        return self.engine.survivors(chosen)

    @cached_property
    def weigher(self) -> Weigher:
        """Weighs pairs by their patterns, term frequencies included."""
        packing = self.engine.loaded.packing
        return Weigher(self.model, self.parameters, packing, self._share_of_value)

    def settle_shares(self, likelihood: Likelihood) -> Floats:
        """Shares of the classes among all pairs, given the survivors with term frequencies.

        Only the share of one person is settled anew: most household pairs do not survive. Pairs
        are grouped by their log-odds in narrow cells first.
        """
        if not len(likelihood.veto):
            return self.parameters.shares
        same = self.parameters.classes.same
        odds = np.rint((likelihood.values[1:] - likelihood.values[0]) * CELL).astype(np.int64)
        odds[-1, likelihood.veto] += int(IMPOSSIBLE * CELL)
        cells, counts = distinct_counts(odds[0] * 2**31 + odds[-1])
        cell = np.zeros((len(cells), self.parameters.classes.count))
        cell[:, same] = (cells + 2**30) % 2**31 - 2**30
        cell[:, 1] = (cells - cell[:, same].astype(np.int64)) >> 31
        total = self.records * (self.records - 1) / 2
        start = self.parameters.shares
        found, _ = mixing_shares(cell / CELL, counts.astype(np.float64), total, start, rounds=30)
        shares = start.copy()
        shares[-1] = found[-1]
        shares[0] = 1 - shares[1:].sum()
        return shares

    def _rarest(self, levels: Ints) -> Floats:
        """(patterns, classes) of the log-likelihood that the rarest values could take away."""
        result = np.zeros((len(levels), self.parameters.classes.count))
        for column in self.weigher.frequency_columns:
            rate = self.parameters.of(column.comparison, 0)[column.exact]
            gain = max(0.0, float(np.log(rate * self.records)))
            result[levels[:, column.comparison] == column.exact, column.classes] += gain
        return result

    def _share_of_value(self, column: str) -> Floats:
        """For each record, the share of its value among the records with one; 0 without a value."""
        if column not in self._shares_of_values and self.frequencies is not None:
            self._shares_of_values[column] = self._known_share(column, self.frequencies[column])
        elif column not in self._shares_of_values:
            counts = self.engine.value_counts(column)
            self._shares_of_values[column] = counts / max(1, int(np.count_nonzero(counts)))
        return self._shares_of_values[column]

    def _known_share(self, column: str, known: Frequencies) -> Floats:
        """The same among the records learnt from; a value that is not known counts as seen once."""
        assert isinstance(self.engine, ValueEngine)
        values = self.engine.values(column)
        texts = values.dictionary.cast(pa.string())
        found = pc.index_in(texts, known.values).fill_null(-1).to_numpy()
        n = np.append(known.counts, 1)
        per_value = np.append(n[found], 0)
        code = values.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
        result: Floats = per_value[code.astype(np.int64)] / max(1, known.filled)
        return result
