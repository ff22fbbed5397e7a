"""Copies to take away: one child as a PDF for a meeting, the own children as a workbook.

The answer to a form is a file and never a page that a browser keeps; what the file is called names nobody.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ffp_data.single_view.child import Filters
from ffp_data.single_view.words import name_of
from ffp_data.take_away import child_pdf, workbook
from ffp_data.take_away.copies import Copy, Hub, Taker, take
from ffp_data.web.caseload import caseload
from ffp_data.web.pages import show
from ffp_data.web.permitted import Permitted, permitted_child
from ffp_data.web.service import Asker, Checked, Served, Service, Who
from ffp_data.web.typed import typed_day
from governance.access import Right
from governance.release import ReleaseFailedError, ReleaseRefusedError

routes = APIRouter()
_LEAST = 5
"""Letters of a meeting that says anything."""

_WHAT_FOR = "Say which meeting, or what you need it for, in five letters or more"
_SINCE = "Write the day as in 2026-03-31, or leave it empty"
_PDF = "application/pdf"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Meeting = Annotated[str, Form(max_length=120)]


@routes.get("/children/{child_id}/take-away")
def ask_for_pdf(request: Request, service: Served, who: Who, child_id: str) -> Response:
    """What the copy is for is asked first."""
    service.gate.check(who.principal, Right.TAKE_AWAY, subjects=[child_id])
    permitted = permitted_child(service, who, child_id)
    if not isinstance(permitted, Permitted):
        return permitted
    return _form(request, permitted)


@routes.post("/children/{child_id}/take-away", dependencies=[Checked])
def pdf(
    request: Request,
    service: Served,
    who: Who,
    child_id: str,
    meeting: Meeting = "",
    since: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """The page of a child as a tagged PDF."""
    service.copies.take(who.key)
    permitted = permitted_child(service, who, child_id, Right.TAKE_AWAY)
    if not isinstance(permitted, Permitted):
        return permitted
    day = typed_day(since)
    if error := _wrong(meeting) or (("since", _SINCE) if since and day is None else None):
        return _form(request, permitted, error, meeting, since)
    taker = _taker(who, meeting, permitted.reason)
    current, filters = permitted.child_id, Filters(since=day)
    try:
        copy = take(
            _hub(service),
            taker,
            permitted.view,
            [current],
            lambda found, stamp: child_pdf.compose(found, stamp, current, filters),
        )
    except (ReleaseRefusedError, ReleaseFailedError) as refusal:
        return _refused(request, refusal)
    return _file(copy, _PDF, "pdf")


@routes.get("/take-away")
def ask_for_workbook(request: Request, service: Served, who: Who) -> Response:
    """What the workbook is for is asked first."""
    service.gate.check(who.principal, Right.TAKE_AWAY)
    return show(request, "take_away_caseload.html", error=None, meeting="")


@routes.post("/take-away", dependencies=[Checked])
def caseload_workbook(
    request: Request, service: Served, who: Who, meeting: Meeting = ""
) -> Response:
    """The user's own children as a workbook."""
    service.copies.take(who.key)
    service.gate.check(who.principal, Right.TAKE_AWAY)
    view = service.view.newest()
    own = [row["child_id"] for row in caseload(view, who.user)]
    error = _wrong(meeting) or (None if own else ("meeting", "Nobody is on your list at present"))
    if error:
        return show(request, "take_away_caseload.html", 400, error=error[1], meeting=meeting)
    try:
        copy = take(_hub(service), _taker(who, meeting, None), view, own, workbook.compose)
    except (ReleaseRefusedError, ReleaseFailedError) as refusal:
        return _refused(request, refusal)
    return _file(copy, _XLSX, "xlsx")


def _hub(service: Service) -> Hub:
    return Hub(service.home, service.gate, service.access.ledger, service.access.keys)


def _taker(who: Asker, meeting: str, reason: str | None) -> Taker:
    return Taker(who.principal, who.user.name, meeting.strip(), reason)


def _wrong(meeting: str) -> tuple[str, str] | None:
    return None if len(meeting.strip()) >= _LEAST else ("meeting", _WHAT_FOR)


def _form(
    request: Request,
    permitted: Permitted,
    error: tuple[str, str] | None = None,
    meeting: str = "",
    since: str = "",
) -> Response:
    (row,) = permitted.view.rows("FROM children WHERE child_id = ?", [permitted.child_id])
    return show(
        request,
        "take_away.html",
        400 if error else 200,
        child_id=permitted.child_id,
        name=name_of(row),
        is_protected=permitted.is_protected,
        error=error,
        meeting=meeting,
        since=since,
    )


def _refused(request: Request, refusal: Exception) -> Response:
    is_ours = isinstance(refusal, ReleaseFailedError)
    title = "The copy could not be made" if is_ours else "No copy may be taken"
    return show(request, "refused.html", 500 if is_ours else 403, title=title, words=f"{refusal}.")


def _file(copy: Copy, kind: str, ending: str) -> Response:
    name = f'attachment; filename="copy-{copy.number}.{ending}"'
    return Response(copy.content, media_type=kind, headers={"Content-Disposition": name})
