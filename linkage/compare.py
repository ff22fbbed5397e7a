"""Comparison levels as SQL, and their packing into one integer, the pattern of a pair.

A pair's columns are named ``l_<column>`` and ``r_<column>``. Each similarity is computed once, in
an inner SELECT, as ``s_<column>``; the outer SELECT maps it to a level. A pattern is the sum of
level codes, each shifted to its own bits: 0 missing, 1 the first level, the last code ``different``.
Millions of pairs come down to a few thousand patterns, and all later arithmetic is on those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import LinkageError
from linkage.spec import Comparison, Condition

Levels = NDArray[np.int64]


def words_column(column: str, min_letters: int) -> str:
    """Name of the derived column that holds a value's words."""
    return f"{column}__words{min_letters}"


def part_column(column: str, part: str) -> str:
    """Name of the derived column that holds a part of a value."""
    return f"{column}__{part}"


def groups_column(column: str) -> str:
    """Name of the derived column that holds a value's groups of equivalents."""
    return f"{column}__groups"


def _equal(column: str) -> str:
    return f"l_{column} = r_{column}"


def _swapped(test: Condition) -> str:
    assert test.swapped
    a, b = test.swapped
    return f"l_{a} = r_{b} AND l_{b} = r_{a}"


def _swapped_similar(test: Condition) -> str:
    """Only where the first letters agree crosswise, so that few similarities are computed."""
    assert test.swapped_similar
    a, b = test.swapped_similar.columns
    crosswise = [(f"l_{a}::VARCHAR", f"r_{b}::VARCHAR"), (f"l_{b}::VARCHAR", f"r_{a}::VARCHAR")]
    initials = (f"left({x}, 1) = left({y}, 1)" for x, y in crosswise)
    least = test.swapped_similar.at_least
    alike = (f"round(jaro_winkler_similarity({x}, {y}), 6) >= {least}" for x, y in crosswise)
    return " AND ".join([*initials, *alike])


def _alias(test: Condition) -> str:
    assert test.alias
    of, within = test.alias.of, test.alias.in_
    return f"l_{of} = r_{within} OR l_{within} = r_{of}"


def _shares_word(test: Condition) -> str:
    assert test.shares_word
    setting = test.shares_word
    a = words_column(setting.column, setting.min_letters)
    b = words_column(setting.in_ or setting.column, setting.min_letters)
    one_way = f"list_has_any(l_{a}, r_{b})"
    return one_way if a == b else f"{one_way} OR list_has_any(l_{b}, r_{a})"


def _similar(test: Condition) -> str:
    assert test.similar
    return f"s_{test.similar.column} >= {test.similar.at_least}"


def _one_letter_off(test: Condition) -> str:
    """One letter wrong, missing, added, or two neighbours exchanged.

    The edit distance is slow, so it is computed only where the lengths and the similarity allow it:
    one edit in three letters or more never brings the Jaro-Winkler similarity below 0.75.
    """
    c = test.one_letter_off
    left, right = f"l_{c}::VARCHAR", f"r_{c}::VARCHAR"
    return (
        f"s_{c} >= 0.75 AND abs(length({left}) - length({right})) <= 1"
        f" AND damerau_levenshtein({left}, {right}) = 1"
    )


def _starts_with(test: Condition) -> str:
    assert test.starts_with
    column, letters = test.starts_with.column, test.starts_with.min_letters
    left, right = f"l_{column}::VARCHAR", f"r_{column}::VARCHAR"
    return (
        f"(length({left}) >= {letters} AND starts_with({right}, {left})"
        f" OR length({right}) >= {letters} AND starts_with({left}, {right}))"
    )


def _same_part(test: Condition) -> str:
    assert test.same_part
    return _equal(part_column(test.same_part.column, test.same_part.part))


def _day_month_swapped(test: Condition) -> str:
    c = test.day_month_swapped
    return f"year(l_{c}) = year(r_{c}) AND month(l_{c}) = day(r_{c}) AND day(l_{c}) = month(r_{c})"


