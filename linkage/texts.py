"""Tests on text: a filter in integers first, then SQL once for each distinct pair of values.

A filter may let a pair through for nothing, but never keeps out one for which the test holds. The
SQL is that of ``compare``; a test without a filter of its own is simply asked of every pair. Words
and groups of equivalents are numbered, so they need no SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from linkage.chunk import Bools, Pairs, Rows, Test
from linkage.coding import Space, expressions
from linkage.compare import condition_similarity, condition_sql
from linkage.inputs import Codes
from linkage.likeness import Letters, Lists, letters_of, lists_of
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
    _words: dict[tuple[int, int], Lists] = field(default_factory=dict)

    def test(self, test: Condition) -> Test:
        """The test as a function of a chunk of pairs and the rows to be asked."""
        if test.equivalent:
            groups = lists_of(self.groups(test.equivalent, self.spaces[test.equivalent].values))
            return _in_common(test.equivalent, test.equivalent, groups)
        if test.shares_word:
            setting = test.shares_word
            words = self.words(setting.column, setting.min_letters)
            return _in_common(setting.column, setting.in_ or setting.column, words)
        return self._asked(test)

    def _asked(self, test: Condition) -> Test:
        kept = self._filter(test)
        values = {c: self.spaces[c].values for c in test.columns()}
        alike = condition_similarity(test)
        inner = ", ".join(["*", *(f"{sql} AS {name}" for name, sql in alike.items())])
        query = f"SELECT ({condition_sql(test)}) IS TRUE AS holds FROM (SELECT {inner} FROM asked)"

        def holds(pairs: Pairs, rows: Rows) -> Bools:
            result = np.zeros(len(rows), bool)
            chosen = np.flatnonzero(kept(pairs, rows))
            if len(chosen):
                result[chosen] = _ask(pairs, rows[chosen], query, values)
            return result

        return holds

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
            words = f"list_filter(string_split(value, ' '), lambda w: length(w) >= {least})"
            self._words[id(values), least] = lists_of(expressions(self.con, values, [words])[0])
        return self._words[id(values), least]

    def _filter(self, test: Condition) -> Filter:
        makers: dict[str, Callable[[Condition], Filter]] = {
            "similar": self._similar,
            "one_letter_off": self._one_letter_off,
            "starts_with": self._starts_with,
            "swapped_similar": self._swapped_similar,
        }
        return makers[test.kind](test) if test.kind in makers else _any

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


def _in_common(one: str, other: str, lists: Lists) -> Test:
    """Lists with an element in common, one way round or the other."""

    def holds(pairs: Pairs, rows: Rows) -> Bools:
        left, right = pairs.both(one, rows)
        if one == other:
            return lists.in_common(left, right)
        found, sought = pairs.both(other, rows)
        result: Bools = lists.in_common(left, sought) | lists.in_common(found, right)
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
