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

    def value(self, column: str) -> Words:
        """(records,) of what is equal where two records have one value of a column."""
        name = plan.value_name(column)
        return self.tokens[name if name in self.tokens else plan.filter_name(column)]

    def salt(self, column: str) -> Words | None:
        """(records,) of the tokens of a column's salt, if it is salted."""
        return self.tokens.get(plan.salt_name(column))


@dataclass(frozen=True)
class Open:
    """Pairs that no level has taken yet, and what was computed of them."""

    rows: Ints
    left: Ints
    right: Ints
    dice: dict[tuple[str, str], Floats]

    def narrow(self, kept: Bools) -> Open:
        """The pairs to go on with."""
        dice = {key: values[kept] for key, values in self.dice.items()}
        return Open(self.rows[kept], self.left[kept], self.right[kept], dice)


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
        codes = np.zeros(len(left), np.int64)
        speaks = self.speaks(comparison, left, right)
        if (other := self.packing.named(comparison.only_if_missing)) is not None:
            speaks &= ~self.speaks(other, left, right)
        rows = np.flatnonzero(speaks)
        pairs = Open(rows, left[rows], right[rows], {})
        for code, level in enumerate(comparison.levels, 1):
            holds = np.ones(len(pairs.rows), dtype=bool)
            for test in level.tests():
                holds &= self._tests[test.kind](test, pairs)
            codes[pairs.rows[holds]] = code
            pairs = pairs.narrow(~holds)
        codes[pairs.rows] = len(comparison.levels) + 1
        return codes

    def speaks(self, comparison: Comparison, left: Ints, right: Ints) -> Bools:
        """Where some column has a value on both sides and, if salted, one salt."""
        result = np.zeros(len(left), dtype=bool)
        for column in comparison.columns:
            value, salt = self.records.value(column), self.records.salt(column)
            there = (value[left] != 0) & (value[right] != 0)
            result |= there if salt is None else there & equal(salt[left], salt[right])
        return result

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
        return equal(self.records.value(left)[pairs.left], self.records.value(right)[pairs.right])

    def _dice(self, left: str, right: str, pairs: Open) -> Floats:
        if (left, right) not in pairs.dice:
            a = self.records.filters[plan.filter_name(left)]
            b = self.records.filters[plan.filter_name(right)]
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
        return in_common(
            self.records.lists[left][pairs.left], self.records.lists[right][pairs.right]
        )

    def _equivalent(self, test: Condition, pairs: Open) -> Bools:
        name = plan.groups_name(str(test.equivalent))
        return self._common(name, name, pairs)

    def _shares_word(self, test: Condition, pairs: Open) -> Bools:
        assert test.shares_word
        words = test.shares_word
        a = plan.words_name(words.column, words.min_letters)
        b = plan.words_name(words.in_ or words.column, words.min_letters)
        one_way = self._common(a, b, pairs)
        return one_way if a == b else one_way | self._common(b, a, pairs)

    def _token(self, left: str, right: str, pairs: Open) -> Bools:
        return equal(self.records.tokens[left][pairs.left], self.records.tokens[right][pairs.right])

    def _same_part(self, test: Condition, pairs: Open) -> Bools:
        assert test.same_part
        name = plan.part_name(test.same_part.column, test.same_part.part)
        return self._token(name, name, pairs)

    def _day_month_swapped(self, test: Condition, pairs: Open) -> Bools:
        column = str(test.day_month_swapped)
        return self._token(plan.date_name(column, "swapped"), plan.value_name(column), pairs)

    def _one_date_part_differs(self, test: Condition, pairs: Open) -> Bools:
        """Any year may stand for another here: how far two years lie apart cannot be seen."""
        names = (plan.date_name(str(test.one_date_part_differs), k) for k in plan.DATE_KINDS)
        result: Bools = np.logical_or.reduce([self._token(n, n, pairs) for n in names])
        return result