def _one_date_part_differs(test: Condition) -> str:
    """Two of year, month and day are equal; a year may be one or ten off (one digit mistyped)."""
    c = test.one_date_part_differs
    same = (f"({part}(l_{c}) = {part}(r_{c}))::INT" for part in ("year", "month", "day"))
    return f"{' + '.join(same)} = 2 AND abs(year(l_{c}) - year(r_{c})) IN (0, 1, 10)"


def _near(test: Condition) -> str:
    assert test.near
    c = test.near.column
    return f"abs(datediff('day', l_{c}, r_{c})) <= {test.near.within_days}"


_SQL: dict[str, Callable[[Condition], str]] = {
    "exact": lambda t: _equal(str(t.exact)),
    "equivalent": lambda t: (
        f"list_has_any(l_{groups_column(str(t.equivalent))}, r_{groups_column(str(t.equivalent))})"
    ),
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
}


def _spoken(comparison: Comparison) -> str:
    """True when some column of the comparison has a value on both sides."""
    both = (f"(l_{c} IS NOT NULL AND r_{c} IS NOT NULL)" for c in comparison.columns)
    return f"({' OR '.join(both)})"


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

    @property
    def bits(self) -> tuple[int, ...]:
        """Bits for each comparison."""
        return tuple((len(c.levels) + 1).bit_length() for c in self.comparisons)

    @property
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

    def level_sql(self, comparison: Comparison) -> str:
        """The level code of one comparison."""
        arms = [f"WHEN NOT {_spoken(comparison)} THEN 0"]
        if (other := self._named(comparison.only_if_missing)) is not None:
            arms.append(f"WHEN {_spoken(other)} THEN 0")
        for code, level in enumerate(comparison.levels, 1):
            tests = " AND ".join(f"({_SQL[t.kind](t)})" for t in level.tests())
            arms.append(f"WHEN {tests} THEN {code}")
        return f"CASE {' '.join(arms)} ELSE {len(comparison.levels) + 1} END"

    def _named(self, name: str | None) -> Comparison | None:
        return next((c for c in self.comparisons if c.name == name), None)

    def pattern_sql(self) -> str:
        """The packed pattern of a pair."""
        terms = (
            f"({self.level_sql(c)})::BIGINT * {1 << shift}"
            for c, shift in zip(self.comparisons, self.shifts, strict=True)
        )
        return " + ".join(terms)

    def similarity_sql(self) -> dict[str, str]:
        """Similarities to compute once for each pair, by name.

        Rounded, so that two engines whose last bits differ give the same level.
        """
        columns = {t.similar.column for t in self._tests() if t.similar}
        columns |= {t.one_letter_off for t in self._tests() if t.one_letter_off}
        return {
            f"s_{c}": f"CASE WHEN a.{c} <> b.{c} THEN "
            f"round(jaro_winkler_similarity(a.{c}::VARCHAR, b.{c}::VARCHAR), 6) END"
            for c in sorted(columns)
        }

    def _tests(self) -> Iterable[Condition]:
        return (t for c in self.comparisons for level in c.levels for t in level.tests())

    def columns(self) -> list[str]:
        """Columns of the coded records that the patterns read, derived ones included."""
        found = {c for comparison in self.comparisons for c in comparison.columns}
        for test in self._tests():
            found.update(_read_by(test))
        return sorted(found)

    def words(self) -> set[tuple[str, int]]:
        """(column, least letters) of the word lists needed."""
        settings = [t.shares_word for t in self._tests() if t.shares_word]
        return {
            (column, s.min_letters) for s in settings for column in (s.column, s.in_ or s.column)
        }

    def parts(self) -> set[tuple[str, str]]:
        """(column, part) of the parts needed."""
        return {(t.same_part.column, t.same_part.part) for t in self._tests() if t.same_part}

    def grouped(self) -> set[str]:
        """Columns whose groups of equivalents are needed."""
        return {t.equivalent for t in self._tests() if t.equivalent}


def _read_by(test: Condition) -> set[str]:
    if test.shares_word:
        setting = test.shares_word
        both = (setting.column, setting.in_ or setting.column)
        return {words_column(c, setting.min_letters) for c in both}
    if test.same_part:
        return {part_column(test.same_part.column, test.same_part.part)}
    if test.equivalent:
        return {groups_column(test.equivalent)}
    return set(test.columns())
