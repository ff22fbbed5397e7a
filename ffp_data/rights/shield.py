"""The shield: from now on nobody is told where a child is, nor anybody who lives with the child.

Look-ups and pages ask the register for shields at each answer. The household, as the last run knew it, is
shielded by orders of its own that go with the first: a brother's address is hers. The single view, extracts,
evidence and the reviewers' queue withhold from the next build on, as for a record that an agency marked
(`ffp_data.home.protected`), the household as it then is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.warehouse import connect

_HOUSEHOLD = """
SELECT DISTINCT child_id FROM intermediate.int_families__members
WHERE related_child_id = ? AND child_id <> related_child_id
  AND coalesce(lives_with, true) AND coalesce(to_date > ?, true)
ORDER BY child_id
"""


@dataclass(frozen=True)
class Shielded:
    """The number of a shield, and how many who live with the child it hides; None: that could not be looked up."""

    number: int
    household: int | None


def shield(orders: Orders, child_id: str, said: Said) -> Shielded:
    """Shield a child at once, and the household. Raises OrderError, HubError."""
    child = orders.in_use(child_id)
    number = orders.give(Kind.SHIELD, child, said)
    household = _household(orders, child)
    for member in household or ():
        orders.give(Kind.SHIELD, member, said, told={"of": number})
    return Shielded(number, None if household is None else len(household))


def lift(orders: Orders, number: int, said: Said) -> None:
    """Lift a shield, and those of the household that came with it; raises OrderError."""
    orders.lift(number, (Kind.SHIELD,), said)
    for order in orders.listed(Kind.SHIELD):
        if order.told.get("of") == number and order.lifted_at is None:
            orders.lift(order.number, (Kind.SHIELD,), said)


def _household(orders: Orders, child: str) -> list[str] | None:
    """Who lives with the child by the last run; None while a run writes, or where none has built the view."""
    today = datetime.now(UTC).date()
    try:
        with connect(orders.home, read_only=True) as con:
            rows = con.execute(_HOUSEHOLD, [child, today]).fetchall()
    except (duckdb.IOException, duckdb.CatalogException):
        return None
    return sorted({orders.in_use(member) for (member,) in rows} - {child})
