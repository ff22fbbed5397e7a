"""The agreements and their state: all of them, and one with its items, its rows and what rests on it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ffp_data.lineage.stored import FeedColumn
from ffp_data.rights import hold
from ffp_data.single_view.words import day
from ffp_data.web.agreed import Agreed, Standing, agreed_in, export_of, require
from ffp_data.web.pages import show
from ffp_data.web.rests import rests_on
from ffp_data.web.service import Served, Service, Who
from governance.documents.register import SOON

routes = APIRouter(prefix="/agreements")
UNKNOWN = "No agreement of this number is known. The list of agreements has them all."


@routes.get("")
def agreements(request: Request, service: Served, who: Who) -> Response:
    """Every agreement: its state, whom it binds, what it lets cross, on which law, what is due."""
    require(service, who)
    agreed = agreed_in(service.home)
    listed = agreed.standings()
    return show(
        request, "governance_agreements.html", agreed=agreed, as_at=day(agreed.as_at),
        due=[each for each in listed if each.due], stopped=[e for e in listed if not e.is_in_force],
        holds=hold.to_review(service.home, agreed.as_at + SOON),
        sides=(("What comes in", [e for e in listed if e.is_inbound]),
               ("What goes out", [e for e in listed if not e.is_inbound])),
    )  # fmt: skip


@routes.get("/{agreement}")
def agreement(request: Request, service: Served, who: Who, agreement: str) -> Response:
    """One agreement in full."""
    require(service, who)
    agreed = agreed_in(service.home)
    found = agreed.standing(agreement)
    if found is None:
        return show(request, "refused.html", 404, title="No such agreement", words=UNKNOWN)
    return show(
        request, "governance_agreement.html", agreed=agreed, each=found, facts=agreed.facts,
        terms=found.terms, as_at=day(agreed.as_at), rests=_rests(service, agreed, found),
        cohort=agreed.lock.data["cohorts"][found.terms["rows"]["cohort"]],
    )  # fmt: skip


def _rests(service: Service, agreed: Agreed, found: Standing) -> list[dict[str, Any]]:
    """What rests on an inbound agreement that lets something in, with whom it goes to."""
    if not found.is_inbound or not found.is_in_force:
        return []
    export = export_of(service, agreed)
    given = [
        FeedColumn(item["feed"], item["table"], column)
        for item in found.terms["items"]
        for column in item["columns"]
    ]
    told = []
    for each in rests_on(export.lineage, export.relations, given):
        columns = {*each.alone, *each.shared}
        grants = (g for c in columns for g in export.grants.get((each.relation, c), ()))
        recipients = sorted({agreed.facts.organisation(g["recipient"]) for g in grants})
        told.append({"rests": each, "recipients": recipients})
    return told
