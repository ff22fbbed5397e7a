"""Levels of many pairs at once: integers in NumPy, text in DuckDB where a bound lets it through.

Pairs are compared in chunks. The records' rows of codes are gathered, and each comparison goes
through its levels in order, with the pairs that are not yet decided. Tests on codes and dates are
integer arithmetic. A test on text first asks a filter that loses nothing (``likeness``); what is left
is asked once for each distinct pair of values, in the SQL of ``compare``, which so remains the one
definition of every such test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linkage.chunk import Bools, Pairs, Rows, Test, gathered
from linkage.coding import Space
from linkage.engine import Ints
from linkage.inputs import Codes
from linkage.packing import Packing
from linkage.records import Records
from linkage.spec import Comparison, Condition
from linkage.texts import TextTests


@dataclass(frozen=True)
class Dates:
    """Days since 1970, year, month and day of each value of the space of dates."""

    days: NDArray[np.int64]
    parts: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

    @classmethod
    def of(cls, values: pa.Date32Array) -> Dates:
        day = values.cast(pa.int32()).to_numpy().astype("datetime64[D]")
        month, year = day.astype("datetime64[M]"), day.astype("datetime64[Y]")
        parts = (
            year.astype(np.int64) + 1970,
            (month - year).astype(np.int64) + 1,
            (day - month).astype(np.int64) + 1,
        )
        return cls(day.astype(np.int64), parts)


@dataclass(frozen=True)
class Kernel:
    """Compares pairs of records: ``rows[i]`` holds the codes of record i, column by ``place``."""

    packing: Packing
    place: dict[str, int]
    rows: Codes
    tests: tuple[tuple[tuple[Test, ...], ...], ...]  # for each comparison, for each level
    con: duckdb.DuckDBPyConnection

    def patterns(self, left: Codes | Ints, right: Codes | Ints) -> Ints:
        """The packed pattern of each pair."""
        with self.con.cursor() as own:
            sides = (gathered(self.rows, left), gathered(self.rows, right))
            pairs = Pairs(self.place, sides, own)
            result = np.zeros(len(left), np.int64)
            packed = zip(self.packing.comparisons, self.tests, self.packing.shifts, strict=True)
            for comparison, tests, shift in packed:
                result |= self._levels(pairs, comparison, tests).astype(np.int64) << shift
        return result

    def _levels(
        self, pairs: Pairs, comparison: Comparison, tests: tuple[tuple[Test, ...], ...]
    ) -> NDArray[np.uint8]:
        spoken = pairs.spoken(comparison)
        if (other := self.packing.named(comparison.only_if_missing)) is not None:
            spoken &= ~pairs.spoken(other)
        level = np.zeros(len(spoken), np.uint8)
        rows = np.flatnonzero(spoken)
        for code, all_of in enumerate(tests, 1):
            holds = _hold(all_of, pairs, rows)
            level[rows[holds]] = code
            rows = rows[~holds]
        level[rows] = len(tests) + 1
        return level


def _hold(tests: tuple[Test, ...], pairs: Pairs, rows: Rows) -> Bools:
    """Where all tests hold; each is asked only where those before it do."""
    holds = tests[0](pairs, rows)
    for test in tests[1:]:
        holds[holds] = test(pairs, rows[holds])
    return holds


def make_kernel(records: Records, texts: TextTests, con: duckdb.DuckDBPyConnection) -> Kernel:
    """A kernel for the comparisons that can speak."""
    packing = records.loaded.packing
    used = {c for comparison in packing.comparisons for c in comparison.columns}
    names = sorted(used | {c for test in packing.tests() for c in test.columns()})
    rows = np.empty((records.loaded.count, len(names)), np.int32)
    for place, name in enumerate(names):
        rows[:, place] = records.codes[name]
        records.codes[name] = rows[:, place]  # one copy is enough
    dated = {
        id(space): Dates.of(space.values)
        for space in records.spaces.values()
        if pa.types.is_date(space.values.type)
    }
    make = TestMaker(records.spaces, dated, texts)
    tests = tuple(
        tuple(tuple(make.test(t) for t in level.tests()) for level in c.levels)
        for c in packing.comparisons
    )
    return Kernel(packing, {name: i for i, name in enumerate(names)}, rows, tests, con)


@dataclass(frozen=True)
class TestMaker:
    """Tests as functions of a chunk; ``dates`` by the identity of their space."""

    spaces: dict[str, Space]
    dates: dict[int, Dates]
    texts: TextTests

    def test(self, test: Condition) -> Test:
        """One test between two records."""
        if test.exact:
            column = test.exact
            return lambda pairs, rows: _same(*pairs.both(column, rows))
        if test.swapped or test.alias:
            return _crosswise(test)
        if test.same_part:
            column = test.same_part.column
            part = self.spaces[column].parts[test.same_part.part]
            return lambda pairs, rows: _same(*(part[c] for c in pairs.both(column, rows)))
        if test.near or test.day_month_swapped or test.one_date_part_differs:
            return _dated(test, self.dates[id(self.spaces[test.columns()[0]])])
        return self.texts.test(test)


def _same(left: Codes, right: Codes) -> Bools:
    result: Bools = (left == right) & (left >= 0)
    return result


def _crosswise(test: Condition) -> Test:
    """Each record's value against the other record's further column: both ways, or either."""
    a, b = test.columns()
    both = test.swapped is not None

    def crosswise(pairs: Pairs, rows: Rows) -> Bools:
        holds = _same(pairs.one("l", a, rows), pairs.one("r", b, rows))
        rest = np.flatnonzero(holds == both)  # the other way round decides
        holds[rest] = _same(pairs.one("l", b, rows[rest]), pairs.one("r", a, rows[rest]))
        return holds

    return crosswise


def _dated(test: Condition, dates: Dates) -> Test:
    (column,) = test.columns()
    judge = next(_DATED[kind](test) for kind in _DATED if getattr(test, kind) is not None)

    def dated(pairs: Pairs, rows: Rows) -> Bools:
        left, right = pairs.both(column, rows)
        known = np.flatnonzero((left >= 0) & (right >= 0))
        result = np.zeros(len(rows), bool)
        result[known] = judge(dates, left[known], right[known])
        return result

    return dated


def _near(test: Condition) -> Callable[[Dates, Codes, Codes], Bools]:
    assert test.near
    days = test.near.within_days
    return lambda dates, left, right: np.abs(dates.days[left] - dates.days[right]) <= days


def _day_month_swapped(dates: Dates, left: Codes, right: Codes) -> Bools:
    year, month, day = dates.parts
    result: Bools = (
        (year[left] == year[right]) & (month[left] == day[right]) & (day[left] == month[right])
    )
    return result


def _one_part(dates: Dates, left: Codes, right: Codes) -> Bools:
    same = sum(((part[left] == part[right]).astype(np.int8) for part in dates.parts), np.int8(0))
    apart = np.abs(dates.parts[0][left] - dates.parts[0][right])
    result: Bools = (same == 2) & ((apart == 0) | (apart == 1) | (apart == 10))
    return result


_DATED: dict[str, Callable[[Condition], Callable[[Dates, Codes, Codes], Bools]]] = {
    "near": _near,
    "day_month_swapped": lambda _: _day_month_swapped,
    "one_date_part_differs": lambda _: _one_part,
}
