"""Reviewers' decisions as pairs of record numbers, and what came of those that clash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage.engine import Bools, Ints

Link = tuple[str, str]

CANNOT_LINK = "cannot_link"
ONE_PER_SOURCE = "one_per_source"


@dataclass(frozen=True)
class Decisions:
    """Pairs of record numbers (pairs, 2), lower first, ordered; pairs of unknown records counted."""

    must: Ints
    cannot: Ints
    unknown: int

    @classmethod
    def of(cls, ids: pa.StringArray, must: Iterable[Link], cannot: Iterable[Link]) -> Decisions:
        """Translate pairs of record ids; ``ids`` are those of the records by number."""
        given = [list(must), list(cannot)]
        named = sorted({r for pairs in given for pair in pairs for r in pair})
        if not named:
            return cls(_numbered([]), _numbered([]), 0)
        place = pc.index_in(ids, pa.array(named, pa.string()))
        rows = np.flatnonzero(place.is_valid().to_numpy(zero_copy_only=False))
        found = place.take(pa.array(rows)).to_pylist()
        number = {named[p]: int(r) for p, r in zip(found, rows, strict=True)}
        known = [
            [(number[a], number[b]) for a, b in pairs if a in number and b in number and a != b]
            for pairs in given
        ]
        unknown = sum(map(len, given)) - sum(map(len, known))
        return cls(_numbered(known[0]), _numbered(known[1]), unknown)

    def mark(self, pairs: Ints, left: Ints, right: Ints) -> Bools:
        """Which of the pairs (left, right), ordered, are among decided ``pairs``."""
        marks = np.zeros(len(left), dtype=bool)
        if len(pairs) and len(left):
            count = int(max(right.max(), pairs.max())) + 1
            keys = left * count + right
            wanted = pairs[:, 0] * count + pairs[:, 1]
            at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            marks[at[keys[at] == wanted]] = True
        return marks


def _numbered(pairs: list[tuple[int, int]]) -> Ints:
    ordered = np.sort(np.array(pairs, dtype=np.int64).reshape(-1, 2), axis=1)
    return np.unique(ordered, axis=0)


@dataclass(frozen=True)
class Contradiction:
    """A must-link (left, right) against which something speaks: a veto, a source, a cannot-link.

    ``reason`` holds for the pair (against_left, against_right), which is the pair itself or one
    that would come together with it. ``followed``: joined all the same.
    """

    left: int
    right: int
    reason: str
    against_left: int
    against_right: int
    followed: bool
