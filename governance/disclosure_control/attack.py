"""The attacker: what anybody can find out of published tables, by linear programming.

Knows every margin and hierarchy, that counts are whole and not negative, what the notes say of hidden
cells, that the same cell in two tables is one, and that a count since a day only grows. For each hidden
cell it finds the least and the greatest count that fit all that is published. Shares nothing with the
protector but the type of a table, so that an error in one is not an error in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from governance.disclosure_control.table import Cell, Published

_ROUND_OFF = 1e-6


class ContradictionError(ValueError):
    """The published tables contradict each other: no counts fit them all."""


@dataclass(frozen=True)
class Interval:
    """What a hidden cell can be."""

    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass
class _Knowledge:
    """All that is published, as unknowns with bounds and sums that are zero."""

    unknowns: dict[object, int]
    low: list[float]
    high: list[float]
    sums: list[dict[int, float]]

    def unknown(self, name: object, low: float = 0.0, high: float = inf) -> int:
        """The number of an unknown; what is known of it is narrowed."""
        at = self.unknowns.setdefault(name, len(self.unknowns))
        if at == len(self.low):
            self.low.append(0.0)
            self.high.append(inf)
        self.low[at], self.high[at] = max(self.low[at], low), min(self.high[at], high)
        return at


def attack(published: Sequence[Published], *, whole: bool = False) -> dict[Cell, Interval]:
    """Return what each hidden cell of the tables can be; ``whole`` asks for whole counts only (slower).

    Raises ContradictionError when the tables cannot all be true.
    """
    known = _Knowledge({}, [], [], [])
    hidden: set[Cell] = set()
    for table in published:
        hidden |= _read(known, table)
    _grow(known, published)
    solver = _Solver(known, whole=whole)
    cells = sorted(hidden, key=lambda cell: known.unknowns[cell])
    return {cell: solver.interval(known.unknowns[cell]) for cell in cells}


def _read(known: _Knowledge, table: Published) -> set[Cell]:
    """Take over one table; return the cells that it hides."""
    frame, hidden = table.frame, set()
    for key, count in table.cells.items():
        cell = frame.cell(key)
        if count is None:
            known.unknown(cell, table.lowest)
            hidden.add(cell)
        elif table.base == 1 or (count == 0 and (table.lowest or 2 * table.least > table.base)):
            known.unknown(cell, count, count)
        else:  # what is less than the least shown was hidden, so it is not this
            half = table.base / 2
            low = max(table.least if count else 0, ceil(count - half))
            known.unknown(cell, low, floor(count + half))
    for total, parts, overlap in frame.lines():
        at = known.unknown(frame.cell(total))
        inside = [known.unknown(frame.cell(part)) for part in parts]
        if overlap:  # each part is some of the whole; those left over are not negative
            for part in inside:
                rest = known.unknown(("rest", at, part))
                known.sums.append({at: 1.0, part: -1.0, rest: -1.0})
        else:
            known.sums.append({at: 1.0, **dict.fromkeys(inside, -1.0)})
    return hidden


def _grow(known: _Knowledge, published: Sequence[Published]) -> None:
    """Counts since one day only grow from a table to the next."""
    for later in published:
        for earlier in published:
            old, new = earlier.frame, later.frame
            is_before = old.since is not None and old.since == new.since and old.as_at < new.as_at
            if not is_before or old.counted != new.counted:
                continue
            before = {old.cell(key)[3]: old.cell(key) for key in earlier.cells}
            for key in later.cells:
                cell = new.cell(key)
                if cell[3] in before:
                    now, then = known.unknown(cell), known.unknown(before[cell[3]])
                    if known.high[now] < known.low[then]:
                        continue  # plainly corrected, so nothing follows from growth
                    gain = known.unknown(("gain", now, then))
                    known.sums.append({now: 1.0, then: -1.0, gain: -1.0})


class _Solver:
    """Least and greatest of one unknown after the other, over what is not plainly known."""

    def __init__(self, known: _Knowledge, *, whole: bool) -> None:
        low, high = np.array(known.low), np.array(known.high)
        if (low > high).any():
            raise ContradictionError("a cell is told with two counts")
        free = np.flatnonzero(low < high)
        place = {int(at): n for n, at in enumerate(free)}
        entries = [(n, at, factor) for n, s in enumerate(known.sums) for at, factor in s.items()]
        rows, columns, factors = (np.array(each) for each in zip(*entries, strict=True))
        matrix = csr_array((factors, (rows, columns)), shape=(len(known.sums), len(low)))
        fixed = np.where(low < high, 0.0, low)
        self._matrix, self._target = matrix[:, free], -(matrix @ fixed)
        is_touched = np.diff(self._matrix.indptr) > 0
        if np.abs(self._target[~is_touched]).max(initial=0) > _ROUND_OFF:
            raise ContradictionError("a total is not the sum of its parts")
        touched = np.flatnonzero(is_touched)
        self._matrix, self._target = self._matrix[touched], self._target[touched]
        self._low, self._high, self._place, self._fixed = low[free], high[free], place, fixed
        self._whole = whole

    def interval(self, unknown: int) -> Interval:
        if unknown not in self._place:
            return Interval(float(self._fixed[unknown]), float(self._fixed[unknown]))
        goal = np.zeros(len(self._low))
        goal[self._place[unknown]] = 1.0
        return Interval(self._least(goal), -self._least(-goal))

    def _least(self, goal: npt.NDArray[np.float64]) -> float:
        status, value = self._of_whole(goal) if self._whole else self._of_any(goal)
        if status == 3:
            return -inf
        if status != 0:
            raise ContradictionError("no counts fit all that is published")
        return round(value) if abs(value - round(value)) < _ROUND_OFF else value

    def _of_any(self, goal: npt.NDArray[np.float64]) -> tuple[int, float]:
        bounds = np.column_stack([self._low, self._high])
        found = linprog(goal, A_eq=self._matrix, b_eq=self._target, bounds=bounds)
        return found.status, found.fun

    def _of_whole(self, goal: npt.NDArray[np.float64]) -> tuple[int, float]:
        found = milp(
            goal,
            integrality=np.ones(len(goal)),
            bounds=Bounds(self._low, self._high),
            constraints=LinearConstraint(self._matrix, self._target, self._target),
        )
        return found.status, found.fun


def recovered(found: Mapping[Cell, Interval], width: float) -> dict[Cell, Interval]:
    """Those of the attacker's intervals that are narrower than ``width``."""
    return {cell: interval for cell, interval in found.items() if interval.width < width}
