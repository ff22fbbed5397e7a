"""Counts for publication: tables with margins and hierarchies, and how cells of several tables are one.

A cell is named by the conditions that it counts under, without those that say "all": the total of one
table and the margin of another are then the same cell, whichever tables they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

Key = tuple[str, ...]
"""One code of each dimension of a table, in the order of its dimensions."""
Cell = tuple[str, str, int, frozenset[tuple[str, str]]]
"""What is counted, as at which day, which edition, under which conditions (dimension, code)."""


@dataclass(frozen=True)
class Dimension:
    """What a table is split by: each code with its parent, from the one code that means all.

    ``overlapping``: a child may count under several codes, or under none, so parts do not add up.
    ``sensitive``: to know that all of a group are of one code is to know it of each of them.
    """

    name: str
    parents: Mapping[str, str | None]
    overlapping: bool = False
    sensitive: bool = False

    @classmethod
    def flat(cls, name: str, *codes: str, total: str = "all", **how: bool) -> Dimension:
        """A dimension of one level."""
        return cls(name, {total: None, **dict.fromkeys(codes, total)}, **how)

    @cached_property
    def total(self) -> str:
        """The code that means all."""
        (root,) = (code for code, parent in self.parents.items() if parent is None)
        return root

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The parts of each code that has any, in order."""
        found: dict[str, tuple[str, ...]] = {}
        for code, parent in self.parents.items():
            if parent is not None:
                found[parent] = (*found.get(parent, ()), code)
        return found

    def above(self, code: str) -> Iterator[str]:
        """The code and all that it is part of."""
        at: str | None = code
        while at is not None:
            yield at
            at = self.parents[at]


@dataclass(frozen=True)
class Frame:
    """What a table is of: its name, what it counts, as at which day and in which edition of that day.

    ``since``: counts add up from that day, so a later table less an earlier one counts those in between.
    """

    name: str
    counted: str
    as_at: str
    dimensions: tuple[Dimension, ...]
    since: str | None = None
    edition: int = 1

    def all_keys(self) -> Iterator[Key]:
        """Every cell of the table, margins among them."""
        return product(*(each.parents for each in self.dimensions))

    def cell(self, key: Key) -> Cell:
        """The name of a cell that is the same in every table that has it."""
        conditions = frozenset(
            (each.name, code)
            for each, code in zip(self.dimensions, key, strict=True)
            if code != each.total
        )
        return self.counted, self.as_at, self.edition, conditions

    def lines(self) -> Iterator[tuple[Key, tuple[Key, ...], bool]]:
        """Each cell with its parts along one dimension, and whether these overlap."""
        for at, dimension in enumerate(self.dimensions):
            others = [
                [""] if n == at else list(each.parents) for n, each in enumerate(self.dimensions)
            ]
            for rest in product(*others):
                for whole, parts in dimension.parts.items():
                    keys = [(*rest[:at], code, *rest[at + 1 :]) for code in (whole, *parts)]
                    yield keys[0], tuple(keys[1:]), dimension.overlapping


@dataclass(frozen=True)
class Table:
    """The true counts of every cell of a frame.

    ``people``: how many persons are behind a cell and how much the largest of them gives, for counts
    of events; without it each person counts once.
    """

    frame: Frame
    counts: Mapping[Key, int]
    people: Mapping[Key, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def summed(cls, frame: Frame, leaves: Mapping[Key, int]) -> Table:
        """A table of the counts of its innermost cells.

        Codes of an overlapping dimension are taken as they are, with a count of its total among them.
        """
        counts = dict.fromkeys(frame.all_keys(), 0)
        for key, count in leaves.items():
            ways = (
                (code,) if dimension.overlapping else tuple(dimension.above(code))
                for dimension, code in zip(frame.dimensions, key, strict=True)
            )
            for whole in product(*ways):
                counts[whole] += count
        return cls(frame, counts)


@dataclass(frozen=True)
class Published:
    """What everybody sees: each cell's count, or None where it is hidden.

    ``lowest``: the least that a hidden cell can be, as the notes tell (1 where every zero is shown);
    ``base``: counts are rounded to a multiple of it; ``least``: none but zero is shown that was less.
    """

    frame: Frame
    cells: Mapping[Key, int | None]
    lowest: int = 0
    base: int = 1
    least: int = 1
