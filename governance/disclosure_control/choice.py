"""Which further cells to hide: the cheapest choice that satisfies every inequality found so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from governance.disclosure_control.audit import Cut
from governance.disclosure_control.system import Flags, Floats, System

_GAP = 0.01
_NODES = 400
"""Of branch and bound: a limit that does not depend on the clock, so that a choice repeats."""


def cheapest(system: System, must: Flags, cuts: Sequence[Cut]) -> Flags:
    """Return a choice of free cells with those that ``must`` be hidden, satisfying all cuts."""
    free = np.flatnonzero(system.is_free)
    matrix, least = _as_rows(system, must, cuts)
    constraints = LinearConstraint(matrix[:, free], least, np.inf)
    found = milp(
        system.weight[free],
        integrality=np.ones(len(free)),
        bounds=Bounds(must[free].astype(float), 1.0),
        constraints=constraints,
        options={"mip_rel_gap": _GAP, "node_limit": _NODES},
    )
    if found.x is None:
        raise ArithmeticError(f"no choice of cells was found: {found.message}")
    chosen = np.zeros(len(must), np.bool_)
    chosen[free[found.x > 0.5]] = True
    return chosen


def _as_rows(system: System, must: Flags, cuts: Sequence[Cut]) -> tuple[csr_array, Floats]:
    """One row for each cut: its gains reach what is wanted, where its cell is hidden."""
    rows = [np.full(len(cut.others), row) for row, cut in enumerate(cuts)]
    gains = [cut.gains / cut.wanted for cut in cuts]
    cells = np.array([cut.cell for cut in cuts])
    is_known = must[cells] | ~system.is_free[cells]
    matrix = csr_array(
        (
            np.concatenate([*gains, np.where(is_known, 0.0, -1.0)]),
            (
                np.concatenate([*rows, np.arange(len(cuts))]),
                np.concatenate([*(cut.others for cut in cuts), cells]),
            ),
        ),
        shape=(len(cuts), len(must)),
    )
    return matrix, is_known.astype(float)
