"""Blocks: which pairs the rules propose, each pair by the first rule that does.

A rule's key is one integer, made of the codes of its components without collision; sorting the keys
with the record numbers in their lowest bits gives the blocks. A pair's mask (which rules would
propose it) comes from comparing the records' rows of block numbers, so no pair need be remembered to
be proposed once only. Pairs come in chunks of bounded size, independent of one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from linkage.coding import Space
from linkage.engine import Ints, RuleSize
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
        one, other = self.numbers.take(left, axis=0), self.numbers.take(right, axis=0)
        equal = one == other
        for rule, column in self.crossed.items():
            equal[:, rule] = one[:, rule] == other[:, column]
            equal[:, rule] |= one[:, column] == other[:, rule]
        packed = np.packbits(equal[:, : len(self.rules)], axis=1, bitorder="little")
        mask = np.zeros((len(left), 4), np.uint8)
        mask[:, : packed.shape[1]] = packed
        result: Masks = mask.view("<u4")[:, 0]
        return result


def _size(left: Side, right: Side | None) -> tuple[int, int]:
    """(pairs, records of the largest block)."""
    ours = np.diff(left.starts)
    if not len(ours):
        return 0, 0
    if right is None:
        return int((ours * (ours - 1) // 2).sum()), int(ours.max())
    theirs = np.diff(right.starts)
    return int((ours * theirs).sum()), int((ours + theirs).max())


def make_blocks(
    model: Model, codes: dict[str, Codes], spaces: dict[str, Space], count: int
) -> Blocks:
    """Sort the records into the blocks of every rule."""
    with_other = [i for i, rule in enumerate(model.blocking) if rule.with_]
    crossed = {rule: len(model.blocking) + i for i, rule in enumerate(with_other)}
    numbers = np.empty((count, len(model.blocking) + len(crossed)), np.int32)
    numbers[:] = np.arange(-1, -count - 1, -1, dtype=np.int32)[:, None]
    rules = []
    for index, rule in enumerate(model.blocking):
        sides = _sides(rule, codes, spaces, count)
        rules.append(sides)
        for side, column in zip(sides, (index, crossed.get(index)), strict=True):
            if side is not None:
                number = np.arange(len(side.starts) - 1, dtype=np.int32)
                numbers[side.records, column] = np.repeat(number, np.diff(side.starts))
    return Blocks(tuple(rules), numbers, crossed)


def _sides(
    rule: Rule, codes: dict[str, Codes], spaces: dict[str, Space], count: int
) -> tuple[Side, Side | None]:
    """Records by block, blocks with one record (or with one side only) left out."""
    keys, rows, limit = _keys([rule.equal, *([rule.with_] if rule.with_ else [])], codes, spaces)
    bits = max(count, 1).bit_length()
    if limit.bit_length() + bits > 62:  # number the keys that occur
        distinct, number = np.unique(np.concatenate(keys), return_inverse=True)
        keys = np.split(number.astype(np.int64), [len(keys[0])])[: len(keys)]
        limit = len(distinct)
    ordered = [np.sort((k << bits) | r) for k, r in zip(keys, rows, strict=True)]
    records = [(o & ((1 << bits) - 1)).astype(np.int32) for o in ordered]
    keys = [o >> bits for o in ordered]
    runs = [_runs(k) for k in keys]
    if rule.with_ is None:
        starts, lengths = runs[0]
        return _picked(records[0], starts, lengths, lengths > 1), None
    one, other = (k[starts] for k, (starts, _) in zip(keys, runs, strict=True))
    _, ours, theirs = np.intersect1d(one, other, assume_unique=True, return_indices=True)
    chosen = [
        (records[i], starts[both], lengths[both])
        for i, ((starts, lengths), both) in enumerate(zip(runs, (ours, theirs), strict=True))
    ]
    left, right = (_picked(r, s, n, np.ones(len(s), bool)) for r, s, n in chosen)
    return left, right


def _runs(keys: Ints) -> tuple[Ints, Ints]:
    """(start, length) of the runs of equal keys."""
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else keys
    return starts, np.diff(np.append(starts, len(keys)))


def _picked(records: Codes, starts: Ints, lengths: Ints, chosen: NDArray[np.bool_]) -> Side:
    """The chosen blocks."""
    starts, lengths = starts[chosen], lengths[chosen]
    ends = np.cumsum(lengths)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    return Side(records[np.repeat(starts, lengths) + within], np.append(np.int64(0), ends))


def _keys(
    sides: list[tuple[Key, ...]], codes: dict[str, Codes], spaces: dict[str, Space]
) -> tuple[list[Ints], list[Ints], int]:
    """For each side (keys, rows) of the records that have all components; all keys are below the
    limit that comes third. Equal keys mean equal components."""
    parts = [[_component(k, codes, spaces) for k in side] for side in sides]
    rows = [np.flatnonzero(np.logical_and.reduce([c >= 0 for c in p])) for p in parts]
    keys = [np.zeros(len(r), np.int64) for r in rows]
    limit = 1
    for place, component in enumerate(sides[0]):
        size = spaces[component.column].size
        if limit.bit_length() + size.bit_length() > 62:
            distinct, number = np.unique(np.concatenate(keys), return_inverse=True)
            keys = np.split(number.astype(np.int64), [len(keys[0])])[: len(keys)]
            limit = len(distinct) + 1
        keys = [k * size + p[place][r] for k, p, r in zip(keys, parts, rows, strict=True)]
        limit *= size
    return keys, rows, limit


def _component(key: Key, codes: dict[str, Codes], spaces: dict[str, Space]) -> Codes:
    found = codes[key.column]
    return spaces[key.column].parts[key.part][found] if key.part else found
