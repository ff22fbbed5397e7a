"""The manager's page: who of the team looked at children of others, by day; and the officer's, who is asked about some.

Nothing is sent or kept beside the ledger: the report of a day is read from it, each reading is written down with the
children it names, and what a manager says of a look (seen, or a question to the officer) is an event there too. A
manager is told of looks by those whose manager they were at that moment, never of anybody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from ffp_data.rights.disclosure_index import DisclosureIndex
from ffp_data.rights.team_looks import (
    ANSWERED,
    QUESTIONED,
    SEEN,
    TeamLook,
    looks_of,
    looks_of_day,
    marks,
    questions,
)
from ffp_data.single_view.words import name_of
from ffp_data.web.pages import show
from ffp_data.web.references import by_reference
from ffp_data.web.service import Asker, Checked, Served, Service, Who
from ffp_data.web.typed import typed_day
from governance.access import Right

routes = APIRouter(prefix="/team")
_LEAST = 10
"""Letters of a question, or of an answer, that says anything."""
Words = Annotated[str, Form(max_length=200)]
Numbers = Annotated[list[int] | None, Form(max_length=1000)]


@routes.get("")
def report(
    request: Request, service: Served, who: Who, day: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    """The looks of one day, yesterday's unless another is asked for."""
    on = typed_day(day) or _today() - timedelta(days=1)
    return _report(request, service, who, on)


@routes.post("/seen", dependencies=[Checked])
def seen(
    service: Served, who: Who, day: Annotated[str, Form(max_length=10)] = "", looks: Numbers = None
) -> Response:
    """Say that these looks were as they should be."""
    on, wanted = _own(service, who, day, looks)
    _write(service, who, Right.TEAM_LOOKS, SEEN, wanted)
    return RedirectResponse(f"/team?day={on}", 303)


@routes.post("/ask", dependencies=[Checked])
def ask(
    request: Request,
    service: Served,
    who: Who,
    day: Annotated[str, Form(max_length=10)] = "",
    looks: Numbers = None,
    words: Words = "",
) -> Response:
    """Ask the officer about looks."""
    on, wanted = _own(service, who, day, looks)
    if len(words.strip()) < _LEAST:
        error = "Say in ten letters or more, without names, what the officer should look into"
        return _report(request, service, who, on, error)
    _write(service, who, Right.TEAM_LOOKS, QUESTIONED, wanted, words=words.strip())
    return RedirectResponse(f"/team?day={on}", 303)


@routes.get("/questions")
def open_questions(request: Request, service: Served, who: Who) -> Response:
    """What managers asked the officer and nobody has answered."""
    return _questions(request, service, who)


@routes.post("/questions/{number}", dependencies=[Checked])
def answer(request: Request, service: Served, who: Who, number: int, words: Words = "") -> Response:
    """Answer a question; the manager reads it beside the look."""
    service.gate.check(who.principal, Right.ACCESS_LOG)
    service.flush()
    asked = [
        each for each in questions(list(marks(service.access.ledger))) if each.number == number
    ]
    if not asked:
        raise HTTPException(404)
    if len(words.strip()) < _LEAST:
        error = "Say in ten letters or more, without names, what came of it"
        return _questions(request, service, who, error)
    found = looks_of(_index(service), service.access.ledger, asked[0].looks)
    _write(service, who, Right.ACCESS_LOG, ANSWERED, found, words=words.strip())
    return RedirectResponse("/team/questions", 303)


def _report(
    request: Request, service: Service, who: Asker, on: date, error: str | None = None
) -> Response:
    service.gate.check(who.principal, Right.TEAM_LOOKS)
    found = _looks(service, who, on)
    shown = _shown(service, found)
    service.gate.read(
        who.principal, Right.TEAM_LOOKS, subjects=_children(shown), day=on.isoformat(), looks=len(found)
    )  # fmt: skip
    return show(
        request, "team.html", 400 if error else 200, day=on, before=on - timedelta(days=1),
        after=on + timedelta(days=1) if on < _today() else None, is_today=on == _today(), looks=shown, error=error,
        team=sorted(u.name for u in service.users.values() if u.manager == who.key),
    )  # fmt: skip


