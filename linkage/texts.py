"""Tests on text: a filter in integers first, then SQL once for each distinct pair of values.

A filter may let a pair through for nothing, but never keeps out one for which the test holds. The
SQL is that of ``compare``; a test without a filter of its own is simply asked wherever both records
have a value.
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
from linkage.compare import condition_similarity, condition_sql
from linkage.inputs import Codes
from linkage.likeness import Letters, letters_of, signatures
from linkage.packing import groups_column, words_column
from linkage.spec import Condition

Filter = Test
Groups = Callable[[str, pa.Array], pa.ListArray]


@dataclass
class TextTests:
    """Makes the tests of one model; what is known of the values is made once for each space.

    ``groups(column, values)`` gives the groups of equivalents of values of a column.
    """

    con: duckdb.DuckDBPyConnection
    spaces: dict[str, Space]
    groups: Groups
    _letters: dict[int, Letters] = field(default_factory=dict)
    _lists: dict[str, tuple[pa.ListArray, NDArray[np.uint64]]] = field(default_factory=dict)

    def test(self, test: Condition) -> Test:
        """The test as a function of a chunk of pairs and the rows to be asked."""
        kept = self._filter(test)
        asked = self._asked(test)
        alike = condition_similarity(test)
        inner = ", ".join(["*", *(f"{sql} AS {name}" for name, sql in alike.items())])
        query = f"SELECT ({condition_sql(test)}) IS TRUE AS holds FROM (SELECT {inner} FROM asked)"

        def holds(pairs: Pairs, rows: Rows) -> Bools:
            result = np.zeros(len(rows), bool)
            chosen = np.flatnonzero(kept(pairs, rows))
            if len(chosen):
                result[chosen] = _ask(pairs, rows[chosen], query, asked)
            return result

        return holds

    def _asked(self, test: Condition) -> dict[str, tuple[str, pa.Array]]:
        """For each column that the SQL reads: the column whose codes point into which values."""
        if test.shares_word:
            least = test.shares_word.min_letters
            return {words_column(c, least): (c, self._words(c, least)[0]) for c in test.columns()}
        if test.equivalent:
            column = test.equivalent
            return {groups_column(column): (column, self._groups(column)[0])}
        return {c: (c, self.spaces[c].values) for c in test.columns()}

    def letters(self, column: str) -> Letters:
        """What is known of the letters of a column's values."""
        values = self.spaces[column].values
        if id(values) not in self._letters:
            self._letters[id(values)] = letters_of(values)
        return self._letters[id(values)]

    def _words(self, column: str, least: int) -> tuple[pa.ListArray, NDArray[np.uint64]]:
        values = self.spaces[column].values
        name = f"{id(values)} words {least}"
        if name not in self._lists:
            words = f"list_filter(string_split(value, ' '), lambda w: length(w) >= {least})"
            (lists,) = expressions(self.con, values, [words])
            self._lists[name] = lists, signatures(lists)
        return self._lists[name]

    def _groups(self, column: str) -> tuple[pa.ListArray, NDArray[np.uint64]]:
        name = f"{column} groups"
        if name not in self._lists:
            lists = self.groups(column, self.spaces[column].values)
            self._lists[name] = lists, signatures(lists)
        return self._lists[name]

    def _filter(self, test: Condition) -> Filter:
        makers: dict[str, Callable[[Condition], Filter]] = {
            "similar": self._similar,
            "one_letter_off": self._one_letter_off,
            "starts_with": self._starts_with,
            "swapped_similar": self._swapped_similar,
            "equivalent": self._equivalent,
            "shares_word": self._shares_word,
        }
        return makers[test.kind](test) if test.kind in makers else _any

    def _equivalent(self, test: Condition) -> Filter:
        column = str(test.equivalent)
        return _common(column, column, self._groups(column)[1])

    def _shares_word(self, test: Condition) -> Filter:
        assert test.shares_word
        column, least = test.shares_word.column, test.shares_word.min_letters
        return _common(column, test.shares_word.in_ or column, self._words(column, least)[1])

    def _similar(self, test: Condition) -> Filter:
        assert test.similar
        column, at_least = test.similar.column, test.similar.at_least
        letters = self.letters(column)

        def kept(left: Codes, right: Codes) -> Bools:
            return letters.may_be_similar(left, right, at_least)

        return lambda pairs, rows: _unlike(*pairs.both(column, rows), kept)

    def _one_letter_off(self, test: Condition) -> Filter:
        column = str(test.one_letter_off)
        letters = self.letters(column)

        def kept(left: Codes, right: Codes) -> Bools:
            return letters.may_be_one_edit(left, right) & letters.may_be_similar(left, right, 0.75)

        return lambda pairs, rows: _unlike(*pairs.both(column, rows), kept)

    def _starts_with(self, test: Condition) -> Filter:
        assert test.starts_with
        column, count = test.starts_with.column, test.starts_with.min_letters
        letters = self.letters(column)

        def kept(left: Codes, right: Codes) -> Bools:
            return letters.same_beginning(left, right, count)

        def starts(pairs: Pairs, rows: Rows) -> Bools:
            left, right = pairs.both(column, rows)
            return _where((left >= 0) & (right >= 0), left, right, kept)

        return starts

    def _swapped_similar(self, test: Condition) -> Filter:
        assert test.swapped_similar
        (a, b), at_least = test.swapped_similar.columns, test.swapped_similar.at_least
        letters = self.letters(a)

        def kept(pairs: Pairs, rows: Rows) -> Bools:
            (la, ra), (lb, rb) = pairs.both(a, rows), pairs.both(b, rows)
            at = np.flatnonzero((la >= 0) & (ra >= 0) & (lb >= 0) & (rb >= 0))
            at = at[letters.same_beginning(la[at], rb[at], 1)]
            at = at[letters.same_beginning(lb[at], ra[at], 1)]
            at = at[letters.may_be_similar(la[at], rb[at], at_least)]
            at = at[letters.may_be_similar(lb[at], ra[at], at_least)]
            result = np.zeros(len(rows), bool)
            result[at] = True
            return result

        return kept


