"""What is known of each value once, so that most pairs of values need no comparing.

``Letters`` are bounds that prove two values unlike; nothing is lost by them. From the letters that
each value has, its length and its first bytes comes an upper bound of the Jaro-Winkler similarity in
a few integer operations, so that the similarity itself is computed only where it could reach a level.
Strings are compared as bytes of UTF-8, as DuckDB compares them. ``Lists`` tell whether two values
have a word, or a group of equivalents, in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linkage.engine import Bools, Floats
from linkage.inputs import Codes

MARGIN = 1e-6  # similarities are rounded to six places before they meet a level
_AT_ONCE = 100_000


@dataclass(frozen=True)
class Letters:
    """For each value of a space: its letters as bits, how many are beyond them, length, beginning.

    A byte belongs to one of 32 kinds (its lowest five bits). Bit k says that there is a letter of
    kind k, bit 32 + k that there is a second. ``head`` holds the first four bytes, the first lowest.
    """

    kinds: NDArray[np.uint64]
    beyond: NDArray[np.int32]
    length: NDArray[np.int32]
    head: NDArray[np.uint32]

    def similarity_bound(self, left: Codes, right: Codes) -> Floats:
        """At least the Jaro-Winkler similarity of each pair of values.

        Matching letters are at most the letters in common, and Jaro is highest when none of them
        is out of order: (m / a + m / b + 1) / 3. Winkler's bonus (above 0.7) counts equal first
        bytes, up to four.
        """
        jaro = self._jaro_bound(left, right)
        unlike = self.head[left] ^ self.head[right]
        prefix = np.zeros(len(left), np.int8)
        for mask in (0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF):
            prefix += (unlike & np.uint32(mask)) == 0
        bonus = np.where(jaro >= 0.7 - MARGIN, 0.1 * prefix, 0.0)
        result: Floats = jaro + bonus * (1 - jaro)
        return result

    def _jaro_bound(self, left: Codes, right: Codes) -> Floats:
        common = np.bitwise_count(self.kinds[left] & self.kinds[right]).astype(np.int32)
        common += np.minimum(self.beyond[left], self.beyond[right])
        a, b = self.length[left], self.length[right]
        matching = np.minimum(common, np.minimum(a, b))
        jaro = (matching / np.maximum(a, 1) + matching / np.maximum(b, 1) + 1) / 3
        result: Floats = np.where(matching == 0, 0.0, jaro)
        return result

    def may_be_similar(self, left: Codes, right: Codes, at_least: float) -> Bools:
        """False where the similarity is certainly below the level."""
        # Four equal first bytes add four tenths of what is lacking: without that much, no more work.
        enough = min(at_least, (at_least - 0.4) / 0.6) - MARGIN
        at = np.flatnonzero(self._jaro_bound(left, right) >= enough)
        at = at[self.similarity_bound(left[at], right[at]) >= at_least - MARGIN]
        result = np.zeros(len(left), bool)
        result[at] = True
        return result

    def may_be_one_edit(self, left: Codes, right: Codes) -> Bools:
        """False where one edit certainly does not make one value of the other.

        One edit takes one byte away, adds one, or both, and so changes at most two of the bits.
        """
        changed = np.bitwise_count(self.kinds[left] ^ self.kinds[right])
        near = np.abs(self.length[left] - self.length[right]) <= 1
        result: Bools = near & (changed <= 2)
        return result

    def same_beginning(self, left: Codes, right: Codes, count: int) -> Bools:
        """True where the first bytes (up to four) are equal."""
        mask = np.uint32((1 << (8 * min(count, 4))) - 1)
        result: Bools = ((self.head[left] ^ self.head[right]) & mask) == 0
        return result


def letters_of(values: pa.StringArray) -> Letters:
    """What ``Letters`` tells of each value."""
    parts = [_letters(values.slice(at, _AT_ONCE)) for at in range(0, max(len(values), 1), _AT_ONCE)]
    return Letters(*(np.concatenate(found) for found in zip(*parts, strict=True)))


def _letters(
    values: pa.StringArray,
) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int32], NDArray[np.uint32]]:
    offsets = np.frombuffer(values.buffers()[1], np.int32)[values.offset :][: len(values) + 1]
    if not len(values):
        return np.empty(0, np.uint64), *(np.empty(0, np.int32),) * 2, np.empty(0, np.uint32)
    text = values.buffers()[2]
    data = np.frombuffer(text, np.uint8) if text else np.empty(0, np.uint8)
    data = data[offsets[0] : offsets[-1]]
    starts, length = offsets[:-1] - offsets[0], np.diff(offsets)
    owner = np.repeat(np.arange(len(values)), length)
    counts = np.bincount(owner * 32 + (data & 31), minlength=len(values) * 32).reshape(-1, 32)
    kind = np.uint64(1) << np.arange(32, dtype=np.uint64)
    kinds = (counts > 0) @ kind | ((counts > 1) @ kind) << np.uint64(32)
    padded = np.append(data, np.zeros(4, np.uint8)).astype(np.uint32)
    head = np.zeros(len(values), np.uint32)
    for place in range(4):
        byte = np.where(length > place, padded[starts + place], 0)
        head |= byte.astype(np.uint32) << np.uint32(8 * place)
    return kinds, np.maximum(counts - 2, 0).sum(axis=1).astype(np.int32), length, head


@dataclass(frozen=True)
class Lists:
    """For each value a list of numbered elements (its words, its groups of equivalents).

    Value v has ``elements[starts[v] : starts[v + 1]]``; the last entry is empty, for the missing
    value -1. Lists with an element in common have a bit of ``bits`` in common.
    """

    elements: NDArray[np.int64]
    starts: NDArray[np.int64]
    bits: NDArray[np.uint64]

    def in_common(self, left: Codes, right: Codes) -> Bools:
        """Whether the lists of two values have an element in common."""
        result = np.zeros(len(left), bool)
        may = np.flatnonzero(self.bits[left] & self.bits[right])
        one, other = self._keys(left[may]), self._keys(right[may])
        found = one[np.isin(one, other)] // self._beyond
        result[may[found]] = True
        return result

    @property
    def _beyond(self) -> int:
        return int(self.elements.max(initial=0)) + 1

    def _keys(self, values: Codes) -> NDArray[np.int64]:
        """(place of the value, element) of all elements, each as one number."""
        first, lengths = self.starts[values], self.starts[values + 1] - self.starts[values]
        ends = np.cumsum(lengths)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        place = np.repeat(np.arange(len(values)), lengths)
        result: NDArray[np.int64] = (
            place * self._beyond + self.elements[np.repeat(first, lengths) + within]
        )
        return result


def lists_of(lists: pa.ListArray) -> Lists:
    """What ``Lists`` tells of each value's list."""
    elements = np.asarray(lists.flatten().dictionary_encode().indices, dtype=np.int64)
    lengths = np.asarray(lists.value_lengths().fill_null(0), dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths), [lengths.sum()])).astype(np.int64)
    bits = np.zeros(len(lists) + 1, np.uint64)
    one = np.uint64(1) << (elements % 64).astype(np.uint64)
    np.bitwise_or.at(bits, np.repeat(np.arange(len(lists)), lengths), one)
    return Lists(elements, starts, bits)
