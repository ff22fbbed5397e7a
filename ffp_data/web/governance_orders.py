"""Orders in force about children: how many and which, without whom they are about or why."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ffp_data.hub import orders
from ffp_data.rights import hold
from ffp_data.rights.orders import Kind
from ffp_data.web.agreed import require
from ffp_data.web.pages import show
from ffp_data.web.service import Served, Who
from governance.access import Right
from governance.documents.register import SOON

routes = APIRouter(prefix="/orders")
_WORDS = {
    Kind.SHIELD: "Shield: nobody is told where the child is",
    Kind.RESTRICTION: "Restriction of processing (UK GDPR Article 18)",
    Kind.OBJECTION: "Objection (UK GDPR Article 21)",
    Kind.OVERRIDE: "Override of a restriction or objection",
    Kind.IDENTIFIER: "Numbers left out for a recipient",
    Kind.HOLD: "Hold: nothing is destroyed",
    Kind.WITHHOLD: "Decision not to share",
    Kind.SHARE: "Decision to share",
}


@routes.get("")
def in_force(request: Request, service: Served, who: Who) -> Response:
    """The orders that stand today: number, kind and reach. Reasons and children stay closed in the hub."""
    require(service, who, Right.RESTRICT)
    today = datetime.now(
        UTC
    ).date()  # an order binds from the moment that it is given, not from a run
    with service.register.connect() as connection:
        found = orders.standing(connection, today, *_WORDS)
    facts = service.gate.check(who.principal, Right.RESTRICT)
    service.gate.append(
        "orders_listed", **facts, kinds=[kind.value for kind in _WORDS], found=len(found)
    )
    counts = Counter(each.kind for each in found)
    reviews = {each.number: each.review for each in hold.to_review(service.home, date.max)}
    return show(
        request, "governance_orders.html", orders=found, counts=counts, words=_WORDS,
        reviews=reviews, soon=today + SOON,
    )  # fmt: skip
