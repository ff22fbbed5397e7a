"""Which further cells to hide: the cheapest choice that satisfies every inequality found so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from governance.disclosure_control.audit import Cut
from governance.disclosure_control.system import Flags, System

_GAP = 0.01
_NODES = 400
"""Of branch and bound: a limit that does not depend on the clock, so that a choice repeats."""


def cheapest(system: System, must: Flags, cuts: Sequence[Cut]) -> Flags:
    """Return a choice of free cells with those that ``must`` be hidden, satisfying all cuts."""
    free = np.flatnonzero(system.is_free)
    place = {int(at): n for n, at in enumerate(free)}
    rows, least = [], []
    for cut in cuts:
        row = cut.gains[free] / cut.wanted
        is_conditional = cut.cell in place and not must[cut.cell]
        if is_conditional:
            row[place[cut.cell]] -= 1
        rows.append(row)
        least.append(0.0 if is_conditional else 1.0)
    constraints = LinearConstraint(csr_array(np.array(rows)), np.array(least), np.inf)
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
