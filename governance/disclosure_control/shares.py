"""Shares of published counts, which must not undo what is hidden in them."""

from __future__ import annotations

from governance.disclosure_control.rules import Rules
from governance.disclosure_control.table import Key, Published


def share(published: Published, part: Key, whole: Key, rules: Rules) -> str:
    """Return a percentage with one decimal, made of the counts as published.

    The symbol stands where either count is hidden or too few are counted, the other symbol for a share of none.
    """
    counted, of = published.cells[part], published.cells[whole]
    if of == 0:
        return rules.not_applicable
    if counted is None or of is None or of < rules.smallest_mean:
        return rules.symbol
    return f"{100 * counted / of:.1f}"
