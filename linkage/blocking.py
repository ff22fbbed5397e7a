"""Blocks: which pairs the rules propose, each pair by the first rule that does.

A rule's key is one integer, made of the codes of its components without collision; sorting the keys
with the record numbers in their lowest bits gives the blocks. A pair's mask (which rules would
propose it) comes from comparing the records' rows of block numbers, so no pair need be remembered to
be proposed once only. Pairs come in chunks of bounded size, independent of one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from linkage.chunk import TILE
from linkage.coding import Space
from linkage.engine import Bools, Ints, RuleSize
from linkage.inputs import Codes
from linkage.model import Model
from linkage.spec import Key, Rule

Masks = NDArray[np.uint32]
PAIRS = 1 << 18  # in a chunk; a single record's pairs are never divided


@dataclass(frozen=True)
class Side:
    """Records of one side of a rule, block after block (ascending inside a block).

    Block b has ``records[starts[b] : starts[b + 1]]``; both sides of a rule have the same blocks.
    """

    records: Codes
    starts: Ints


@dataclass(frozen=True)
class Chunk:
    """Some left records of a rule, each with the stretch of right records that it meets."""

    rule: int
    left: Codes
    right: Codes
    first: Ints
    count: Ints

    def pairs(self) -> tuple[Codes, Codes]:
        """All pairs, in the order in which they stand in the blocks."""
        ends = np.cumsum(self.count)
        within = np.arange(ends[-1]) - np.repeat(ends - self.count, self.count)
        return (
            np.repeat(self.left, self.count),
            self.right[np.repeat(self.first, self.count) + within],
        )


@dataclass(frozen=True)
class Blocks:
    """The blocks of all rules.

    ``numbers[i]`` has the block of record i under each rule, then under the other side of each
    crossed rule; a record without a block has a negative number of its own. ``crossed[rule]`` is
    the column of a crossed rule's other side.
    """

    rules: tuple[tuple[Side, Side | None], ...]
    numbers: Codes
    crossed: dict[int, int]

    def sizes(self, model: Model) -> list[RuleSize]:
        """What each rule proposes."""
        return [
            RuleSize(rule.name, *_size(*sides))
            for rule, sides in zip(model.blocking, self.rules, strict=True)
        ]

    def chunks(self) -> Iterator[Chunk]:
        """All proposals of all rules, in chunks."""
        for rule in range(len(self.rules)):
            yield from self._chunks(rule)

    def _chunks(self, rule: int) -> Iterator[Chunk]:
        left, right = self.rules[rule]
        lengths = np.diff(left.starts)
        if right is None:  # each record meets those after it in the block
            first = np.arange(1, len(left.records) + 1)
            last = np.repeat(left.starts[1:], lengths)
        else:
            first = np.repeat(right.starts[:-1], lengths)
            last = np.repeat(right.starts[1:], lengths)
        count = last - first
        ends = np.cumsum(count)
        total = int(ends[-1]) if len(ends) else 0
        others = left.records if right is None else right.records
        cuts = [*np.searchsorted(ends, np.arange(0, total, PAIRS), side="right"), len(count)]
        for part in (slice(*cut) for cut in pairwise(cuts)):
            if count[part].any():
                yield Chunk(rule, left.records[part], others, first[part], count[part])

    def proposed(self, chunk: Chunk) -> tuple[Codes, Codes, Masks]:
        """(left, right, mask) of the chunk's pairs that no earlier rule proposes, left < right."""
        one, other = chunk.pairs()
        mask = self.mask(one, other)
        keep = (mask & np.uint32((1 << chunk.rule) - 1)) == 0
        if chunk.rule in self.crossed:
            # A pair that the rule proposes both ways round is taken where the left is lower.
            column = self.crossed[chunk.rule]
            again = self.numbers[other, chunk.rule] == self.numbers[one, column]
            keep &= (one < other) | ((one > other) & ~again)
        one, other, mask = one[keep], other[keep], mask[keep]
        if chunk.rule in self.crossed:
            one, other = np.minimum(one, other), np.maximum(one, other)
        return one, other, mask

    def mask(self, left: Codes, right: Codes) -> Masks:
        """Which rules would propose each pair: bit i for rule i."""
        rules = len(self.rules)
        result = np.empty(len(left), np.uint32)
        equal = np.zeros((TILE, 32), bool)
        for start in range(0, len(left), TILE):
            part = slice(start, start + TILE)
            one, other = (self.numbers.take(side[part], axis=0) for side in (left, right))
            here = equal[: len(one)]
            np.equal(one[:, :rules], other[:, :rules], out=here[:, :rules])
            for rule, column in self.crossed.items():
                here[:, rule] = one[:, rule] == other[:, column]
                here[:, rule] |= one[:, column] == other[:, rule]
            result[part] = np.packbits(here.reshape(-1), bitorder="little").view("<u4")
        return result


