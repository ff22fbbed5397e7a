"""The levels of one record against another, value by value: for look-ups of a few dozen pairs.

A run compares millions of pairs and pays for setting up; a look-up has the time of one query of a
database for everything. So each kind of test is asked here in plain Python (``Kind.plain``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from linkage.kinds import kind_of
from linkage.packing import Packing
from linkage.spec import Comparison, Condition

Values = Mapping[str, Any]
"""Standardised values of one record by column, what is derived from them too (parts as values, words
and groups as frozen sets); None or absent where missing."""

Test = Callable[[Values, Values], bool]


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
    """Columns whose values (not what is derived from them) the tests and comparisons read."""
    compared = {c for comparison in packing.comparisons for c in comparison.columns}
    return sorted(compared | {c for test in packing.tests() for c in test.columns()})


def _spoken(comparison: Comparison, left: Values, right: Values) -> bool:
    return any(left.get(c) is not None and right.get(c) is not None for c in comparison.columns)


def make_test(test: Condition) -> Test:
    """One test as a function; it does not hold where a value is missing."""
    kind = kind_of(test)
    ways = [_one_way(kind.plain, kind.reads(a), kind.reads(b)) for a, b in test.ways()]
    if len(ways) == 1:
        return ways[0]
    decide = all if kind.both_ways else any
    return lambda left, right: decide(way(left, right) for way in ways)


def _one_way(holds: Callable[[Any, Any], bool], a: str, b: str) -> Test:
    def one_way(left: Values, right: Values) -> bool:
        one, other = left.get(a), right.get(b)
        return one is not None and other is not None and holds(one, other)

    return one_way
