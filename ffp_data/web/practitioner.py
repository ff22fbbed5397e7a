"""The practitioner's pages: my children, search, one child."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from ffp_data.single_view.child import Filters, child_page
from ffp_data.single_view.words import age_of, group_words, name_of
from ffp_data.web.caseload import caseload, own_children
from ffp_data.web.changed import changed_since, changes_of
from ffp_data.web.pages import begins_at, show
from ffp_data.web.permitted import current_child, look
from ffp_data.web.search import Asked, search
from ffp_data.web.service import Checked, Served, Who
from ffp_data.web.typed import typed_day
from governance.access import Right

routes = APIRouter()
_LEAST_REASON = 10
"""Letters of a reason that says anything."""


@routes.get("/")
def my_children(request: Request, service: Served, who: Who) -> Response:
    """Children whom the user's teams help now; other roles begin elsewhere."""
    begins = begins_at(service.gate.roles, who.principal)
    if begins not in (None, "/"):
        return RedirectResponse(str(begins), 303)
    service.gate.check(who.principal, Right.VIEW)
    view = service.view.newest()
    children = caseload(view, who.user, service.register.shielded())
    own = [child["child_id"] for child in children]
    service.gate.read(who.principal, Right.VIEW, subjects=own, list="caseload")
    changes = changes_of(service, who, view, own)
    return show(request, "caseload.html", children=children, changes=changes, as_at=view.as_at)


@routes.get("/search")
def search_form(request: Request, service: Served, who: Who) -> Response:
    """The empty form."""
    service.gate.check(who.principal, Right.SEARCH)
    return show(
        request, "search.html", asked=Asked(""), result=None, linked_only=service.linked_only
    )


@routes.post("/search", dependencies=[Checked])
def found(
    request: Request,
    service: Served,
    who: Who,
    text: Annotated[str, Form(max_length=200)] = "",
    address: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    """Who fits what was typed; what was typed is not written down, who was shown is."""
    service.searches.take(who.key)
    view, asked = service.view.newest(), Asked(text, address)
    own = own_children(view, who.user) if service.linked_only else None
    result = search(view, asked, service.register.shielded(), own)
    service.gate.read(
        who.principal, Right.SEARCH, subjects=[h.child["child_id"] for h in result.hits],
        found=len(result.hits) + result.more,
    )  # fmt: skip
    shown = [(hit, name_of(hit.child), age_of(hit.child)) for hit in result.hits]
    page = {"asked": asked, "result": result, "shown": shown, "linked_only": service.linked_only}
    return show(request, "search.html", **page)


def _filters(
    source: Annotated[str, Query(max_length=80)] = "",
    event: Annotated[str, Query(max_length=80)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    known_by: Annotated[str, Query(max_length=10)] = "",
) -> Filters:
    """What of the chronology is wanted; what is no date counts as none."""
    return Filters(
        source or None, typed_day(since), typed_day(until), event or None, typed_day(known_by)
    )


@routes.get("/children/{child_id}")
def child(
    request: Request,
    service: Served,
    who: Who,
    child_id: str,
    filters: Annotated[Filters, Depends(_filters)],
) -> Response:
    """One child. Of a child who is not the user's own, a reason is asked for first."""
    current = current_child(service, who, child_id)
    if current != child_id:
        return RedirectResponse(f"/children/{current}", 303)
    seen = look(service, who, current)
    if seen is None:
        return show(request, "reason.html", child_id=current, error=None)
    page = child_page(seen.view, current, filters, service.register.shielded())
    return show(
        request,
        "child.html",
        child=page,
        changed=changed_since(service, who, seen),
        reason=seen.reason,
        filters=filters,
        groups=group_words(),
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
    current = current_child(service, who, child_id)
    if len(why.strip()) < _LEAST_REASON or not case_reference.strip():
        error = "Say why you need to look, in ten letters or more, and give a case reference"
        return show(request, "reason.html", 400, child_id=current, error=error)
    service.sessions.give_reason(
        who.session, current, f"{why.strip()} (case {case_reference.strip()})"
    )
    return RedirectResponse(f"/children/{current}", 303)
