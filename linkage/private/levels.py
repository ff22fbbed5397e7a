"""Comparison levels over tokens: each test of the model as a question that tokens can answer.

A level is tried only on the pairs that no stronger level took, as in the clear. A similarity counts
as reached where the Dice coefficient reaches the value that the parameters set for it. A comparison
of salted columns speaks only where both salts agree: elsewhere tokens differ whatever the values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from linkage.engine import Bools, Floats, Ints
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
                    holds &= self._tests[test.kind](test, pairs)
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
        name = plan.filter_name(column) if filtered else plan.value_name(column)
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

    @cached_property
    def _tests(self) -> dict[str, Callable[[Condition, Open], Bools]]:
        return {
            "exact": lambda t, p: self._same(str(t.exact), str(t.exact), p),
            "similar": self._similar,
            "swapped": self._swapped,
            "swapped_similar": self._swapped_similar,
            "alias": self._alias,
            "equivalent": self._equivalent,
            "shares_word": self._shares_word,
            "same_part": self._same_part,
            "day_month_swapped": self._day_month_swapped,
            "one_date_part_differs": self._one_date_part_differs,
        }

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

    def _least(self, column: str, similarity: float) -> float:
        return self.discovery.settings.filters[column].similar[similarity]

    def _similar(self, test: Condition, pairs: Open) -> Bools:
        assert test.similar
        column = test.similar.column
        return self._dice(column, column, pairs) >= self._least(column, test.similar.at_least)

    def _swapped(self, test: Condition, pairs: Open) -> Bools:
        assert test.swapped
        a, b = test.swapped
        return self._same(a, b, pairs) & self._same(b, a, pairs)

    def _swapped_similar(self, test: Condition, pairs: Open) -> Bools:
        assert test.swapped_similar
        (a, b), least = test.swapped_similar.columns, test.swapped_similar.at_least
        one_way = self._dice(a, b, pairs) >= self._least(a, least)
        return one_way & (self._dice(b, a, pairs) >= self._least(b, least))

    def _alias(self, test: Condition, pairs: Open) -> Bools:
        assert test.alias
        of, within = test.alias.of, test.alias.in_
        return self._same(of, within, pairs) | self._same(within, of, pairs)

    def _common(self, left: str, right: str, pairs: Open) -> Bools:
        lists = self.records.lists
        return in_common(lists[left][pairs.left], lists[right][pairs.right])

    def _equivalent(self, test: Condition, pairs: Open) -> Bools:
        column = str(test.equivalent)
        name = self._named(plan.groups_name(column), column, pairs.way)
        return self._common(name, name, pairs)

    def _shares_word(self, test: Condition, pairs: Open) -> Bools:
        assert test.shares_word
        words = test.shares_word
        a, b = (
            self._named(plan.words_name(c, words.min_letters), c, pairs.way)
            for c in (words.column, words.in_ or words.column)
        )
        one_way = self._common(a, b, pairs)
        return one_way if a == b else one_way | self._common(b, a, pairs)

    def _token(self, name: str, column: str, pairs: Open) -> Bools:
        token = self.records.tokens[self._named(name, column, pairs.way)]
        return equal(token[pairs.left], token[pairs.right])

    def _same_part(self, test: Condition, pairs: Open) -> Bools:
        assert test.same_part
        column = test.same_part.column
        return self._token(plan.part_name(column, test.same_part.part), column, pairs)

    def _day_month_swapped(self, test: Condition, pairs: Open) -> Bools:
        column = str(test.day_month_swapped)
        name = self._named(plan.date_name(column, "swapped"), column, pairs.way)
        swapped, value = self.records.tokens[name], self.value(column, pairs.way)
        return equal(swapped[pairs.left], value[pairs.right])

    def _one_date_part_differs(self, test: Condition, pairs: Open) -> Bools:
        """Any year may stand for another here: how far two years lie apart cannot be seen."""
        column = str(test.one_date_part_differs)
        kinds = [self._token(plan.date_name(column, k), column, pairs) for k in plan.DATE_KINDS]
        result: Bools = np.logical_or.reduce(kinds)
        return result
