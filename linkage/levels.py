"""Levels of many pairs at once: integers in NumPy, text in DuckDB where a bound lets it through.

Pairs are compared in chunks. The records' rows of codes are gathered, and each comparison goes
through its levels in order, with the pairs that are not yet decided. A test is integer arithmetic
(``Kind.arrays``), or a filter that loses nothing (``Kind.bound``) before its SQL (``values``).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from linkage.chunk import Bools, Pairs, Relation, Rows, Test, gathered
from linkage.engine import Ints
from linkage.inputs import Codes
from linkage.kinds import kind_of
from linkage.packing import Packing
from linkage.records import Records
from linkage.spec import Comparison, Condition
from linkage.values import Values


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


def make_kernel(records: Records, values: Values, con: duckdb.DuckDBPyConnection) -> Kernel:
    """A kernel for the comparisons that can speak."""
    packing = records.loaded.packing
    used = {c for comparison in packing.comparisons for c in comparison.columns}
    names = sorted(used | {c for test in packing.tests() for c in test.columns()})
    rows = np.empty((records.loaded.count, len(names)), np.int32)
    for place, name in enumerate(names):
        rows[:, place] = records.codes[name]
        records.codes[name] = rows[:, place]  # one copy is enough
    tests = tuple(
        tuple(tuple(array_test(t, values) for t in level.tests()) for level in c.levels)
        for c in packing.comparisons
    )
    return Kernel(packing, {name: i for i, name in enumerate(names)}, rows, tests, con)


def array_test(test: Condition, values: Values) -> Test:
    """One test as a function of a chunk of pairs and the rows to be asked."""
    kind, column = kind_of(test), test.columns()[0]  # a test's columns share a space
    if relation := kind.arrays(values, column):
        return _over_ways(test, relation, kind.both_ways)
    return values.asked(test, _over_ways(test, kind.bound(values, column), kind.both_ways))


def _over_ways(test: Condition, relation: Relation, both: bool) -> Test:
    """One record's value against the other's: crosswise of two columns, both ways or either."""
    (a, b), *others = test.ways()

    def holds(pairs: Pairs, rows: Rows) -> Bools:
        result = relation(pairs.one("l", a, rows), pairs.one("r", b, rows))
        for c, d in others:
            rest = np.flatnonzero(result == both)  # elsewhere the first way has decided
            result[rest] = relation(pairs.one("l", c, rows[rest]), pairs.one("r", d, rows[rest]))
        return result

    return holds
