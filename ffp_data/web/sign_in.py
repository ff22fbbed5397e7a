"""Signing in: with the council's accounts, or as somebody made up in a demonstration, never both."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from ffp_data.web.oidc import PENDING_SECONDS, SignInFailedError
from ffp_data.web.pages import show
from ffp_data.web.service import Checked, Served, Service, Who
from ffp_data.web.session import COOKIE, LONGEST, FormRefusedError
from ffp_data.web.users import User

routes = APIRouter()
_BROWSER = "hub_signing_in"


@routes.get("/sign-in")
def sign_in(request: Request, service: Served) -> Response:
    """The way in that this hub has."""
    users = list(service.users.items()) if service.is_demonstration else []
    return show(request, "sign_in.html", users=users, has_provider=service.provider is not None)


@routes.post("/sign-in")
def signed_in(request: Request, service: Served, user: Annotated[str, Form()]) -> Response:
    """Begin a session as a user of the demonstration; of a home with real people nobody gets one here."""
    if not service.is_demonstration or user not in service.users:
        raise FormRefusedError
    answer = RedirectResponse("/", 303)
    _remember(request, answer, service, user, service.users[user])
    return answer


@routes.get("/sign-in/begin")
def begin(request: Request, service: Served) -> Response:
    """Send the browser to the provider."""
    if service.provider is None:
        raise FormRefusedError
    service.sign_ins.take(request.client.host if request.client else "")
    browser = secrets.token_urlsafe(24)
    answer = RedirectResponse(service.provider.begin(browser), 303)
    # Lax: the provider's answer comes from another site.
    answer.set_cookie(
        _BROWSER,
        browser,
        max_age=PENDING_SECONDS,
        httponly=True,
        samesite="lax",
        secure=_is_secure(request),
    )
    return answer


@routes.get("/sign-in/done")
def done(
    request: Request,
    service: Served,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """The provider's answer. A page follows, since a strict cookie is not sent along with an answer from elsewhere."""
    if service.provider is None:
        raise FormRefusedError
    try:
        key, user = service.provider.finish(request.cookies.get(_BROWSER, ""), state, code)
    except SignInFailedError as error:
        service.gate.append("sign_in_refused", why=str(error))
        raise
    answer = show(request, "signed_in.html")
    answer.delete_cookie(_BROWSER)
    _remember(request, answer, service, key, user)
    return answer


@routes.post("/sign-out", dependencies=[Checked])
def sign_out(request: Request, service: Served, who: Who) -> Response:
    """End the session."""
    service.sessions.end(request.cookies.get(COOKIE))
    service.gate.append("signed_out", who=who.key)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


def _remember(request: Request, answer: Response, service: Service, key: str, user: User) -> None:
    service.gate.append("signed_in", who=key, role=user.role)
    service.sessions.end(request.cookies.get(COOKIE))  # one browser, one session
    cookie = service.sessions.begin(key, user)
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=LONGEST,
        httponly=True,
        samesite="strict",
        secure=_is_secure(request),
    )


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
