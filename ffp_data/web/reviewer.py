"""The reviewer's pages: the queue, a pair side by side, a blind verdict, the evidence, the final verdict, undo.

Nothing on the way to the first verdict tells what the model thinks. Every act goes through the reviewer's desk
(`ffp_data.review.desk`), which asks the gate and writes the ledger before anything binds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ffp_data.hub.errors import HubError
from ffp_data.hub.review import Verdict
from ffp_data.review.desk import Desk, Listed
from ffp_data.web.pages import show
from ffp_data.web.review_graph import draw
from ffp_data.web.service import Checked, Served, Service, Who
from governance.access import Right

routes = APIRouter(prefix="/review")
Typed = Annotated[str, Form(max_length=200)]
_WORDS = {
    Verdict.SAME: "the same person",
    Verdict.NOT_SAME: "not the same person",
    Verdict.CANT_TELL: "can't tell",
}
_COMMAND = re.compile(r"[:;] `?ffp ")
_BAR = 150
"""Pixels of the longest bar of the picture, on either side of the middle."""


@routes.get("")
def queue(request: Request, service: Served, who: Who) -> Response:
    """What waits for this reviewer, first things first."""
    desk = _desk(service, who)
    waiting, undos = desk.queue(_now()), desk.undos(_now())
    return show(request, "review_queue.html", waiting=waiting, undos=undos, words=_WORDS)


@routes.get("/clashes")
def clashes(request: Request, service: Served, who: Who) -> Response:
    """Open pairs that contradict a decision or a rule, with the clash in words."""
    desk = _desk(service, who)
    told = [(each, desk.words_of(each.listed)) for each in desk.clashes(_now())]
    return show(request, "review_clashes.html", clashes=told)


@routes.get("/figures")
def figures(request: Request, service: Served, who: Who) -> Response:
    """How much waits and why, and how far people agree, before the evidence and after; no reviewer is named."""
    desk = _desk(service, who)
    told, reasons = desk.report(_now()), desk.rules.reasons
    return show(request, "review_figures.html", told=told, reasons=reasons, words=_WORDS)


@routes.get("/decisions")
def decisions(request: Request, service: Served, who: Who) -> Response:
    """Every decision, the newest first, with a way to take it back, or to answer who asked for that."""
    return _decided(request, _desk(service, who))


@routes.post("/decisions/{decision}/undo", dependencies=[Checked])
def undo(
    request: Request,
    service: Served,
    who: Who,
    decision: int,
    reason: Typed = "",
) -> Response:
    """Take a decision back from the next run on; one of two people when a second one does so too."""
    desk = _desk(service, who)
    return _decided_after(request, desk, lambda: desk.undo(decision, reason, _now()))


@routes.post("/decisions/{decision}/keep", dependencies=[Checked])
def keep(
    request: Request,
    service: Served,
    who: Who,
    decision: int,
    reason: Typed = "",
) -> Response:
    """Refuse the undo that somebody asked for."""
    desk = _desk(service, who)
    return _decided_after(request, desk, lambda: desk.keep(decision, reason, _now()))


def _decided_after(request: Request, desk: Desk, act: Callable[[], object]) -> Response:
    """The decisions once something was done about one; with the error where it could not be."""
    try:
        act()
    except HubError as error:
        return _decided(request, desk, _plain(error))
    return RedirectResponse("/review/decisions", 303)


def _decided(request: Request, desk: Desk, error: str | None = None) -> Response:
    page = {"decisions": desk.decisions()[::-1], "me": desk.principal.name, "error": error}
    return show(request, "review_decisions.html", 400 if error else 200, **page, words=_WORDS)


@routes.get("/{item}")
def pair(request: Request, service: Served, who: Who, item: int) -> Response:
    """Two records side by side, reserved for this reviewer."""
    desk = _desk(service, who)
    if desk.has_begun(item):
        return RedirectResponse(f"/review/{item}/evidence", 303)
    try:
        listed = desk.take(_now(), item)
    except HubError as error:
        return _problem(request, error)
    return show(request, "review_pair.html", listed=listed, words=_WORDS, error=None)


@routes.post("/{item}", dependencies=[Checked])
def first_verdict(
    request: Request,
    service: Served,
    who: Who,
    item: int,
    verdict: Annotated[Verdict | None, Form()] = None,
    reason: Typed = "",
) -> Response:
    """Write the first verdict down; the evidence follows."""
    desk = _desk(service, who)
    try:
        if verdict is None or not reason.strip():
            listed = desk.take(_now(), item)
            error = "Choose a verdict and say why, in words that a colleague will understand"
            return show(request, "review_pair.html", 400, listed=listed, words=_WORDS, error=error)
        desk.first_verdict(item, verdict, reason, _now())
    except HubError as problem:
        return _problem(request, problem)
    return RedirectResponse(f"/review/{item}/evidence", 303)


@routes.get("/{item}/evidence")
def evidence(request: Request, service: Served, who: Who, item: int) -> Response:
    """The model's account of a pair on which the first verdict is written down."""
    try:
        listed = _desk(service, who).evidence(item)
    except HubError as error:
        return _problem(request, error)
    return _shown(request, listed)


def _shown(request: Request, listed: Listed, error: str | None = None) -> Response:
    """The evidence with its pictures; a queue of before there were graphs has none."""
    found = listed.evidence
    nodes, edges = found.get("nodes", ()), found.get("edges", ())
    return show(
        request, "review_evidence.html", 400 if error else 200, listed=listed, bars=_bars(found),
        graph=draw(nodes, edges) if edges else None, nodes=nodes, edges=edges, words=_WORDS, error=error,
    )  # fmt: skip


@routes.post("/{item}/final", dependencies=[Checked])
def final_verdict(
    request: Request,
    service: Served,
    who: Who,
    item: int,
    verdict: Annotated[Verdict | None, Form()] = None,
    reason: Typed = "",
) -> Response:
    """The final verdict; it binds as soon as enough people agree."""
    desk = _desk(service, who)
    try:
        if verdict is not None and not reason.strip():
            return _shown(request, desk.evidence(item), "Say why, when your verdict changes")
        done = desk.confirm(item, reason or None, _now(), verdict)
    except HubError as error:
        return _problem(request, error)
    return show(request, "review_done.html", item=item, done=done, words=_WORDS)


@routes.post("/{item}/put-back", dependencies=[Checked])
def put_back(request: Request, service: Served, who: Who, item: int) -> Response:
    """Give a reserved pair back without a verdict."""
    try:
        _desk(service, who).put_back(item, _now())
    except HubError as error:
        return _problem(request, error)
    return RedirectResponse("/review", 303)


def _desk(service: Service, who: Who) -> Desk:
    """The desk of who asks; raises AccessDeniedError before anything is told of an item."""
    service.gate.check(who.principal, Right.QUEUE)
    return service.desk(who.principal)


def _problem(request: Request, error: HubError) -> Response:
    title = "This can't be done now"
    return show(request, "refused.html", 409, title=title, words=f"{_plain(error)}.")


def _plain(error: HubError) -> str:
    """Its words without the command that they end with, which is no help on a page."""
    return _COMMAND.split(str(error))[0]


def _bars(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each comparison as a bar: how far and on which side; none where weights are withheld."""
    told = [each for each in evidence["comparisons"] if each["bits"] is not None]
    longest = max((abs(each["bits"]) for each in told), default=0) or 1
    return [
        {**each, "width": round(_BAR * abs(each["bits"]) / longest), "is_for": each["bits"] > 0}
        for each in told
    ]


def _now() -> datetime:
    return datetime.now(UTC)
