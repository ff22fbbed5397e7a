"""A chunk of pairs: the codes of their records side by side, column by column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from linkage.inputs import Codes
from linkage.spec import Comparison

Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]
TILE = 1 << 13


@dataclass(frozen=True)
class Pairs:
    """The codes of a chunk of pairs: (columns, pairs) for the left and the right record."""

    place: dict[str, int]
    sides: tuple[Codes, Codes]
    con: duckdb.DuckDBPyConnection

    def both(self, column: str, rows: Rows) -> tuple[Codes, Codes]:
        """Codes of a column on the left and on the right."""
        return self.one("l", column, rows), self.one("r", column, rows)

    def one(self, side: str, column: str, rows: Rows) -> Codes:
        """Codes of a column on one side."""
        found: Codes = self.sides[side == "r"][self.place[column]][rows]
        return found

    def spoken(self, comparison: Comparison) -> Bools:
        """Where some column has a value on both sides."""
        left, right = self.sides
        both = [(left[i] >= 0) & (right[i] >= 0) for i in map(self.place.get, comparison.columns)]
        result: Bools = np.logical_or.reduce(both)
        return result


Test = Callable[[Pairs, Rows], Bools]
Relation = Callable[[Codes, Codes], Bools]  # on codes of the left and of the right record


def gathered(rows: Codes, records: Codes | NDArray[np.int64]) -> Codes:
    """The rows of some records, turned into columns: (columns, records). In tiles that fit a cache."""
    result = np.empty((rows.shape[1], len(records)), rows.dtype)
    for start in range(0, len(records), TILE):
        part = slice(start, start + TILE)
        result[:, part] = rows.take(records[part], axis=0).T
    return result


def same(left: Codes, right: Codes) -> Bools:
    result: Bools = (left == right) & (left >= 0)
    return result


def there(left: Codes, right: Codes) -> Bools:
    result: Bools = (left >= 0) & (right >= 0)
    return result


def known(relation: Relation) -> Relation:
    """The relation where both values are there; False elsewhere."""
    return lambda left, right: _where(there(left, right), left, right, relation)


def unlike(relation: Relation) -> Relation:
    """The relation where there are two different values; False elsewhere."""
    return lambda left, right: _where(there(left, right) & (left != right), left, right, relation)


def _where(asked: Bools, left: Codes, right: Codes, relation: Relation) -> Bools:
    at = np.flatnonzero(asked)
    asked[at] = relation(left[at], right[at])
    return asked
