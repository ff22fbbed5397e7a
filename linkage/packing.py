"""The pattern of a pair: the levels of all comparisons packed into one integer.

A pattern is the sum of level codes, each shifted to its own bits: 0 missing, 1 the first level, the
last code ``different``. Millions of pairs come down to a few thousand patterns, and all later
arithmetic is on those. Every engine packs alike; this module says how, and what a model reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from linkage.errors import LinkageError
from linkage.kinds import kind_of
from linkage.spec import Comparison, Condition

Levels = NDArray[np.int64]


@dataclass(frozen=True)
class Packing:
    """Where each comparison's level lies in a pattern; levels go in and out as small integers."""

    comparisons: tuple[Comparison, ...]

    def __post_init__(self) -> None:
        if sum(self.bits) > 62:
            raise LinkageError(
                f"the comparisons need {sum(self.bits)} bits of a pattern's 62: "
                "use fewer comparisons, or fewer levels in them"
            )

    @cached_property
    def bits(self) -> tuple[int, ...]:
        """Bits for each comparison."""
        return tuple((len(c.levels) + 1).bit_length() for c in self.comparisons)

    @cached_property
    def shifts(self) -> tuple[int, ...]:
        """Position of each comparison's lowest bit."""
        return tuple(sum(self.bits[:i]) for i in range(len(self.bits)))

    def unpack(self, patterns: Levels) -> Levels:
        """(patterns,) of packed integers to (patterns, comparisons) of level codes."""
        columns = [
            (patterns >> shift) & ((1 << bits) - 1)
            for shift, bits in zip(self.shifts, self.bits, strict=True)
        ]
        return np.stack(columns, axis=1)

    def pack(self, levels: Levels) -> Levels:
        """(patterns, comparisons) of level codes to (patterns,) of packed integers."""
        packed = np.zeros(len(levels), np.int64)
        for column, shift in zip(levels.T, self.shifts, strict=True):
            packed |= column << shift
        return packed

    def levels_from(self, patterns: Levels, other: Packing) -> Levels:
        """Level codes of this packing's comparisons in another's patterns; what that lacks is missing."""
        if other.comparisons == self.comparisons and self.comparisons:
            return self.unpack(patterns)
        levels = other.unpack(patterns) if other.comparisons else patterns[:, None]
        position = {c.name: i for i, c in enumerate(other.comparisons)}
        result = np.zeros((len(patterns), len(self.comparisons)), np.int64)
        for index, comparison in enumerate(self.comparisons):
            if comparison.name in position:
                result[:, index] = levels[:, position[comparison.name]]
        return result

    def named(self, name: str | None) -> Comparison | None:
        return next((c for c in self.comparisons if c.name == name), None)

    def tests(self) -> Iterable[Condition]:
        return (t for c in self.comparisons for level in c.levels for t in level.tests())

    def columns(self) -> list[str]:
        """Columns of the coded records that the patterns read, derived ones included."""
        found = {c for comparison in self.comparisons for c in comparison.columns}
        for test in self.tests():
            found.update(map(kind_of(test).reads, test.columns()))
        return sorted(found)

    def words(self) -> set[tuple[str, int]]:
        """(column, least letters) of the word lists needed."""
        settings = [t.shares_word for t in self.tests() if t.shares_word]
        return {
            (column, s.min_letters) for s in settings for column in (s.column, s.in_ or s.column)
        }

    def parts(self) -> set[tuple[str, str]]:
        """(column, part) of the parts needed."""
        return {(t.same_part.column, t.same_part.part) for t in self.tests() if t.same_part}

    def grouped(self) -> set[str]:
        """Columns whose groups of equivalents are needed."""
        return {t.equivalent for t in self.tests() if t.equivalent}
