"""Errors as RFC 9457 problem details: which rule, which field, what to do. Never a value that was sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from ffp_data.home.pending import SealUnfinishedError
from ffp_data.lookups import NamesThePersonError, NotEnoughError, NotThereError
from ffp_data.lookups.identify_process import SearchDiedError
from ffp_data.serving import NothingPublishedError
from governance.access import AccessDeniedError
from governance.ledger import CheckpointsStoppedError
from linkage.lookup import TooManyError

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Where: body.birth_date, query.since, header.authorization.")
    rule: str = Field(description="The rule that it breaks, as a word.")
    remedy: str = Field(description="What to do about it.")


class Problem(BaseModel):
    """An RFC 9457 problem; `type` is the rule, `errors` are the fields."""

    model_config = ConfigDict(json_schema_extra={"required": ["type", "title", "status"]})

    type: str = Field(description="The rule, as ffp:problem:<rule>.")
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldProblem] = Field(default_factory=list)


class NoTokenError(Exception):
    """No bearer token, or one that does not count: unknown, expired or revoked."""


_RULES: dict[type[Exception], tuple[HTTPStatus, str]] = {
    NoTokenError: (HTTPStatus.UNAUTHORIZED, "not_authenticated"),
    AccessDeniedError: (HTTPStatus.FORBIDDEN, "not_permitted"),
    NotThereError: (HTTPStatus.NOT_FOUND, "not_there"),
    NotEnoughError: (HTTPStatus.UNPROCESSABLE_ENTITY, "too_little_known"),
    TooManyError: (HTTPStatus.UNPROCESSABLE_ENTITY, "too_many_share_it"),
    NamesThePersonError: (HTTPStatus.UNPROCESSABLE_ENTITY, "reason_names_the_person"),
    SearchDiedError: (HTTPStatus.SERVICE_UNAVAILABLE, "search_died"),
    NothingPublishedError: (HTTPStatus.SERVICE_UNAVAILABLE, "nothing_published"),
    SealUnfinishedError: (HTTPStatus.SERVICE_UNAVAILABLE, "seal_unfinished"),
    CheckpointsStoppedError: (HTTPStatus.SERVICE_UNAVAILABLE, "checkpoints_stopped"),
}
_SAFE = (NothingPublishedError, SealUnfinishedError)
"""Problems whose own words name a path of this machine: they are told without."""

_FORBIDDEN_FIELD = "extra_forbidden"


def problem(
    status: HTTPStatus,
    rule: str,
    detail: str | None = None,
    errors: Sequence[FieldProblem] = (),
) -> JSONResponse:
    """A problem as a response."""
    body = Problem(
        type=f"ffp:problem:{rule}",
        title=rule.replace("_", " "),
        status=int(status),
        detail=detail,
        errors=list(errors),
    )
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse(
        body.model_dump(exclude_none=True), int(status), headers=headers, media_type=MEDIA_TYPE
    )


def add_handlers(app: FastAPI) -> None:
    """Answer every refusal, and every fault of our own, as a problem."""
    for kind, (status, rule) in _RULES.items():
        app.add_exception_handler(kind, _handler(status, rule, tells=kind not in _SAFE))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)


def _handler(
    status: HTTPStatus, rule: str, *, tells: bool
) -> Callable[[Request, Exception], JSONResponse]:
    def handle(_: Request, error: Exception) -> JSONResponse:
        return problem(status, rule, str(error) if tells else None)

    return handle


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [_field(each) for each in error.errors()]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", None, errors)


def _field(error: dict[str, Any]) -> FieldProblem:
    rule = str(error["type"])
    where = [str(part) for part in error["loc"]]
    if rule == "json_invalid":
        return FieldProblem(field="body", rule=rule, remedy="send one JSON object in UTF-8")
    if rule == _FORBIDDEN_FIELD:  # a field's name is the caller's own text, perhaps a person's name
        return FieldProblem(
            field=".".join(where[:-1]),
            rule=rule,
            remedy="leave out fields that the API does not name",
        )
    return FieldProblem(field=".".join(where), rule=rule, remedy=str(error["msg"]))


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return problem(status, status.phrase.lower().replace(" ", "_"))


def _fault(_: Request, error: Exception) -> JSONResponse:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "fault",
        f"{type(error).__name__}: a fault of this service; its log names the place",
    )
