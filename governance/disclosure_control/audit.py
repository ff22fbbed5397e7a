"""The protector's own audit of a choice of hidden cells, and what would mend it.

For a hidden cell two linear programmes give how far it can go up and down while every sum holds. Where
that is too little, their dual prices say why in one inequality over which cells are hidden (Fischetti and
Salazar-Gonzalez, Models and algorithms for optimizing cell suppression in tabular data with linear
constraints, 2000): whichever cells are chosen next must satisfy it. Points found on the way prove many other
cells open at once, so few programmes are solved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from governance.disclosure_control.system import Flags, Floats, Numbers, System

_NOISE = 1e-7
_SWEEPS = 6


@dataclass(frozen=True)
class Cut:
    """Of the free cells ``others`` as many must be hidden as to gain ``wanted`` of ``gains``, if ``cell`` is."""

    cell: int
    others: Numbers
    gains: Floats
    wanted: float


def cuts_of_sums(system: System, width: float) -> Iterator[Cut]:
    """What each sum alone asks of each of its cells, before any programme is solved.

    A hidden cell needs another one in every sum that it is in; and if it could itself go down by less than
    ``width``, those beside it must be able to go down by the rest, or the whole be hidden.
    """
    sums = system.sums
    for row in range(sums.shape[0]):
        inside = slice(sums.indptr[row], sums.indptr[row + 1])
        cells, is_whole = sums.indices[inside], sums.data[inside] > 0
        movable = (system.is_free | system.is_open)[cells]
        for at in np.flatnonzero(system.is_kept[cells]).tolist():
            others = movable & (np.arange(len(cells)) != at)
            short = width - system.down[cells[at]]
            yield from _of_sum(system, int(cells[at]), cells[others], np.ones(others.sum()), 1.0)
            if short > 0 and not is_whole[at]:
                reach = np.where(is_whole, short, np.minimum(system.down[cells], short))
                yield from _of_sum(system, int(cells[at]), cells[others], reach[others], short)


def _of_sum(
    system: System, cell: int, others: Numbers, reach: Floats, wanted: float
) -> Iterator[Cut]:
    always = system.is_open[others]
    left = wanted - reach[always].sum()
    if left > _NOISE and reach[~always].sum() >= left:
        yield Cut(cell, others[~always], np.minimum(reach[~always], left), left)


class Audit:
    """How far each hidden cell can move under one choice."""

    def __init__(self, system: System, hidden: Flags) -> None:
        """Take the cells that are hidden, open or shown rounded; all others stand still."""
        self._system = system
        unseen = hidden | system.is_open
        down = np.where(unseen, system.down, system.shown_down)
        up = np.where(unseen, system.up, system.shown_up)
        self._unseen = unseen
        self._at = np.flatnonzero(unseen | (down + up > 0))
        self._matrix: csr_array = system.sums[:, self._at]
        used = np.diff(self._matrix.indptr) > 0
        self._rows = np.flatnonzero(used)
        self._matrix = self._matrix[self._rows]
        self._bounds = np.column_stack([-down[self._at], up[self._at]])
        self.low = np.zeros(len(self._at))
        self.high = np.zeros(len(self._at))

    def too_narrow(self, width: float) -> Iterator[Cut]:
        """Yield a cut for each hidden count of people that can move by less than ``width``."""
        kept = (self._system.is_kept & self._unseen)[self._at]
        self._sweep(kept, width)
        for place in np.flatnonzero(kept).tolist():
            if self._is_narrow(place, width):
                up, down = self._price(place, 1.0), self._price(place, -1.0)
                if self._is_narrow(place, width):
                    cut = self._cut(place, up, down, width)
                    if (
                        cut.gains.sum() >= cut.wanted
                    ):  # else the past has told it, whatever is hidden now
                        yield cut

    def _is_narrow(self, place: int, width: float) -> bool:
        return bool(self.high[place] - self.low[place] < width - _NOISE)

    def _sweep(self, kept: Flags, width: float) -> None:
        """Points in a few directions, each of which moves many cells."""
        random = np.random.default_rng(7)
        for _ in range(_SWEEPS):
            narrow = kept & (self.high - self.low < width - _NOISE)
            if narrow.sum() < _SWEEPS:
                return
            direction = np.where(narrow, random.choice([-1.0, 1.0], len(narrow)), 0.0)
            for sign in (1.0, -1.0):
                self._solve(sign * direction)

    def _price(self, place: int, sign: float) -> Floats:
        """Prices of the sums when one cell is moved as far as it goes."""
        goal = np.zeros(len(self._at))
        goal[place] = sign
        return self._solve(goal)

    def _solve(self, goal: Floats) -> Floats:
        found = linprog(
            -goal,
            A_eq=self._matrix,
            b_eq=np.zeros(len(self._rows)),
            bounds=self._bounds,
            method="highs",
        )
        if found.status != 0:
            raise ArithmeticError(f"the audit found no answer: {found.message}")
        self.low = np.minimum(self.low, found.x)
        self.high = np.maximum(self.high, found.x)
        return -np.asarray(found.eqlin.marginals)

    def _cut(self, place: int, up: Floats, down: Floats, width: float) -> Cut:
        cell = int(self._at[place])
        system = self._system
        unseen = self._gains(cell, (up, down), system.down, system.up)
        shown = self._gains(cell, (up, down), system.shown_down, system.shown_up)
        always = np.where(system.is_open, unseen, shown)
        always[cell] = unseen[cell]
        gains, wanted = unseen - always, width - always.sum()
        gains[~system.is_free] = 0
        others = np.flatnonzero(gains)
        return Cut(cell, others, np.minimum(gains[others], wanted), wanted)

    def _gains(self, cell: int, prices: tuple[Floats, Floats], down: Floats, up: Floats) -> Floats:
        """How much each cell lets this one move up and down by these prices, where it can itself go so far."""
        gains = np.zeros(len(down))
        for sign, priced in zip((1.0, -1.0), prices, strict=True):
            left = -(self._system.sums[self._rows].T @ priced)
            left[cell] += sign
            left[np.abs(left) < _NOISE] = 0
            gains += up * np.maximum(left, 0) + down * np.maximum(-left, 0)
        return gains
