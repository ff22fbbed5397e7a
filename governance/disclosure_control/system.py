"""The protector's view of tables and published history: cells, the sums among them, and their slack.

Every relation is a sum that is zero over cells with factors 1 and -1. What no table shows but anybody can
subtract (those of a whole who are not in an overlapping part; the growth between two counts since one
day) is a cell too, never shown. A cell's slack is how far it could go down or up from where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_array

from governance.disclosure_control.primary import follows
from governance.disclosure_control.rounding import left_open, rounded
from governance.disclosure_control.rules import Rules
from governance.disclosure_control.table import Cell, Frame, Published, Table

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.integer]
_UNKNOWN = float("nan")
_MARGIN = 0.5
"""What hiding a total costs beside a cell, for each dimension that it adds up."""


class DifferentCountsError(ValueError):
    """One cell with different counts in two tables, or tables whose sums do not hold."""


@dataclass(frozen=True)
class System:
    """Cells by number: ``sums`` has a row for each relation and a column for each cell.

    ``is_free``: to be shown or hidden as is decided now; ``is_open``: never shown, whatever is decided.
    ``down``, ``up``: how far a cell could be from its count, were it hidden. ``is_kept``: not to be found
    out while it is hidden or never shown. ``weight``: what hiding it costs. ``shown_down``, ``shown_up``:
    how far it could be from its count while it is shown, which is none unless counts are rounded.
    """

    numbers: Mapping[object, int]
    sums: csr_array
    value: Floats
    down: Floats
    up: Floats
    is_free: Flags
    is_open: Flags
    is_kept: Flags
    weight: Floats
    shown_down: Floats
    shown_up: Floats


@dataclass
class _Draft:
    """A system while it is made; an unknown value is one that only the past knows."""

    numbers: dict[object, int] = field(default_factory=dict)
    value: list[float] = field(default_factory=list)
    lowest: list[float] = field(default_factory=list)
    highest: list[float] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    sums: list[dict[int, float]] = field(default_factory=list)
    open_to: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Of cells that are shown rounded, between which counts."""

    def add(self, name: object, value: float, lowest: float, kind: str, weight: float = 0) -> int:
        at = self.numbers.setdefault(name, len(self.numbers))
        if at == len(self.value):
            self.value.append(value)
            self.lowest.append(lowest)
            self.highest.append(np.inf)
            self.kind.append(kind)
            self.weight.append(weight)
        elif self.value[at] != value and not np.isnan(self.value[at] + value):
            raise DifferentCountsError(f"{name}: counted as {self.value[at]} and as {value}")
        return at

    def relate(self, whole: int, parts: Sequence[int]) -> None:
        self.sums.append({whole: 1.0, **dict.fromkeys(parts, -1.0)})


def build(tables: Sequence[Table], former: Sequence[Published], rules: Rules) -> System:
    """Return the system of new tables and of the published ones that they follow."""
    draft = _Draft()
    for table in tables:
        for key, count in table.counts.items():
            margins = sum(
                code == d.total for code, d in zip(key, table.frame.dimensions, strict=True)
            )
            kind = "shown" if rules.zeros_shown and not count else "free"
            at = draft.add(table.frame.cell(key), count, rules.lowest, kind, 1 + _MARGIN * margins)
            draft.open_to[at] = left_open(rounded(count, rules.base), rules.base, rules.least)
        _add_lines(draft, table.frame, rules)
    bearing = [p for p in former if any(_bears(table.frame, p.frame) for table in tables)]
    for published in bearing:
        for key, seen in published.cells.items():
            _add_seen(draft, published, published.frame.cell(key), seen)
        _add_lines(draft, published.frame, rules)
    _add_growth(draft, [t.frame for t in tables] + [p.frame for p in bearing])
    return _finished(draft)


def _add_seen(draft: _Draft, published: Published, cell: Cell, seen: int | None) -> None:
    """A cell as it was published before: unknown where it was hidden, and between two counts where rounded."""
    if seen is None:
        draft.add(cell, _UNKNOWN, published.lowest, "hidden")
        return
    low, high = left_open(seen, published.base, published.least)
    if low == high:
        draft.add(cell, low, published.lowest, "shown")
    else:
        at = draft.add(cell, _UNKNOWN, low, "rounded")
        draft.highest[at] = min(draft.highest[at], high)


