"""The shield: from now on nobody is told where a child is, until somebody lifts it.

Look-ups ask the register for shields at each answer; the single view, extracts, evidence and the reviewers'
queue withhold from the next build on, the household with the child, as for a record that an agency
marked (`ffp_data.pipeline.protected`). No release of personal data is made before somebody has written down
that the partnership looked through its children for those to be shielded: `reviewed`.
"""

from __future__ import annotations

from ffp_data.rights.orders import Kind, Orders, Said

REVIEW = "shield_review"
"""Ledger event: shields were reviewed with a partner."""


def shield(orders: Orders, child_id: str, said: Said) -> int:
    """Shield a child at once; gives the number. Raises OrderError, HubError."""
    return orders.give(Kind.SHIELD, child_id, said)


def lift(orders: Orders, number: int, said: Said) -> None:
    """Lift a shield; raises OrderError."""
    orders.lift(number, (Kind.SHIELD,), said)
