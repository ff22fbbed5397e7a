"""The hub's token columns in memory, and the three questions that can be asked of a pair of records.

Equal: both have the token. In common: some token of one list is in the other's. Dice: twice the
bits that both filters have, over the bits of each; with packed words and population counts. Records
are rows; a missing token is 0, which no token is but by a chance of one in 2^64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linkage.engine import Bools, Floats, Ints

Words = NDArray[np.uint64]
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, bits well spread: the golden ratio in 64 bits


@dataclass(frozen=True)
class Filters:
    """(records, words) of Bloom filters with their numbers of set bits."""

    words: Words
    bits: Ints

    def dice(self, left: Ints, other: Filters, right: Ints) -> Floats:
        """(pairs,) of Dice coefficients; 0 where a filter is missing."""
        both = np.bitwise_count(self.words[left] & other.words[right]).sum(axis=1, dtype=np.int64)
        total = self.bits[left] + other.bits[right]
        result: Floats = 2 * both / np.maximum(total, 1)
        return result


def token_column(column: pa.ChunkedArray) -> Words:
    """(records,) of tokens."""
    return np.asarray(column.fill_null(0).combine_chunks(), dtype=np.uint64)


def list_column(column: pa.ChunkedArray) -> Words:
    """(records, longest list) of tokens, the rest 0."""
    lists = column.combine_chunks()
    lengths = np.asarray(lists.value_lengths().fill_null(0), dtype=np.int64)
    result = np.zeros((len(lengths), max(1, int(lengths.max(initial=0)))), np.uint64)
    place = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    result[np.repeat(np.arange(len(lengths)), lengths), place] = np.asarray(lists.flatten())
    return result


def filter_column(column: pa.ChunkedArray) -> Filters:
    """Filters of a column of bytes of fixed size."""
    width = column.type.byte_width
    rows = column.fill_null(bytes(width)).combine_chunks()
    start = rows.offset * width
    raw: Any = np.frombuffer(rows.buffers()[1], np.uint8)[start : start + len(rows) * width]
    words = raw.reshape(len(rows), width).view(np.uint64)
    return Filters(words, np.bitwise_count(words).sum(axis=1, dtype=np.int64))


def digest(filters: Filters) -> Words:
    """One number for each filter, equal for equal filters: it serves as their token."""
    result: Words = np.zeros(len(filters.words), np.uint64)
    for word in filters.words.T:
        result = (result ^ word) * _MIX
        result ^= result >> np.uint64(29)
    result[filters.bits == 0] = 0
    return result


def equal(left: Words, right: Words) -> Bools:
    """Both there and equal."""
    result: Bools = (left == right) & (left != 0)
    return result


def in_common(left: Words, right: Words) -> Bools:
    """Some token of (pairs, n) is among (pairs, m)."""
    result = np.zeros(len(left), dtype=bool)
    for i in range(left.shape[1]):
        for j in range(right.shape[1]):
            result |= equal(left[:, i], right[:, j])
    return result
