"""The access log: who looked at a child, and at what a user looked. Reading it is itself written down first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ffp_data.rights.access_log import AccessLog, Days, Log
from ffp_data.rights.disclosures import DisclosureRegister, NoSuchChildError
from ffp_data.web.agreed import require
from ffp_data.web.pages import show
from ffp_data.web.service import Checked, Served, Service, Who
from governance.access import Right

routes = APIRouter(prefix="/access")
Text = Annotated[str, Form(max_length=80)]
DayText = Annotated[str, Form(max_length=10)]
PageNumber = Annotated[int, Form(ge=1, le=1_000_000)]


@routes.get("")
def ask(request: Request, service: Served, who: Who) -> Response:
    """Ask for a child, or for a user."""
    require(service, who, Right.ACCESS_LOG)
    return _shown(request, service)


@routes.post("/child", dependencies=[Checked])
def of_child(
    request: Request,
    service: Served,
    who: Who,
    child_id: Text = "",
    since: DayText = "",
    until: DayText = "",
    page: PageNumber = 1,
) -> Response:
    """Who looked at a child. An identifier that leads to nobody says so in the same words, sealed or never issued."""
    asked, days = child_id.strip(), Days(day_of(since), day_of(until))
    gate = service.access.gate  # on disk before the answer
    facts = gate.check(who.principal, Right.ACCESS_LOG, subjects=[asked])
    service.flush()
    form: dict[str, Any] = {"child_id": asked, "days": days, "of": "child"}
    try:
        identity = DisclosureRegister(service.home, service.access).identity(asked)
    except NoSuchChildError:
        gate.append("read", **facts, log="child", found=0)
        return _shown(request, service, 404, **form, error="This hub has no such child")
    log = _log(service).of_child(identity, days, page)
    gate.append("read", **facts, log="child", found=log.count, upto=log.events)
    return _shown(request, service, **{**form, "child_id": identity.current}, log=log)


@routes.post("/user", dependencies=[Checked])
def of_user(
    request: Request,
    service: Served,
    who: Who,
    user: Text = "",
    since: DayText = "",
    until: DayText = "",
    page: PageNumber = 1,
) -> Response:
    """At what a user looked."""
    days = Days(day_of(since), day_of(until))
    gate = service.access.gate
    facts = gate.check(who.principal, Right.ACCESS_LOG)
    service.flush()
    log = _log(service).of_user(user, days, page)
    # What else may have been typed there is anybody's name.
    of = user if log.count else "nobody known"
    gate.append("read", **facts, log="user", of=of, found=log.count, upto=log.events)
    return _shown(request, service, user=user, days=days, of="user", log=log)


def day_of(text: str) -> str:
    """A day as people or browsers type it, ISO; empty for anything else."""
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        return ""


def _log(service: Service) -> AccessLog:
    return AccessLog(service.home, service.access)


def _shown(request: Request, service: Service, status: int = 200, **page: Any) -> Response:
    nothing: dict[str, Any] = {
        "child_id": "", "user": "", "days": Days(), "of": None, "log": None, "error": None,
    }  # fmt: skip
    log: Log | None = page.get("log")
    about: dict[str, Any] = {
        "users": _log(service).users(),
        "name_of": name_of(service),
        "more": None if log is None else {"older": log.page < log.pages, "newer": log.page > 1},
    }
    return show(request, "governance_access.html", status, **{**nothing, **about, **page})


def name_of(service: Service) -> Callable[[str], str]:
    """The name of a user whom the pages know, else the name that the ledger has."""

    def name(key: str) -> str:
        user = service.users.get(key)
        return f"{user.name}, {key}" if user else key

    return name
