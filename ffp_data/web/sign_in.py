"""Signing in. The demonstration asks for no password, says so, and serves this machine alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ffp_data.web.pages import show
from ffp_data.web.service import Checked, Served, Who
from ffp_data.web.session import COOKIE, LONGEST, FormRefusedError

routes = APIRouter()


@routes.get("/sign-in")
def sign_in(request: Request, service: Served) -> Response:
    """Choose one of the demonstration's users."""
    users = [(key, user) for key, user in service.users.items() if service.is_synthetic]
    return show(request, "sign_in.html", users=users)


@routes.post("/sign-in")
def signed_in(request: Request, service: Served, user: Annotated[str, Form()]) -> Response:
    """Begin a session; of a home with real people nobody gets one here."""
    if not service.is_synthetic or user not in service.users:
        raise FormRefusedError
    answer = RedirectResponse("/", 303)
    cookie = service.sessions.begin(user)
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=LONGEST,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@routes.post("/sign-out", dependencies=[Checked])
def sign_out(request: Request, service: Served, who: Who) -> Response:
    """End the session."""
    service.sessions.end(request.cookies.get(COOKIE))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer
