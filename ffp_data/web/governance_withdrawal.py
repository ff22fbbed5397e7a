"""What would go if an agreement ended: worked out beside the pages, told when it is there; nothing is changed."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from ffp_data.web.agreed import Agreed, agreed_in, last_run
from ffp_data.web.governance_agreements import UNKNOWN
from ffp_data.web.pages import show
from ffp_data.web.service import Asker, Checked, Served, Service, Who
from ffp_data.web.simulations import Asked, BusyError
from governance.access import Right

routes = APIRouter(prefix="/withdrawal")
Status = Literal["withdrawn", "suspended"]
_PATIENCE, _STEP = 50.0, 0.5
"""Seconds for which a page waits for an answer, and between two looks."""
_BUSY = "Another simulation is being worked out. Ask again when it is there: a minute or two."


@routes.get("")
def choose(request: Request, service: Served, who: Who) -> Response:
    """The agreements that could end."""
    _require(service, who)
    listed = [each for each in agreed_in(service.home).standings() if each.is_in_force]
    return show(request, "governance_withdrawals.html", listed=listed)


@routes.get("/{agreement}")
def simulation(
    request: Request,
    service: Served,
    who: Who,
    agreement: str,
    status: Annotated[Status, Query()] = "withdrawn",
) -> Response:
    """What is known of one: the question, that it is being worked out, or the answer."""
    _require(service, who)
    return _shown(request, service, agreement, status)


@routes.post("/{agreement}", dependencies=[Checked])
def begin(
    request: Request,
    service: Served,
    who: Who,
    agreement: str,
    status: Annotated[Status, Form()] = "withdrawn",
) -> Response:
    """Begin to work it out."""
    _require(service, who)
    agreed = agreed_in(service.home)
    if agreed.standing(agreement) is None:
        return _unknown(request)
    reason = f"simulation of a withdrawal of {agreement}"
    service.access.gate.read(who.principal, Right.WITHDRAW, reason=reason, agreement=agreement)
    try:
        service.simulations.start(_asked(service, agreed, agreement, status))
    except BusyError:
        return _shown(request, service, agreement, status, 409, busy=_BUSY)
    return RedirectResponse(f"/governance/withdrawal/{agreement}?status={status}", 303)


@routes.get("/{agreement}/answer")
async def answer(
    service: Served,
    who: Who,
    agreement: str,
    status: Annotated[Status, Query()] = "withdrawn",
) -> Response:
    """Hold the browser until the answer is there, no thread with it; then lead to the page that shows it."""
    _require(service, who)
    agreed = await run_in_threadpool(agreed_in, service.home)
    if agreed.standing(agreement):
        asked = _asked(service, agreed, agreement, status)
        for _ in range(int(_PATIENCE / _STEP)):
            work = await run_in_threadpool(service.simulations.find, asked)
            if work is None or work.answer is not None:
                break
            await asyncio.sleep(_STEP)
    return RedirectResponse(f"/governance/withdrawal/{agreement}?status={status}", 303)


def _require(service: Service, who: Asker) -> None:
    service.gate.check(who.principal, Right.WITHDRAW, reason="reads what a withdrawal would do")


def _asked(service: Service, agreed: Agreed, agreement: str, status: str) -> Asked:
    return Asked(agreed.facts.policy, last_run(service.home), agreement, status)


def _unknown(request: Request) -> Response:
    return show(request, "refused.html", 404, title="No such agreement", words=UNKNOWN)


def _shown(
    request: Request,
    service: Service,
    agreement: str,
    status: str,
    code: int = 200,
    busy: str | None = None,
) -> Response:
    agreed = agreed_in(service.home)
    each = agreed.standing(agreement)
    if each is None:
        return _unknown(request)
    work = service.simulations.find(_asked(service, agreed, agreement, status))
    known = (work.answer or {}) if work else {}
    page: dict[str, Any] = {
        "each": each, "status": status, "busy": busy, "work": work, "problem": known.get("problem"),
        "found": known.get("found"), "totals": _totals(known.get("found")),
    }  # fmt: skip
    return show(request, "governance_withdrawal.html", code, **page)


def _totals(found: dict[str, Any] | None) -> dict[str, int]:
    """The figures that matter most, over all tables of the hub or, of an agreement outwards, of recipients."""
    if found is None:
        return {}
    tables = found["outputs"] or found["extracts"]
    return {
        "columns": sum(len(each["columns"]) for each in found["lose_their_agreement"]),
        "rows": sum(each["rows_gone"] for each in tables),
        "values": sum(sum(each["cells_emptied"].values()) for each in tables),
        "children": max((each["children"] for each in tables), default=0),
    }