def _questions(
    request: Request, service: Service, who: Asker, error: str | None = None
) -> Response:
    service.gate.check(who.principal, Right.ACCESS_LOG)
    service.flush()
    asked = questions(list(marks(service.access.ledger)))
    numbers = {number for mark in asked for number in mark.looks}
    found = looks_of(_index(service), service.access.ledger, numbers) if numbers else []
    shown = _shown(service, found)
    service.gate.read(
        who.principal, Right.ACCESS_LOG, subjects=_children(shown), log="questions", found=len(asked)
    )  # fmt: skip
    told = [
        {"mark": mark, "manager": service.name_of(mark.who), "when": _when(mark.at),
         "looks": [each for each in shown if set(each["look"].numbers) & set(mark.looks)]}
        for mark in asked
    ]  # fmt: skip
    return show(request, "team_questions.html", 400 if error else 200, questions=told, error=error)


def _own(
    service: Service, who: Asker, day: str, numbers: Sequence[int] | None
) -> tuple[date, list[TeamLook]]:
    """The looks that are meant, which must be of the manager's own team; refuses any other like none."""
    service.gate.check(who.principal, Right.TEAM_LOOKS)
    on, meant = typed_day(day), set(numbers or ())
    if on is None:
        raise HTTPException(404)
    found = [look for look in _looks(service, who, on) if meant & set(look.numbers)]
    if not found or not meant <= {number for look in found for number in look.numbers}:
        raise HTTPException(404)
    return on, found


def _looks(service: Service, who: Asker, on: date) -> list[TeamLook]:
    service.flush()
    managers = {key: user.manager for key, user in service.users.items()}
    found = looks_of_day(_index(service), service.access.ledger, on, managers)
    return [look for look in found if look.manager == who.key]


def _write(
    service: Service, who: Asker, right: Right, kind: str, found: Sequence[TeamLook], **facts: Any
) -> None:
    children = _children(_shown(service, found))
    told = service.gate.check(who.principal, right, subjects=children)
    numbers = sorted(number for look in found for number in look.numbers)
    service.gate.append(kind, **told, looks=numbers, **facts)


def _shown(service: Service, found: Sequence[TeamLook]) -> list[dict[str, Any]]:
    """Looks with the names of who looked and of the child; of one who is shown no more, words."""
    if not found:
        return []
    view = service.view.newest()
    known = by_reference(view, service.access)
    wanted = sorted({known[look.reference] for look in found if look.reference in known})
    rows = {
        row["child_id"]: row
        for row in view.rows(
            "SELECT child_id, given_name, middle_names, surname FROM children"
            " WHERE list_contains(?::VARCHAR[], child_id)",
            [wanted],
        )
    }
    return [_line(service, look, rows.get(known.get(look.reference, ""))) for look in found]


def _line(service: Service, look: TeamLook, child: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "look": look,
        "who": service.name_of(look.who),
        "child_id": child["child_id"] if child else None,
        "child": name_of(child) if child else "A child who is not in the view any more",
        "first": _when(look.first),
        "said": [(_SAID[m.kind], service.name_of(m.who), _when(m.at), m.words) for m in look.marks],
    }


_SAID = {SEEN: "Seen", QUESTIONED: "Asked the officer", ANSWERED: "Answered"}


def _children(shown: Collection[Mapping[str, Any]]) -> list[str]:
    return sorted({each["child_id"] for each in shown if each["child_id"]})


def _index(service: Service) -> DisclosureIndex:
    return DisclosureIndex(service.home, service.access.ledger)


def _when(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{at.day} {at:%B %Y, %H:%M}"


def _today() -> date:
    return datetime.now(UTC).date()