def _size(left: Side, right: Side | None) -> tuple[int, int, int | None]:
    """(pairs, records of the largest block, lowest left record of a block of that size)."""
    ours = np.diff(left.starts)
    if not len(ours):
        return 0, 0, None
    theirs = ours if right is None else np.diff(right.starts)
    pairs = ours * (ours - 1) // 2 if right is None else ours * theirs
    blocks = ours if right is None else ours + theirs
    worst = left.starts[:-1][blocks == blocks.max()]  # records ascend inside a block
    return int(pairs.sum()), int(blocks.max()), int(left.records[worst].min())


def make_blocks(
    model: Model,
    codes: dict[str, Codes],
    spaces: dict[str, Space],
    count: int,
    threads: int = 2,
) -> Blocks:
    """Sort the records into the blocks of every rule."""
    with_other = [i for i, rule in enumerate(model.blocking) if rule.with_]
    crossed = {rule: len(model.blocking) + i for i, rule in enumerate(with_other)}
    numbers = np.empty((count, len(model.blocking) + len(crossed)), np.int32)
    numbers[:] = np.arange(-1, -count - 1, -1, dtype=np.int32)[:, None]

    def sort(index: int) -> tuple[Side, Side | None]:
        sides = _sides(model.blocking[index], codes, spaces, count)
        for side, column in zip(sides, (index, crossed.get(index)), strict=True):
            if side is not None:
                number = np.arange(len(side.starts) - 1, dtype=np.int32)
                numbers[side.records, column] = np.repeat(number, np.diff(side.starts))
        return sides

    with ThreadPoolExecutor(threads) as pool:
        rules = tuple(pool.map(sort, range(len(model.blocking))))
    return Blocks(rules, numbers, crossed)


def _sides(
    rule: Rule, codes: dict[str, Codes], spaces: dict[str, Space], count: int
) -> tuple[Side, Side | None]:
    """Records by block, blocks with one record (or with one side only) left out."""
    bits = max(count, 1).bit_length()
    keys, rows = _keys(rule, codes, spaces, 62 - bits)
    ordered = [np.sort((k << bits) | r) for k, r in zip(keys, rows, strict=True)]
    records = [(o & ((1 << bits) - 1)).astype(np.int32) for o in ordered]
    runs = [_runs(o >> bits) for o in ordered]
    if rule.with_ is None:
        _, starts, lengths = runs[0]
        return _picked(records[0], starts, lengths, lengths > 1), None
    (ours, starts, lengths), (theirs, other_starts, other_lengths) = runs
    _, one, other = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    left = _picked(records[0], starts, lengths, one)
    return left, _picked(records[1], other_starts, other_lengths, other)


def _runs(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """(key, start, length) of the runs of equal keys."""
    starts = np.flatnonzero(np.concatenate((np.ones(1, bool), keys[1:] != keys[:-1])))
    starts = starts[: len(keys)]
    return keys[starts], starts, np.diff(np.append(starts, len(keys)))


def _picked(records: Codes, starts: Ints, lengths: Ints, chosen: Ints | Bools) -> Side:
    """The chosen blocks."""
    starts, lengths = starts[chosen], lengths[chosen]
    ends = np.cumsum(lengths)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    return Side(records[np.repeat(starts, lengths) + within], np.append(np.int64(0), ends))


def _keys(
    rule: Rule, codes: dict[str, Codes], spaces: dict[str, Space], bits: int
) -> tuple[list[Ints], list[Ints]]:
    """For each side (keys, rows) of the records that have all components.

    Equal keys mean equal components. Keys have at most as many bits as are given: where that is too
    few for all combinations of components, the keys that occur are numbered.
    """
    sides = [rule.equal, *([rule.with_] if rule.with_ else [])]
    parts = [[_component(k, codes, spaces) for k in side] for side in sides]
    rows = [np.flatnonzero(np.logical_and.reduce([c >= 0 for c in p])) for p in parts]
    if rule.where_missing:
        rows[0] = rows[0][codes[rule.where_missing][rows[0]] < 0]
    keys = [np.zeros(len(r), np.int64) for r in rows]
    limit = 1
    for place, component in enumerate(rule.equal):
        found = [p[place][r] for p, r in zip(parts, rows, strict=True)]
        found, size = _renumbered(found, spaces[component.column].size)
        if (limit * size).bit_length() > 62:
            keys, limit = _numbered(keys)
        keys = [k * size + f for k, f in zip(keys, found, strict=True)]
        limit *= size
    if limit.bit_length() > bits:
        keys, limit = _numbered(keys)
    return keys, rows


def _renumbered(found: list[Codes], size: int) -> tuple[list[Codes], int]:
    """Codes without gaps, so that keys are short; and how many there are."""
    used = np.zeros(size, bool)
    for codes in found:
        used[codes] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return [number[codes] for codes in found], int(used.sum()) or 1


def _numbered(keys: list[Ints]) -> tuple[list[Ints], int]:
    """The keys that occur, numbered in order; and how many there are."""
    distinct, number = np.unique(np.concatenate(keys), return_inverse=True)
    return np.split(number.astype(np.int64), [len(keys[0])])[: len(keys)], len(distinct) or 1


def _component(key: Key, codes: dict[str, Codes], spaces: dict[str, Space]) -> Codes:
    found = codes[key.column]
    return spaces[key.column].parts[key.part][found] if key.part else found
