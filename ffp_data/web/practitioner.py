"""The practitioner's pages: my children, search, one child."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from ffp_data.hub.child_id import parse
from ffp_data.hub.errors import HubError
from ffp_data.web.caseload import caseload, is_own
from ffp_data.web.child import Filters, UnknownChildError, age_of, child_page, name_of
from ffp_data.web.pages import show
from ffp_data.web.search import search
from ffp_data.web.service import Asker, Checked, Served, Service, Who
from governance.access import Right

routes = APIRouter()
_LEAST_REASON = 10
"""Letters of a reason that says anything."""


@routes.get("/")
def my_children(request: Request, service: Served, who: Who) -> Response:
    """Children whom the user's teams help now; other roles begin elsewhere."""
    if not _may(service, who, Right.VIEW):
        for right, begins in ((Right.QUEUE, "/review"), (Right.EXPLAIN, "/governance")):
            if _may(service, who, right):
                return RedirectResponse(begins, 303)
    service.gate.read(who.principal, Right.VIEW, list="caseload")
    view = service.view.newest()
    return show(request, "caseload.html", children=caseload(view, who.user), as_at=view.as_at)


@routes.get("/search")
def search_form(request: Request, service: Served, who: Who) -> Response:
    """The empty form."""
    return show(request, "search.html", text="", result=None)


@routes.post("/search", dependencies=[Checked])
def found(
    request: Request, service: Served, who: Who, text: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Who fits what was typed; what was typed is not written down, who was shown is."""
    service.searches.take(who.key)
    view = service.view.newest()
    result = search(view, text, service.register.shielded())
    service.gate.read(
        who.principal, Right.SEARCH, subjects=[h.child["child_id"] for h in result.hits],
        found=len(result.hits) + result.more,
    )  # fmt: skip
    shown = [(hit, name_of(hit.child), age_of(hit.child)) for hit in result.hits]
    return show(request, "search.html", text=text, result=result, shown=shown)


@routes.get("/children/{child_id}")
def child(
    request: Request,
    service: Served,
    who: Who,
    child_id: str,
    source: Annotated[str | None, Query(max_length=80)] = None,
    since: Annotated[str | None, Query(max_length=10)] = None,
) -> Response:
    """One child. Of a child who is not the user's own, a reason is asked for first."""
    current = _current(service, child_id)
    if current != child_id:
        return RedirectResponse(f"/children/{current}", 303)
    own = is_own(service.view.newest(), who.user, current)
    reason = None if own else service.sessions.reason_for(who.session, current)
    if not own and reason is None:
        return show(request, "reason.html", child_id=current, error=None)
    _allow(service, who, current, reason)
    filters = Filters(source or None, _day(since))
    page = child_page(service.view.newest(), current, filters, service.register.shielded())
    return show(
        request, "child.html", child=page, reason=reason, source=source or "", since=since or ""
    )


@routes.post("/children/{child_id}/reason", dependencies=[Checked])
def give_reason(
    request: Request,
    service: Served,
    who: Who,
    child_id: str,
    why: Annotated[str, Form(max_length=200)] = "",
    case_reference: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Keep the reason for an hour, then show the child."""
    current = _current(service, child_id)
    if len(why.strip()) < _LEAST_REASON or not case_reference.strip():
        error = "Say why you need to look, in ten letters or more, and give a case reference"
        return show(request, "reason.html", 400, child_id=current, error=error)
    service.sessions.give_reason(
        who.session, current, f"{why.strip()} (case {case_reference.strip()})"
    )
    return RedirectResponse(f"/children/{current}", 303)


def _may(service: Service, who: Asker, right: Right) -> bool:
    return service.gate.roles.may(who.principal, right)


def _allow(service: Service, who: Asker, child_id: str, reason: str | None) -> None:
    right = Right.VIEW if reason is None else Right.VIEW_OFF_CASELOAD
    service.gate.read(who.principal, right, subjects=[child_id], reason=reason)


def _current(service: Service, child_id: str) -> str:
    """The identifier in use; a sealed one is answered like one that was never issued."""
    try:
        return service.register.resolve(parse(child_id))
    except HubError as error:
        raise UnknownChildError(child_id) from error


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
