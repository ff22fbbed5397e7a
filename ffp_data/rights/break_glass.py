"""Break-glass: a shielded child's place is read after all, for minutes, with a reason, and somebody else is told.

Opening it is an order of its own (who, for which child, until when, who is told), an event of the ledger and an
alert to the person named; each read within the minutes stands in the ledger with the order's number.
Afterwards the glass is whole again by itself: nothing has to be closed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ffp_data.access import Access
from ffp_data.hub.orders import OrderError
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.warehouse import connect
from governance.access import Principal, Right

LONGEST = 60
"""Minutes for which a glass may be broken at most."""

_PLACES = """
SELECT feed, address_line, postcode, uprn, phone, email, valid_from
FROM identity.person_records JOIN identity.child_membership USING (record_key)
WHERE child_id = ? AND coalesce(address_line, postcode, uprn, phone, email) IS NOT NULL
ORDER BY valid_from DESC NULLS LAST, record_key
"""


def utc_now() -> datetime:
    """The clock: minutes are counted on it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Broken:
    """One opening: its number, and until when it holds."""

    number: int
    expires_at: datetime


def break_glass(
    orders: Orders,
    access: Access,
    child_id: str,
    *,
    reason: str,
    tell: str,
    minutes: int,
    clock: Callable[[], datetime] = utc_now,
) -> Broken:
    """Open a shielded child's place for the user who asks. Raises AccessDeniedError, OrderError, HubError."""
    who = access.user(Right.BREAK_GLASS)
    child = orders.in_use(child_id)
    facts = access.gate.check(who, Right.BREAK_GLASS, subjects=[child])
    if not tell.strip() or tell.strip() == who.name:
        raise OrderError("somebody else must be told: name the person with --tell")
    if not 0 < minutes <= LONGEST:
        raise OrderError(f"for 1 to {LONGEST} minutes: give --minutes")
    expires = clock() + timedelta(minutes=minutes)
    told = {"tell": tell.strip(), "expires_at": expires.isoformat(timespec="seconds")}
    said = Said(who.name, reason)
    number = orders.give(Kind.BREAK_GLASS, child, said, told=told, role=who.role, minutes=minutes)
    _alert(orders, {"number": number, "tell": told["tell"], "who": who.name, "minutes": minutes})
    access.gate.append("second_person_told", **facts, number=number, told=told["tell"])
    return Broken(number, expires)


def places(
    orders: Orders, access: Access, child_id: str, clock: Callable[[], datetime] = utc_now
) -> list[dict[str, Any]]:
    """Every place that a record tells of the child, newest first, for whom a glass is broken now.

    Raises OrderError where this user has none, or its minutes are over.
    """
    who = access.user(Right.BREAK_GLASS)
    child = orders.in_use(child_id)
    number = _standing(orders, who, child, clock())
    if number is None:
        access.gate.append(
            "access_refused", who=who.name, right=Right.BREAK_GLASS.value, why="glass whole"
        )
        raise OrderError(
            "no glass is broken for you and this child now; it holds for minutes and for one person:"
            " ffp access break-glass"
        )
    access.gate.read(who, Right.BREAK_GLASS, subjects=[child], reason=f"break-glass {number}")
    with connect(orders.home, read_only=True) as con:
        rows = con.execute(_PLACES, [child]).to_arrow_table().to_pylist()
    return list(rows)


def _standing(orders: Orders, who: Principal, child: str, now: datetime) -> int | None:
    for order in reversed(orders.listed(Kind.BREAK_GLASS)):
        told, is_lifted = order.told, order.lifted_at is not None
        is_mine = order.child_id == child and told["by"] == who.name
        if is_mine and not is_lifted and now < datetime.fromisoformat(told["expires_at"]):
            return order.number
    return None


def _alert(orders: Orders, facts: dict[str, Any]) -> None:
    with (orders.home.root / "alerts.jsonl").open("a", encoding="utf-8") as alerts:
        alerts.write(json.dumps({"kind": "glass_broken", **facts}, sort_keys=True) + "\n")
