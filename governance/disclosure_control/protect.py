"""From true counts to tables that may be published.

First what may not be seen for itself (`primary`), then further cells until nobody can work a hidden
count out from sums, from linked tables or from what was published before: a choice of few cells is made, the
audit tries to undo it, and what it could undo becomes a condition of the next choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from governance.disclosure_control.audit import Audit, Cut, cuts_of_sums
from governance.disclosure_control.choice import cheapest
from governance.disclosure_control.primary import primary
from governance.disclosure_control.rounding import rounded
from governance.disclosure_control.rules import Rules
from governance.disclosure_control.system import Flags, System, build
from governance.disclosure_control.table import Published, Table

_ROUNDS = 60


@dataclass(frozen=True)
class Protected:
    """Tables for publication, and how many cells are hidden for themselves and to protect others."""

    tables: tuple[Published, ...]
    cells: int
    primary: int
    secondary: int


def protect(tables: Sequence[Table], rules: Rules, former: Sequence[Published] = ()) -> Protected:
    """Return the tables with every count hidden that may not be known; ``former``: all published before.

    Raises DifferentCountsError when tables contradict each other.
    """
    system = build(tables, former, rules)
    must = _must(system, tables, rules, former)
    chosen = _chosen(system, must, rules)
    published = tuple(_published(table, system, chosen, rules) for table in tables)
    return Protected(
        published, int(system.is_free.sum()), int(must.sum()), int((chosen & ~must).sum())
    )


def _must(
    system: System, tables: Sequence[Table], rules: Rules, former: Sequence[Published]
) -> Flags:
    """The free cells that are hidden for themselves in any of the tables."""
    must = np.zeros(len(system.value), np.bool_)
    for table in tables:
        for key in primary(table, rules, former):
            must[system.numbers[table.frame.cell(key)]] = True
    return must & system.is_free


def _chosen(system: System, must: Flags, rules: Rules) -> Flags:
    # Rounded neighbours may leave a hidden cell open enough alone: then nothing is asked before the audit.
    cuts: list[Cut] = list(cuts_of_sums(system, rules.width)) if rules.base == 1 else []
    hidden = must
    for _ in range(_ROUNDS):
        found = list(Audit(system, hidden).too_narrow(rules.width))
        if not found:
            return hidden
        cuts += found
        hidden = cheapest(system, must, cuts)
    return system.is_free  # no choice held: nothing is shown


def _published(table: Table, system: System, hidden: Flags, rules: Rules) -> Published:
    cells = {
        key: None if hidden[system.numbers[table.frame.cell(key)]] else rounded(count, rules.base)
        for key, count in table.counts.items()
    }
    return Published(table.frame, cells, rules.lowest, rules.base, rules.least)
