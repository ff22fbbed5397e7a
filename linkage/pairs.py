"""All proposed pairs, each compared once: kept small, counted by pattern, given back by pattern.

Chunks of pairs are compared side by side. A pair is kept as two record numbers and the number of its
pattern, twelve bytes; where a nation's pairs are too many for that, in a table of DuckDB, which spills
(encrypted) when memory is short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linkage.arrays import coded
from linkage.blocking import PAIRS, Blocks, Chunk, Masks
from linkage.engine import Grouped, Ints, random_steps
from linkage.inputs import Codes
from linkage.levels import Kernel

In = TypeVar("In")
Out = TypeVar("Out")
BATCH = 2 * PAIRS  # proposals compared together
_MASK_BITS = 32
IN_MEMORY = 1 << 27  # pairs, 12 bytes each


@dataclass(frozen=True)
class Compared:
    """The pairs of a chunk: pair i has pattern ``patterns[which[i]]``.

    ``counts`` has the number of pairs of each (place in ``patterns``, mask) of ``keys``, packed.
    """

    left: Codes
    right: Codes
    which: NDArray[np.int32]
    patterns: Ints
    keys: Ints
    counts: Ints


def group(left: Codes, right: Codes, mask: Masks, pattern: Ints) -> Compared:
    """Group the pairs of a chunk."""
    patterns, which = coded(pattern)
    packed = (which.astype(np.int64) << _MASK_BITS) | mask
    keys, counts = np.unique(packed, return_counts=True)
    return Compared(left, right, which.astype(np.int32), patterns, keys, counts)


@dataclass
class Tally:
    """Counts of (pattern, mask) over all chunks; patterns are numbered as they come."""

    numbers: dict[int, int] = field(default_factory=dict)
    _keys: list[Ints] = field(default_factory=list)
    _counts: list[Ints] = field(default_factory=list)

    def add(self, found: Compared) -> NDArray[np.int32]:
        """Count a chunk; the number of each of its pairs' patterns."""
        numbers = self.numbers
        here = np.array(
            [numbers.setdefault(p, len(numbers)) for p in found.patterns.tolist()], np.int32
        )
        which, mask = found.keys >> _MASK_BITS, found.keys & ((1 << _MASK_BITS) - 1)
        self._keys.append((here[which].astype(np.int64) << _MASK_BITS) | mask)
        self._counts.append(found.counts)
        if sum(map(len, self._keys[1:])) > max(PAIRS, 2 * len(self._keys[0])):
            self._settle()
        result: NDArray[np.int32] = here[found.which]
        return result

    def _settle(self) -> None:
        keys, again = np.unique(np.concatenate(self._keys), return_inverse=True)
        counts = np.bincount(again, np.concatenate(self._counts)).astype(np.int64)
        self._keys, self._counts = [keys], [counts]

    def grouped(self) -> Grouped:
        """All counts, by pattern and mask."""
        if not self._keys:
            return Grouped(*(np.empty(0, np.int64) for _ in range(3)))
        self._settle()
        patterns = np.array(list(self.numbers), np.int64)[self._keys[0] >> _MASK_BITS]
        masks = self._keys[0] & ((1 << _MASK_BITS) - 1)
        order = np.lexsort((masks, patterns))
        return Grouped(patterns[order], masks[order], self._counts[0][order])


def side_by_side(threads: int, work: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
    """Results in the order of the items, only a few of them in memory at a time."""
    waiting = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(work, item) for item in islice(waiting, threads + 1)]
        while running:
            yield running.pop(0).result()
            running += [pool.submit(work, item) for item in islice(waiting, 1)]


Kept = tuple[Codes, Codes, NDArray[np.int32]]


