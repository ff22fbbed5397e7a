"""The engine over tokens: ``linkage.engine.Engine`` for records that nobody here can read.

Estimation, weights and clusters are those of clear records. Only two things differ: what a level
means (``levels``), and that counts of a salted column's values are taken inside one salt, since a
value's tokens differ from salt to salt.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from linkage.engine import Bools, Grouped, Identities, Ints, Loaded, RuleSize
from linkage.packing import Packing
from linkage.private.candidates import Candidates
from linkage.private.columns import Words, equal
from linkage.private.levels import Levels, Records
from linkage.private.settings import Discovery
from linkage.private.tokens import ID, together

_PAIRS = 500_000  # compared at a time
_GOLDEN = 0.6180339887498949
SOURCE = "source"


class TokenEngine:
    """``linkage.engine.Engine`` over the token tables of two or more partners."""

    def __init__(self, tables: list[pa.Table], discovery: Discovery) -> None:
        """Check that the tables belong together and read them; raises LinkageError."""
        headers = together(tables, discovery)
        named = [
            t.append_column(SOURCE, pa.array([h.source] * t.num_rows, pa.string()))
            for t, h in zip(tables, headers, strict=True)
        ]
        table = pa.concat_tables([t.replace_schema_metadata(None) for t in named]).sort_by(ID)
        self._ids = table.select([ID, SOURCE]).combine_chunks()
        self._records = Records.of(table, discovery)
        model = discovery.linkage
        self._settings = model.estimation
        self._candidates = Candidates(model, self._records.tokens)
        whole = Levels(discovery, self._records, Packing(model.comparisons))
        silent = {
            c.name: "no record has a value"
            for c in model.comparisons
            if not any(whole.value(column).any() for column in c.columns)
        }
        packing = Packing(tuple(c for c in model.comparisons if c.name not in silent))
        self._levels = replace(whole, packing=packing)
        self._loaded = Loaded(table.num_rows, packing, silent, ())

    @property
    def loaded(self) -> Loaded:
        """What is known of the records."""
        return self._loaded

    def rule_sizes(self) -> list[RuleSize]:
        """What each blocking rule would propose."""
        return self._candidates.sizes()

    def patterns(self) -> Grouped:
        """Compare all pairs of the rules and group them."""
        _, _, pattern, mask = self._pairs
        return _grouped(pattern, mask)

    @cached_property
    def _pairs(self) -> tuple[Ints, Ints, Ints, Ints]:
        """(left, right, pattern, mask) of all pairs of the rules; record numbers of four bytes."""
        parts: list[list[Ints]] = [
            [np.empty(0, t)] for t in (np.int32, np.int32, np.int64, np.int32)
        ]
        for left, right, mask in self._candidates.pairs():
            pattern = self._levels.patterns(left, right)
            for part, values in zip(parts, (left, right, pattern, mask), strict=True):
                part.append(values.astype(part[0].dtype))
        left, right, pattern, mask = (np.concatenate(part) for part in parts)
        return left, right, pattern, mask

    def random_patterns(self) -> Grouped:
        """Patterns of pairs that no rule chose: all if they are few, else evenly spread ones.

        Salted columns speak only where salts agree, which few pairs do. So pairs with one salt are
        drawn by themselves, and each drawn pair counts for as many as it stands for.
        """
        n, wanted = self.loaded.count, self._settings.random_pairs
        if n * (n - 1) // 2 <= wanted:
            return self._compared([np.triu_indices(n, 1)], [1.0])
        pieces, weights = [], []
        salts = sorted(self._records.salts(), key=_pairs_of, reverse=True)
        for index, salt in enumerate(salts):
            left, right = same_salt(salt, wanted)
            share = _pairs_of(salt[salt != 0]) / 2 / max(1, len(left))
            new = ~self._agree(salts[:index], left, right)
            pieces.append((left[new], right[new]))
            weights.append(share)
        left, right = spread_pairs(n, wanted)
        new = ~self._agree(salts, left, right)
        pieces.append((left[new], right[new]))
        weights.append(n * (n - 1) / 2 / len(left))
        least = min(w for w, (left, _) in zip(weights, pieces, strict=True) if len(left))
        return self._compared(pieces, [w / least for w in weights])

    @staticmethod
    def _agree(salts: list[Words], left: Ints, right: Ints) -> Bools:
        found = [equal(salt[left], salt[right]) for salt in salts]
        result: Bools = np.logical_or.reduce([np.zeros(len(left), dtype=bool), *found])
        return result

    def _compared(self, pieces: list[tuple[Ints, Ints]], weights: list[float]) -> Grouped:
        """Grouped pairs, those of each piece counted so many times."""
        patterns, masks, counts = [], [], []
        for (left, right), weight in zip(pieces, weights, strict=True):
            patterns.append(self.compare(left, right))
            masks.append(self._candidates.mask(left, right))
            counts.append(np.full(len(left), round(weight), np.int64))
        return _grouped(*(np.concatenate(x) for x in (patterns, masks, counts)))

    def collision_probability(self, column: str) -> float:
        """Probability that two records with a value (and one salt) agree on it."""
        value, salt = self._levels.value(column), self._levels.salt(column)
        agreeing = _pairs_of(value[value != 0])
        possible = _pairs_of((np.zeros_like(value) if salt is None else salt)[value != 0])
        return min(agreeing / possible, 1 - 1e-9) if possible else 0.0

    def survivors(self, patterns: Ints) -> tuple[Ints, Ints, Ints]:
        """The proposed pairs with these patterns, ordered by the pair."""
        left, right, pattern, _ = self._pairs
        rows = np.flatnonzero(np.isin(pattern, patterns))
        rows = rows[np.lexsort((right[rows], left[rows]))]
        return left[rows].astype(np.int64), right[rows].astype(np.int64), pattern[rows]

    def compare(self, left: Ints, right: Ints) -> Ints:
        """Patterns of given pairs."""
        pieces = range(0, len(left), _PAIRS)
        found = [self._levels.patterns(left[p : p + _PAIRS], right[p : p + _PAIRS]) for p in pieces]
        return np.concatenate([np.empty(0, np.int64), *found])

    def value_counts(self, column: str) -> Ints:
        """How many records have each record's value.

        For a salted one as many as if its share among the records of its (first) salt held for all,
        drawn towards the average in small groups; without that salt, the average.
        """
        value, salt = self._levels.value(column), self._levels.salt(column)
        counts = _count_of_each(value)
        if salt is None:
            return counts
        filled = salt.copy()
        filled[value == 0] = 0
        there = self._levels.has_value(column)
        average = max(self.collision_probability(column), 1 / max(1, len(value)))
        # One record in a group of 30 says little of how common its value is: a value of average
        # frequency is added to each group, once.
        share = np.where(value == 0, average, counts / (_count_of_each(filled) - 1 + 1 / average))
        scaled = np.maximum(1, np.round(share * np.count_nonzero(there)))
        return np.where(there, scaled, 0).astype(np.int64)

    def identities(self) -> Identities:
        """Keyed ids and sources of the records."""
        ids, source = (self._ids[c].combine_chunks() for c in (ID, SOURCE))
        return Identities(ids, source.dictionary_encode())


def _grouped(pattern: Ints, mask: Ints, count: Ints | None = None) -> Grouped:
    patterns, code = np.unique(pattern, return_inverse=True)
    both, group = np.unique(code.astype(np.int64) << 32 | mask, return_inverse=True)
    counts = np.bincount(group, count, minlength=len(both))
    return Grouped(patterns[both >> 32], both & 0xFFFFFFFF, counts.astype(np.int64))


def spread_pairs(records: int, wanted: int) -> tuple[Ints, Ints]:
    """About so many pairs: record i meets record (i + step) modulo their number, for some steps."""
    # Golden-ratio spacing keeps the steps far from one another.
    spread = (i * _GOLDEN % 1 for i in range(1, -(-wanted // records) + 1))
    steps = np.array(sorted({1 + int(s * (records - 1)) for s in spread}))
    a = np.tile(np.arange(records), len(steps))
    b = (a + np.repeat(steps, records)) % records
    return np.minimum(a, b), np.maximum(a, b)


def same_salt(salt: Words, wanted: int) -> tuple[Ints, Ints]:
    """About so many pairs of records with one salt, from groups of all sizes alike."""
    order = np.argsort(salt, kind="stable")
    order = order[salt[order] != 0]
    _, start, size = np.unique(salt[order], return_index=True, return_counts=True)
    group = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(order)) - start[group]
    most = int(size.max(initial=0))
    # A record meets every later one of its group, or so many spread over the later ones.
    each = max(1, wanted // max(1, len(order))) + 1
    exact = min(most, 4 * each)
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    steps = (
        range(1, most)
        if most <= exact
        else sorted({1 + int((i * _GOLDEN % 1) * (most - 1)) for i in range(1, exact + 1)})
    )
    for step in steps:
        rows = np.flatnonzero(place + step < size[group])
        left.append(order[rows])
        right.append(order[rows + step])
    a, b = np.concatenate(left), np.concatenate(right)
    return np.minimum(a, b), np.maximum(a, b)


def _pairs_of(values: Words) -> float:
    """Ordered pairs of equal values."""
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum())


def _count_of_each(values: Words) -> Ints:
    """For each row, the rows with its value; 0 for a missing one."""
    _, code, counts = np.unique(values, return_inverse=True, return_counts=True)
    result: Ints = np.where(values == 0, 0, counts[code]).astype(np.int64)
    return result
