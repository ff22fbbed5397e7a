"""What is known of each distinct value once, and the SQL of a test asked once for each pair of values.

Tests on codes, dates and lists are integer arithmetic on what is known here of the values of a space
(``coding``). A test on text goes through a filter that loses nothing (``likeness``) first; what it
lets through is asked in the SQL of ``compare``, once for each distinct pair of values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linkage.chunk import Bools, Pairs, Rows, Test
from linkage.coding import Space, expressions
from linkage.compare import condition_sql
from linkage.inputs import Codes
from linkage.likeness import Letters, Lists, letters_of, lists_of
from linkage.spec import Condition
from linkage.standardise import words_sql


@dataclass(frozen=True)
class Dates:
    """Days since 1970, and (year, month, day), of each value of the space of dates."""

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


@dataclass
class Values:
    """The values of each column's space; what tests read of them is made when first asked for.

    ``groups_of(column, values)`` gives the groups of equivalents of values of a column.
    """

    con: duckdb.DuckDBPyConnection
    spaces: dict[str, Space]
    groups_of: Callable[[str, pa.Array], pa.ListArray]
    _letters: dict[int, Letters] = field(default_factory=dict)
    _words: dict[tuple[int, int], Lists] = field(default_factory=dict)

    def dates(self, column: str) -> Dates:
        """The dates of a column's space."""
        return Dates.of(self.spaces[column].values)

    def letters(self, column: str) -> Letters:
        """What is known of the letters of a column's values."""
        values = self.spaces[column].values
        if id(values) not in self._letters:
            self._letters[id(values)] = letters_of(values)
        return self._letters[id(values)]

    def words(self, column: str, least: int) -> Lists:
        """The words of a column's values, from a number of letters on."""
        values = self.spaces[column].values
        if (id(values), least) not in self._words:
            (words,) = expressions(self.con, values, [words_sql("value", least)])
            self._words[id(values), least] = lists_of(words)
        return self._words[id(values), least]

    def groups(self, column: str) -> Lists:
        """The groups of equivalents of a column's values."""
        return lists_of(self.groups_of(column, self.spaces[column].values))

    def asked(self, test: Condition, bound: Test) -> Test:
        """A test in SQL, of the pairs that a filter lets through."""
        values = {c: self.spaces[c].values for c in test.columns()}
        query = f"SELECT ({condition_sql(test)}) IS TRUE AS holds FROM asked"

        def holds(pairs: Pairs, rows: Rows) -> Bools:
            result = bound(pairs, rows)
            chosen = np.flatnonzero(result)
            if len(chosen):
                result[chosen] = _ask(pairs, rows[chosen], query, values)
            return result

        return holds


def _ask(pairs: Pairs, rows: Rows, query: str, values: dict[str, pa.Array]) -> Bools:
    """The SQL test on the values of some pairs, asked once where the same values meet again."""
    wanted = [(side, column) for column in values for side in "lr"]
    codes, again = _distinct([pairs.one(side, column, rows) for side, column in wanted])
    columns = {
        f"{side}_{column}": values[column].take(pa.array(code, mask=code < 0))
        for (side, column), code in zip(wanted, codes, strict=True)
    }
    pairs.con.register("asked", pa.table(columns))
    found = pairs.con.execute(query).fetchnumpy()["holds"]
    pairs.con.unregister("asked")
    return np.asarray(found, dtype=bool)[again]


def _distinct(codes: list[Codes]) -> tuple[list[Codes], Rows]:
    """Distinct rows of codes, and where each row is found among them."""
    sizes = [int(c.max()) + 2 for c in codes]
    if np.log2(np.array(sizes, dtype=np.float64)).sum() > 62:
        return codes, np.arange(len(codes[0]))
    packed = np.zeros(len(codes[0]), np.int64)
    for code, size in zip(codes, sizes, strict=True):
        packed = packed * size + (code + 1)
    _, first, again = np.unique(packed, return_index=True, return_inverse=True)
    return [c[first] for c in codes], again
