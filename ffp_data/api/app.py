"""The routes of the API. Each names the right it uses in its words; the look-ups' gate decides.

Nothing of a person but an identifier stands in a URL: what is known of a child comes in the body of a POST,
the reason in a header. Handlers are plain functions, which run in threads, so that a slow answer keeps no
other waiting; who asks, and what one indexed row answers, is looked up at once, since a change of threads
would take longer than the answer.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from ffp_data.access import Access
from ffp_data.api.problems import NoTokenError, Problem, add_handlers
from ffp_data.api.quick import quick_resolve
from ffp_data.home.pending import require_none
from ffp_data.lookups import Answer, Demographics, Lookups
from ffp_data.lookups.answers import AsOf, Child, History, Resolution
from ffp_data.lookups.changes import Told
from ffp_data.lookups.identify_process import IdentifyProcess
from ffp_data.lookups.register import Register
from ffp_data.lookups.tables import page, written_day
from ffp_data.serving import NothingPublishedError, People, Serving, load_people
from ffp_data.settings import Home
from governance.access import Gate, Journal, Principal

TITLE, VERSION = "Families First data hub: look-ups", "1"
DESCRIPTION = """\
Who is this child, and which identifier is in use. Every read needs a bearer token
(`ffp access token NAME --role R`) and is written to the ledger, refused ones too.
Errors are RFC 9457 problem details. See docs/api.md."""

PAGE = 1_000


class Health(BaseModel):
    """Whether the service can answer, and from which run."""

    model_config = ConfigDict(frozen=True)

    status: str = Field(description="ok, or degraded where `problems` has something.")
    run: str | None = Field(description="The run whose snapshot is loaded.")
    as_at: str | None
    problems: list[str]


@dataclass
class Service:
    """What the handlers share."""

    access: Access
    register: Register
    people: Serving[People]
    identify: IdentifyProcess
    journal: Journal
    lookups: Lookups

    @classmethod
    def of(cls, home: Home) -> Service:
        access, register = Access(home), Register.open(home.hub_url)
        people, identify = Serving(home, load_people), IdentifyProcess(home)
        journal = Journal(home.ledger_dir, access.ledger)
        gate = Gate(access.roles, access.gate.subjects, journal.append)
        lookups = Lookups(access, register, people, gate)
        return cls(access, register, people, identify, journal, lookups)


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    require_none(service.access.home)
    return service


_bearer = HTTPBearer(auto_error=False, description="A token of `ffp access token`.")


async def _principal(
    request: Request,
    service: Annotated[Service, Depends(_service)],
    sent: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Principal:
    """Who asks; raises NoTokenError, written down."""
    return _bearer_of(request, service, sent.credentials if sent else None)


def _bearer_of(request: Request, service: Service, sent: str | None) -> Principal:
    token, why = service.access.tokens.find(sent) if sent else (None, "missing")
    if token is None or why is not None:
        service.journal.append(
            "access_refused",
            who=token.name if token else None,
            role=token.role if token else None,
            why=f"token {why}",
            route=request.scope["route"].path,
        )
        raise NoTokenError(
            f"the bearer token is {why}; ask for one: ffp access token NAME --role R"
        )
    return token.principal


Served = Annotated[Service, Depends(_service)]
Who = Annotated[Principal, Depends(_principal)]
Reason = Annotated[
    str | None,
    Header(
        alias="X-Reason",
        max_length=200,
        description="Why you ask, in words that name nobody; the ledger keeps it. Some roles must say.",
    ),
]
ChildId = Annotated[
    str, Path(max_length=40, description="An identifier of this hub.", examples=["1565XE3B051RN"])
]


def _refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    words = {
        401: "No token that counts.",
        403: "The role lacks the right, or the reason that it must give.",
        404: "Never issued by this hub, or sealed.",
        422: "The request breaks a rule; `errors` name field, rule and remedy.",
        503: "Nothing was published yet, a seal is under way, or reads can't be written to the ledger.",
    }
    return {code: {"description": words[code], "content": content} for code in codes}


routes = APIRouter()


@routes.post(
    "/identify",
    response_model=Answer,
    responses=_refusals(401, 403, 422, 503),
    tags=["children"],
)
async def identify(
    known: Demographics, who: Who, service: Served, reason: Reason = None
) -> Response:
    """Find a child by what is known: candidates that are certain, probable or possible.

    Right: identify. The weights are those that a run gives the same pair of records.
    """
    return Response(
        await service.identify.answer(who, known, reason), media_type="application/json"
    )


@routes.get("/children/{child_id}", responses=_refusals(401, 403, 404, 422, 503), tags=["children"])
def child(child_id: ChildId, who: Who, service: Served, reason: Reason = None) -> Child:
    """An identifier, how it stands, and who it is for a role that may know.

    Rights: resolve; person and place add their fields. A protected child's place is never told.
    """
    return service.lookups.child(who, child_id, reason)


@routes.get(
    "/children/{child_id}/history", responses=_refusals(401, 403, 404, 422, 503), tags=["children"]
)
def history(child_id: ChildId, who: Who, service: Served, reason: Reason = None) -> History:
    """Everything that happened to an identifier, oldest first. Right: history."""
    return service.lookups.history(who, child_id, reason)


@routes.get(
    "/resolve/{child_id}", responses=_refusals(401, 403, 404, 422, 503), tags=["identifiers"]
)
async def resolve(
    child_id: ChildId, who: Who, service: Served, reason: Reason = None
) -> Resolution:
    """The identifier in use today for one that was ever issued. Right: resolve."""
    return service.lookups.resolve(who, child_id, reason)


async def _quickly(request: Request, child_id: str, sent: str | None) -> dict[str, Any]:
    service = await _service(request)
    who = _bearer_of(request, service, sent)
    return service.lookups.resolve(who, child_id).model_dump()


@routes.get("/as-of", responses=_refusals(401, 403, 404, 422, 503), tags=["identifiers"])
def as_of(
    when: Annotated[str, Query(max_length=80, description="A day, or the id of a run.")],
    who: Who,
    service: Served,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=0, le=PAGE, description="Rows of membership to show.")] = 0,
    reason: Reason = None,
) -> AsOf:
    """Which identifier each record carried as at a day: counts, and a page of the list. Right: as_of."""
    table, withheld = service.lookups.as_of(who, written_day(when), reason)
    return page(table, withheld, when, offset, limit)


@routes.get("/changes", responses=_refusals(401, 403, 404, 422, 503), tags=["identifiers"])
def changes(
    since: Annotated[str, Query(max_length=80, description="The id of a run.")],
    who: Who,
    service: Served,
    recipient: Annotated[str | None, Query(max_length=80)] = None,
    reason: Reason = None,
) -> Told:
    """What each recipient of releases must be told since a run, in the recipient's own pseudonyms.

    Rights: changes, or own_changes for the recipient whose name the token has.
    """
    return service.lookups.changes(who, since, recipient, reason)


@routes.get("/healthz", tags=["service"])
def healthz(request: Request) -> Health:
    """Whether the service answers, and from which run; needs no token and names nobody."""
    service: Service = request.app.state.service
    told = (service.people.problem, service.identify.problem, service.journal.problem)
    problems = sorted({problem for problem in told if problem})
    try:
        meta = service.people.served().meta
    except NothingPublishedError:
        meta, problems = {}, ["nothing is published yet"]
    return Health(
        status="degraded" if problems else "ok",
        run=meta.get("run_id"),
        as_at=meta.get("as_at"),
        problems=problems,
    )


def make_app(home: Home, open_service: Callable[[Home], Service] = Service.of) -> FastAPI:
    """The application over one home; nothing is opened before it starts."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        service = open_service(home)
        with service.journal, service.identify:
            app.state.service = service
            service.people.start()
            yield
            service.people.stop()
        service.register.close()

    app = FastAPI(title=TITLE, version=VERSION, description=DESCRIPTION, lifespan=running)
    app.router.routes.append(quick_resolve(_quickly))  # before the documented one
    app.include_router(routes)
    add_handlers(app)
    app.openapi_schema = _document(app)
    return app


def document(app: FastAPI) -> str:
    """The OpenAPI document as docs/openapi.json has it."""
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with problems in the place of the framework's own errors."""
    document = app.openapi()
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    whole = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= whole.pop("$defs", {}) | {"Problem": whole}
    return document