@dataclass
class PairStore:
    """The proposed pairs: left, right and number of the pattern, in memory while they are few.

    Beyond ``limit`` pairs, what lies in memory moves to table ``pair`` of DuckDB, which may spill.
    """

    con: duckdb.DuckDBPyConnection
    limit: int = IN_MEMORY
    tally: Tally = field(default_factory=Tally)
    _kept: list[Kept] = field(default_factory=list)
    _in_memory: int = 0

    def __post_init__(self) -> None:
        self.con.execute("CREATE OR REPLACE TABLE pair (l INTEGER, r INTEGER, p INTEGER)")

    def add(self, found: Compared) -> None:
        """Count and keep the pairs of a chunk."""
        self._kept.append((found.left, found.right, self.tally.add(found)))
        self._in_memory += len(found.left)
        if self._in_memory > self.limit:
            for left, right, number in self._kept:
                self.con.register("more", pa.table({"l": left, "r": right, "p": number}))
                self.con.execute("INSERT INTO pair SELECT l, r, p FROM more")
                self.con.unregister("more")
            self._kept, self._in_memory = [], 0

    def with_patterns(self, patterns: Ints) -> tuple[Ints, Ints, Ints]:
        """(left, right, pattern) of the pairs with these patterns, ordered by the pair."""
        numbers = self.tally.numbers
        chosen = np.zeros(len(numbers), bool)
        chosen[[numbers[p] for p in np.unique(patterns).tolist() if p in numbers]] = True
        found = [self._stored(np.flatnonzero(chosen))]
        for kept in self._kept:
            at = np.flatnonzero(chosen[kept[2]])
            found.append((kept[0][at], kept[1][at], kept[2][at]))
        left, right, number = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort((left.astype(np.int64) << _MASK_BITS) | right)
        by_number = np.fromiter(numbers, np.int64, len(numbers))
        return (
            left[order].astype(np.int64),
            right[order].astype(np.int64),
            by_number[number[order]],
        )

    def _stored(self, numbers: Ints) -> Kept:
        """The pairs with these pattern numbers that lie in DuckDB."""
        self.con.register("chosen", pa.table({"p": pa.array(numbers, pa.int32())}))
        rows = self.con.execute("SELECT l, r, p FROM pair SEMI JOIN chosen USING (p)").fetchnumpy()
        self.con.unregister("chosen")
        left, right, number = (np.asarray(rows[c], dtype=np.int32) for c in "lrp")
        return left, right, number


def batches(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    """Chunks together until they have some work: of a late rule's pairs, most are dropped."""
    batch: list[Chunk] = []
    for chunk in chunks:
        batch.append(chunk)
        if sum(int(c.count.sum()) for c in batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def store_pairs(
    con: duckdb.DuckDBPyConnection, blocks: Blocks, kernel: Kernel, threads: int
) -> PairStore:
    """Propose, compare, count and keep all pairs."""

    def compare(batch: list[Chunk]) -> Compared:
        proposed = zip(*(blocks.proposed(chunk) for chunk in batch), strict=True)
        left, right, mask = (np.concatenate(parts) for parts in proposed)
        return group(left, right, mask, kernel.patterns(left, right))

    store = PairStore(con)
    for found in side_by_side(threads, compare, batches(blocks.chunks())):
        store.add(found)
    return store


def random_patterns(
    blocks: Blocks, kernel: Kernel, records: int, wanted: int, threads: int
) -> Grouped:
    """Patterns of pairs that no rule chose: all pairs if they are few, else evenly spread ones."""

    def compare(pairs: tuple[Codes, Codes]) -> Compared:
        return group(*pairs, blocks.mask(*pairs), kernel.patterns(*pairs))

    tally = Tally()
    for found in side_by_side(threads, compare, _spread(records, wanted)):
        tally.add(found)
    return tally.grouped()


def _spread(records: int, wanted: int) -> Iterator[tuple[Codes, Codes]]:
    if records * (records - 1) // 2 <= wanted:
        left, right = np.triu_indices(records, 1)
        yield left.astype(np.int32), right.astype(np.int32)
        return
    steps = np.array(random_steps(records, wanted), dtype=np.int64)
    together = max(1, PAIRS // 8 // records)  # a small file has many steps of few pairs
    for some in np.split(steps, range(together, len(steps), together)):
        for start in range(0, records, PAIRS):
            left = np.arange(start, min(start + PAIRS, records), dtype=np.int64)
            right = (left + some[:, None]) % records
            yield np.tile(left, len(some)).astype(np.int32), right.reshape(-1).astype(np.int32)


def compare_pairs(kernel: Kernel, left: Ints, right: Ints, threads: int) -> Ints:
    """Patterns of given pairs, in their order."""
    parts = [slice(at, at + PAIRS) for at in range(0, len(left), PAIRS)]
    found = side_by_side(threads, lambda part: kernel.patterns(left[part], right[part]), parts)
    return np.concatenate([np.empty(0, np.int64), *found])