def _bears(one: Frame, other: Frame) -> bool:
    return follows(one, other) or follows(other, one)


def _add_lines(draft: _Draft, frame: Frame, rules: Rules) -> None:
    for whole, parts, overlap in frame.lines():
        total = draft.numbers[frame.cell(whole)]
        inside = [draft.numbers[frame.cell(part)] for part in parts]
        if overlap:
            for part in inside:
                left = draft.value[total] - draft.value[part]
                is_few = not np.isnan(left) and rules.is_small(int(left))
                _add_left(draft, total, part, "few" if is_few else "rest")
        else:
            draft.relate(total, inside)


def _add_left(draft: _Draft, whole: int, part: int, kind: str) -> None:
    """What is left of a whole without a part: anybody can subtract, so it is a cell that is never shown."""
    left = draft.add((whole, part), draft.value[whole] - draft.value[part], 0, kind)
    draft.relate(whole, [part, left])


def _add_growth(draft: _Draft, frames: Collection[Frame]) -> None:
    for one, other in combinations(frames, 2):
        for later, earlier in ((one, other), (other, one)):
            if follows(later, earlier):
                before = {earlier.cell(key)[3]: earlier.cell(key) for key in earlier.all_keys()}
                for key in later.all_keys():
                    now = later.cell(key)
                    if now[3] in before:
                        _add_gain(draft, now, before[now[3]])


def _add_gain(draft: _Draft, now: Cell, then: Cell) -> None:
    new, old = draft.numbers[now], draft.numbers[then]
    if not _most(draft, new) < _least(
        draft, old
    ):  # what was corrected downwards tells of no growth
        _add_left(draft, new, old, "rest")
        if draft.kind[old] == "shown":
            draft.lowest[new] = max(draft.lowest[new], draft.value[old])
        if draft.kind[new] == "shown":
            draft.highest[old] = min(draft.highest[old], draft.value[new])


def _most(draft: _Draft, at: int) -> float:
    value = draft.value[at]
    return draft.highest[at] if np.isnan(value) else value


def _least(draft: _Draft, at: int) -> float:
    value = draft.value[at]
    return draft.lowest[at] if np.isnan(value) else value


def _finished(draft: _Draft) -> System:
    value, lowest = np.array(draft.value), np.array(draft.lowest)
    kind = np.array(draft.kind)
    entries = [(0, 0, 0.0)] + [
        (n, at, factor) for n, s in enumerate(draft.sums) for at, factor in s.items()
    ]
    rows, columns, factors = (np.array(each) for each in zip(*entries, strict=True))
    sums = csr_array((factors, (rows, columns)), shape=(max(1, len(draft.sums)), len(value)))
    highest = np.array(draft.highest)
    value = _completed(sums, value, lowest, highest)
    if np.abs(sums @ value).max() > 1e-6:
        raise DifferentCountsError("the counts of a table do not add up to its margins")
    down = np.maximum(value - lowest, 0)
    up = np.minimum(highest - value, 2 * value.max() + 100)
    shown = np.column_stack([value, value])
    for at, between in draft.open_to.items():
        shown[at] = between
    is_rounded = kind == "rounded"
    return System(
        numbers=draft.numbers,
        sums=sums,
        value=value,
        down=down,
        up=up,
        is_free=kind == "free",
        is_open=np.isin(kind, ["hidden", "rest", "few"]),
        is_kept=np.isin(kind, ["free", "hidden", "few"]),
        weight=np.array(draft.weight),
        shown_down=np.where(is_rounded, down, value - shown[:, 0]),
        shown_up=np.where(is_rounded, up, shown[:, 1] - value),
    )


def _completed(sums: csr_array, value: Floats, lowest: Floats, highest: Floats) -> Floats:
    """Counts for what the past hid or rounded, any that fit: what can be found out does not depend on which."""
    unknown = np.isnan(value)
    if not unknown.any():
        return value
    target = -(sums[:, ~unknown] @ value[~unknown])
    bounds = np.column_stack([lowest[unknown], highest[unknown]])
    found = linprog(np.zeros(unknown.sum()), A_eq=sums[:, unknown], b_eq=target, bounds=bounds)
    if found.status != 0:
        raise DifferentCountsError("the counts cannot follow from what was published before")
    filled = value.copy()
    filled[unknown] = found.x
    return filled
