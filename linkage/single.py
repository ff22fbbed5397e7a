"""The levels of one record against another, value by value: for look-ups of a few dozen pairs.

A run compares millions of pairs and pays for setting up; a look-up has the time of one query of a
database for everything. So each kind of test is here once more, as a plain function of two records'
standardised values. The SQL of ``compare`` remains the definition: the tests hold every kind here
against it, pair for pair.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from linkage.packing import Packing, groups_column, part_column
from linkage.spec import Comparison, Condition

Values = Mapping[str, Any]
"""Standardised values of one record by column, parts and groups too; None or absent where missing."""

Test = Callable[[Values, Values], bool]
_PREFIX = 4
_BOOSTED = 0.7


@dataclass(frozen=True)
class Judge:
    """Tells the level of every comparison of a packing between two records."""

    packing: Packing
    tests: tuple[tuple[tuple[Test, ...], ...], ...]

    @classmethod
    def of(cls, packing: Packing) -> Judge:
        return cls(
            packing,
            tuple(
                tuple(tuple(map(make_test, level.tests())) for level in c.levels)
                for c in packing.comparisons
            ),
        )

    def levels(self, left: Values, right: Values) -> list[int]:
        """Level codes in the order of the comparisons."""
        return [
            self._level(comparison, tests, left, right)
            for comparison, tests in zip(self.packing.comparisons, self.tests, strict=True)
        ]

    def _level(
        self,
        comparison: Comparison,
        tests: tuple[tuple[Test, ...], ...],
        left: Values,
        right: Values,
    ) -> int:
        if not _spoken(comparison, left, right):
            return 0
        other = self.packing.named(comparison.only_if_missing)
        if other is not None and _spoken(other, left, right):
            return 0
        for code, all_of in enumerate(tests, 1):
            if all(test(left, right) for test in all_of):
                return code
        return len(tests) + 1


def columns_read(packing: Packing) -> list[str]:
    """Columns whose values (not parts or groups) the tests and comparisons read."""
    compared = {c for comparison in packing.comparisons for c in comparison.columns}
    return sorted(compared | {c for test in packing.tests() for c in test.columns()})


def _spoken(comparison: Comparison, left: Values, right: Values) -> bool:
    return any(left.get(c) is not None and right.get(c) is not None for c in comparison.columns)


def make_test(test: Condition) -> Test:
    """One test as a function; it does not hold where a value is missing."""
    return _MAKE[test.kind](test)


def _exact(test: Condition) -> Test:
    return _equal(str(test.exact), str(test.exact))


def _equal(one: str, other: str) -> Test:
    def equal(left: Values, right: Values) -> bool:
        value = left.get(one)
        return value is not None and bool(value == right.get(other))

    return equal


def _same_part(test: Condition) -> Test:
    assert test.same_part
    name = part_column(test.same_part.column, test.same_part.part)
    return _equal(name, name)


def _equivalent(test: Condition) -> Test:
    name = groups_column(str(test.equivalent))
    return lambda left, right: not (left.get(name) or _NONE).isdisjoint(right.get(name) or _NONE)


_NONE: frozenset[int] = frozenset()


def _swapped(test: Condition) -> Test:
    assert test.swapped
    a, b = test.swapped
    one, other = _equal(a, b), _equal(b, a)
    return lambda left, right: one(left, right) and other(left, right)


def _alias(test: Condition) -> Test:
    assert test.alias
    one, other = _equal(test.alias.of, test.alias.in_), _equal(test.alias.in_, test.alias.of)
    return lambda left, right: one(left, right) or other(left, right)


def _both(column: str, holds: Callable[[Any, Any], bool], other: str | None = None) -> Test:
    """A test of two values that are there."""
    further = other or column

    def both(left: Values, right: Values) -> bool:
        one, two = left.get(column), right.get(further)
        return one is not None and two is not None and holds(one, two)

    return both


def _swapped_similar(test: Condition) -> Test:
    assert test.swapped_similar
    a, b = test.swapped_similar.columns
    least = test.swapped_similar.at_least

    def alike(one: str, other: str) -> bool:
        return one[:1] == other[:1] and similarity(one, other) >= least

    first, second = _both(a, alike, b), _both(b, alike, a)
    return lambda left, right: first(left, right) and second(left, right)


def _shares_word(test: Condition) -> Test:
    assert test.shares_word
    setting = test.shares_word
    least = setting.min_letters

    def common(one: str, other: str) -> bool:
        return not words(one, least).isdisjoint(words(other, least))

    a, b = setting.column, setting.in_ or setting.column
    first, second = _both(a, common, b), _both(b, common, a)
    return lambda left, right: first(left, right) or second(left, right)


def words(text: str, min_letters: int) -> frozenset[str]:
    """The words of a value that count."""
    return frozenset(word for word in text.split(" ") if len(word) >= min_letters)


def _similar(test: Condition) -> Test:
    assert test.similar
    least = test.similar.at_least
    return _both(test.similar.column, lambda one, two: one != two and similarity(one, two) >= least)


def _one_letter_off(test: Condition) -> Test:
    def holds(one: str, two: str) -> bool:
        return one_edit(one, two) and similarity(one, two) >= 0.75

    return _both(str(test.one_letter_off), holds)


def _starts_with(test: Condition) -> Test:
    assert test.starts_with
    letters = test.starts_with.min_letters

    def holds(one: str, two: str) -> bool:
        return (len(one) >= letters and two.startswith(one)) or (
            len(two) >= letters and one.startswith(two)
        )

    return _both(test.starts_with.column, holds)


def _day_month_swapped(test: Condition) -> Test:
    def holds(one: date, two: date) -> bool:
        return one.year == two.year and one.month == two.day and one.day == two.month

    return _both(str(test.day_month_swapped), holds)


def _one_date_part_differs(test: Condition) -> Test:
    def holds(one: date, two: date) -> bool:
        same = (one.year == two.year) + (one.month == two.month) + (one.day == two.day)
        return same == 2 and abs(one.year - two.year) in (0, 1, 10)

    return _both(str(test.one_date_part_differs), holds)


def _near(test: Condition) -> Test:
    assert test.near
    days = test.near.within_days
    return _both(test.near.column, lambda one, two: abs((one - two).days) <= days)


def _never(_: Condition) -> Test:
    """What only a whole population can tell (who moved with whom)."""
    return lambda left, right: False


_MAKE: dict[str, Callable[[Condition], Test]] = {
    "exact": _exact,
    "equivalent": _equivalent,
    "swapped": _swapped,
    "swapped_similar": _swapped_similar,
    "alias": _alias,
    "shares_word": _shares_word,
    "similar": _similar,
    "one_letter_off": _one_letter_off,
    "starts_with": _starts_with,
    "same_part": _same_part,
    "day_month_swapped": _day_month_swapped,
    "one_date_part_differs": _one_date_part_differs,
    "near": _near,
    "moved_together": _never,
}


@lru_cache(maxsize=1 << 16)
def similarity(left: str, right: str) -> float:
    """Jaro-Winkler similarity of the bytes of two texts, to six places, as DuckDB gives it."""
    one, two = left.encode(), right.encode()
    jaro = _jaro(one, two)
    if jaro > _BOOSTED:
        prefix = 0
        for a, b in zip(one[:_PREFIX], two[:_PREFIX], strict=False):
            if a != b:
                break
            prefix += 1
        jaro += prefix * 0.1 * (1 - jaro)
    return math.floor(jaro * 1e6 + 0.5) / 1e6


def _jaro(one: bytes, two: bytes) -> float:
    if not one or not two:
        return 0.0
    window = max(0, max(len(one), len(two)) // 2 - 1)
    free = list(one)
    matched_two: list[int] = []
    for place, letter in enumerate(two):
        for at in range(max(0, place - window), min(len(one), place + window + 1)):
            if free[at] == letter:
                free[at] = -1
                matched_two.append(letter)
                break
    matches = len(matched_two)
    if not matches:
        return 0.0
    matched_one = [letter for letter, left in zip(one, free, strict=True) if left == -1]
    moved = sum(a != b for a, b in zip(matched_one, matched_two, strict=True)) // 2
    return (matches / len(one) + matches / len(two) + (matches - moved) / matches) / 3


def one_edit(left: str, right: str) -> bool:
    """Whether one letter is wrong, missing or added, or two neighbours are exchanged.

    By bytes, as DuckDB counts them.
    """
    one, two = sorted((left.encode(), right.encode()), key=len)
    if len(two) - len(one) > 1 or one == two:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), len(one))
    if len(one) < len(two):
        return one[at:] == two[at + 1 :]
    exchanged = one[at : at + 2] == two[at : at + 2][::-1]
    return one[at + 1 :] == two[at + 1 :] or (exchanged and one[at + 2 :] == two[at + 2 :])
