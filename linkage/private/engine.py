"""The engine over tokens: ``linkage.engine.Engine`` for records that nobody here can read.

Estimation, weights and clusters are those of clear records. Only two things differ: what a level
means (``levels``), and that counts of a salted column's values are taken inside one salt, since a
value's tokens differ from salt to salt.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import pyarrow as pa

from linkage.engine import Grouped, Identities, Ints, Loaded, RuleSize
from linkage.packing import Packing
from linkage.private.candidates import Candidates
from linkage.private.columns import Words
from linkage.private.levels import Levels, Records
from linkage.private.settings import Discovery
from linkage.private.tokenise import ID
from linkage.private.tokens import together

_PAIRS = 500_000  # compared at a time
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
        silent = {
            c.name: "no record has a value"
            for c in model.comparisons
            if not any(self._records.value(column).any() for column in c.columns)
        }
        packing = Packing(tuple(c for c in model.comparisons if c.name not in silent))
        self._levels = Levels(discovery, self._records, packing)
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

        Record i meets record (i + step) modulo the number of records, for a fixed series of steps.
        """
        n, wanted = self.loaded.count, self._settings.random_pairs
        if n * (n - 1) // 2 <= wanted:
            return self._compared([np.triu_indices(n, 1)])
        # Golden-ratio spacing keeps the steps far from one another.
        spread = (i * 0.6180339887498949 % 1 for i in range(1, -(-wanted // n) + 1))
        steps = sorted({1 + int(s * (n - 1)) for s in spread})
        rows = np.arange(n)
        return self._compared((rows, (rows + step) % n) for step in steps)

    def _compared(self, pieces: Iterable[tuple[Ints, Ints]]) -> Grouped:
        patterns, masks = [], []
        for a, b in pieces:
            left, right = np.minimum(a, b), np.maximum(a, b)
            patterns.append(self._levels.patterns(left, right))
            masks.append(self._candidates.mask(left, right))
        return _grouped(np.concatenate(patterns), np.concatenate(masks))

    def collision_probability(self, column: str) -> float:
        """Probability that two records with a value (and one salt) agree on it."""
        value, salt = self._records.value(column), self._records.salt(column)
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
        """How many records have each record's value; for a salted one, as many as if its share
        among the records of its salt held for all."""
        value, salt = self._records.value(column), self._records.salt(column)
        counts = _count_of_each(value)
        if salt is None:
            return counts
        filled = salt.copy()
        filled[value == 0] = 0
        peers = _count_of_each(filled)
        total = np.count_nonzero(value)
        return np.ceil(counts * total / np.maximum(peers, 1)).astype(np.int64)

    def identities(self) -> Identities:
        """Keyed ids and sources of the records."""
        ids, source = (self._ids[c].combine_chunks() for c in (ID, SOURCE))
        return Identities(ids, source.dictionary_encode())


def _grouped(pattern: Ints, mask: Ints) -> Grouped:
    patterns, code = np.unique(pattern, return_inverse=True)
    both, counts = np.unique(code.astype(np.int64) << 32 | mask, return_counts=True)
    return Grouped(patterns[both >> 32], both & 0xFFFFFFFF, counts.astype(np.int64))


def _pairs_of(values: Words) -> float:
    """Ordered pairs of equal values."""
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum())


def _count_of_each(values: Words) -> Ints:
    """For each row, the rows with its value; 0 for a missing one."""
    _, code, counts = np.unique(values, return_inverse=True, return_counts=True)
    result: Ints = np.where(values == 0, 0, counts[code]).astype(np.int64)
    return result
