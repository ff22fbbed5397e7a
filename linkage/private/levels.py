"""Comparison levels over tokens: each test of the model as a question that tokens can answer.

A level is tried only on the pairs that no stronger level took, as in the clear. A similarity counts
as reached where the Dice coefficient reaches the value that the parameters set for it. A comparison
of salted columns speaks only where both salts agree: elsewhere tokens differ whatever the values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from linkage.derived import VALUE, Text
from linkage.engine import Bools, Floats, Ints
from linkage.kinds import kind_of
from linkage.packing import Packing
from linkage.private import plan
from linkage.private.columns import (
    Filters,
    Words,
    digest,
    equal,
    filter_column,
    in_common,
    list_column,
    token_column,
)
from linkage.private.settings import Discovery
from linkage.spec import Comparison, Condition


@dataclass(frozen=True)
class Records:
    """All partners' tokens as arrays over the records."""

    tokens: dict[str, Words]
    lists: dict[str, Words]
    filters: dict[str, Filters]

    @classmethod
    def of(cls, table: pa.Table, discovery: Discovery) -> Records:
        """Read the columns of the plan."""
        items = plan.plan(discovery)
        filters = {i.name: filter_column(table[i.name]) for i in items if i.shape == "filter"}
        tokens = {i.name: token_column(table[i.name]) for i in items if i.shape == "token"}
        tokens |= {name: digest(f) for name, f in filters.items()}
        lists = {i.name: list_column(table[i.name]) for i in items if i.shape == "tokens"}
        return cls(tokens, lists, filters)

    def salts(self) -> list[Words]:
        """(records,) of tokens for each salt."""
        return [t for name, t in self.tokens.items() if name.startswith(plan.SALT)]


@dataclass(frozen=True)
class Open:
    """Pairs that no level has taken yet, the salt that they agree on, what was computed of them."""

    rows: Ints
    left: Ints
    right: Ints
    way: int
    dice: dict[tuple[str, str], Floats]

    def narrow(self, kept: Bools) -> Open:
        """The pairs to go on with."""
        dice = {key: values[kept] for key, values in self.dice.items()}
        return Open(self.rows[kept], self.left[kept], self.right[kept], self.way, dice)


@dataclass(frozen=True)
class Levels:
    """Patterns of pairs of records."""

    discovery: Discovery
    records: Records
    packing: Packing

    def patterns(self, left: Ints, right: Ints) -> Ints:
        """(pairs,) of packed levels."""
        result = np.zeros(len(left), np.int64)
        for comparison, shift in zip(self.packing.comparisons, self.packing.shifts, strict=True):
            result += self._codes(comparison, left, right) << shift
        return result

    def _codes(self, comparison: Comparison, left: Ints, right: Ints) -> Ints:
        """(pairs,) of level codes; each pair is compared under the first salt that it agrees on."""
        codes = np.zeros(len(left), np.int64)
        silenced = np.zeros(len(left), dtype=bool)
        if (other := self.packing.named(comparison.only_if_missing)) is not None:
            for way in self._ways(other):
                silenced |= self._speaks(other, way, left, right)
        for way in self._ways(comparison):
            speaks = self._speaks(comparison, way, left, right) & ~silenced
            rows = np.flatnonzero(speaks & (codes == 0))
            pairs = Open(rows, left[rows], right[rows], way, {})
            for code, level in enumerate(comparison.levels, 1):
                holds = np.ones(len(pairs.rows), dtype=bool)
                for test in level.tests():
                    holds &= self._holds(test, pairs)
                codes[pairs.rows[holds]] = code
                pairs = pairs.narrow(~holds)
            codes[pairs.rows] = len(comparison.levels) + 1
        return codes

    def _ways(self, comparison: Comparison) -> range:
        salt = self.discovery.settings.salt
        return range(max(len(salt.get(column, ((),))) for column in comparison.columns))

    def _speaks(self, comparison: Comparison, way: int, left: Ints, right: Ints) -> Bools:
        """Where some column has a value on both sides and, if salted, one salt."""
        result = np.zeros(len(left), dtype=bool)
        for column in comparison.columns:
            value, salt = self.value(column, way), self.salt(column, way)
            there = (value[left] != 0) & (value[right] != 0)
            result |= there if salt is None else there & equal(salt[left], salt[right])
        return result

    def _named(self, name: str, column: str, way: int) -> str:
        return plan.salted_name(name, way) if column in self.discovery.settings.salt else name

    def value(self, column: str, way: int = 0) -> Words:
        """(records,) of what is equal where two records have one value of a column (and one salt)."""
        filtered = column in self.discovery.settings.filters
        name = plan.filter_name(column) if filtered else VALUE.name(column)
        return self.records.tokens[self._named(name, column, way)]

    def has_value(self, column: str) -> Bools:
        """(records,) with a value of a column under any of its salts."""
        ways = range(len(self.discovery.settings.salt.get(column, ((),))))
        result: Bools = np.logical_or.reduce([self.value(column, way) != 0 for way in ways])
        return result

    def salt(self, column: str, way: int = 0) -> Words | None:
        """(records,) of the tokens of a column's salt, if it is salted."""
        salts = self.discovery.settings.salt.get(column)
        return self.records.tokens[plan.salt_name(salts[way])] if salts else None

    def _holds(self, test: Condition, pairs: Open) -> Bools:
        """Where a test holds: crosswise of two columns, both ways or either."""
        ways = [self._one_way(test, a, b, pairs) for a, b in test.ways()]
        decide = np.logical_and if kind_of(test).both_ways else np.logical_or
        result: Bools = decide.reduce(ways)
        return result

    def _one_way(self, test: Condition, left: str, right: str, pairs: Open) -> Bools:
        if test.at_least is not None:
            least = self.discovery.settings.filters[left].similar[test.at_least]
            return self._dice(left, right, pairs) >= least
        found = [self._agree(text, left, right, pairs) for text in kind_of(test).tokens()]
        result: Bools = np.logical_or.reduce(found)
        return result

    def _agree(self, text: Text, left: str, right: str, pairs: Open) -> Bools:
        """Where a text's tokens are equal, or two lists of them have one in common."""
        if text is VALUE:
            return self._same(left, right, pairs)
        a, b = (self._named(text.name(column), column, pairs.way) for column in (left, right))
        if text.shape == "tokens":
            lists = self.records.lists
            return in_common(lists[a][pairs.left], lists[b][pairs.right])
        tokens = self.records.tokens
        other = self.value(right, pairs.way) if text.meets_value else tokens[b]
        return equal(tokens[a][pairs.left], other[pairs.right])

    def _same(self, left: str, right: str, pairs: Open) -> Bools:
        """One value; with noise, two filters as alike as noise leaves those of one value."""
        settings = self.discovery.settings
        if settings.flip and left in settings.filters and right in settings.filters:
            return self._dice(left, right, pairs) >= settings.exact_with_noise
        a, b = self.value(left, pairs.way), self.value(right, pairs.way)
        return equal(a[pairs.left], b[pairs.right])

    def _dice(self, left: str, right: str, pairs: Open) -> Floats:
        if (left, right) not in pairs.dice:
            a, b = (
                self.records.filters[self._named(plan.filter_name(c), c, pairs.way)]
                for c in (left, right)
            )
            pairs.dice[left, right] = a.dice(pairs.left, b, pairs.right)
        return pairs.dice[left, right]