def _any(_: Pairs, rows: Rows) -> Bools:
    return np.ones(len(rows), bool)


def _unlike(left: Codes, right: Codes, kept: Callable[[Codes, Codes], Bools]) -> Bools:
    """The filter where there are two different values; False elsewhere."""
    return _where((left >= 0) & (right >= 0) & (left != right), left, right, kept)


def _where(there: Bools, left: Codes, right: Codes, kept: Callable[[Codes, Codes], Bools]) -> Bools:
    at = np.flatnonzero(there)
    result = np.zeros(len(left), bool)
    result[at] = kept(left[at], right[at])
    return result


def _common(one: str, other: str, bits: NDArray[np.uint64]) -> Filter:
    """Lists with an element in common, one way round or the other."""
    padded = np.append(bits, np.uint64(0))  # for the missing value, -1

    def kept(pairs: Pairs, rows: Rows) -> Bools:
        left, right = pairs.both(one, rows)
        if one == other:
            result: Bools = (padded[left] & padded[right]) != 0
            return result
        found, sought = pairs.both(other, rows)
        return np.asarray(((padded[left] & padded[sought]) | (padded[found] & padded[right])) != 0)

    return kept


def _ask(pairs: Pairs, rows: Rows, query: str, asked: dict[str, tuple[str, pa.Array]]) -> Bools:
    """The SQL test on the values of some pairs, asked once where the same values meet again."""
    wanted = [(side, name, *found) for name, found in asked.items() for side in "lr"]
    codes = [pairs.one(side, column, rows) for side, _, column, _ in wanted]
    codes, again = _distinct(codes)
    columns = {
        f"{side}_{name}": values.take(pa.array(code, mask=code < 0))
        for (side, name, _, values), code in zip(wanted, codes, strict=True)
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
