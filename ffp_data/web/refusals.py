"""What is said when a request is refused, and where that stands.

Of somebody who is signed in the ledger tells it (`page_refused`), unless the gate did already; of anybody else the
log has a line (`guard`). Neither holds a word of what was sent: a field or an address may carry a name, or be
meant to deceive whoever reads the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from ffp_data.home.pending import SealUnfinishedError
from ffp_data.serving import NothingPublishedError
from ffp_data.single_view.child import UnknownChildError
from ffp_data.web.guard import HEADERS
from ffp_data.web.limits import TooOftenError
from ffp_data.web.oidc import SignInFailedError
from ffp_data.web.pages import show
from ffp_data.web.session import COOKIE, FormRefusedError, SignInNeededError
from governance.access import AccessDeniedError
from governance.policy.compile import LockError

_log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True)
class Refusal:
    """What a page says; `why`: the word for it in the ledger, none where that has it already."""

    status: int
    title: str
    words: str
    why: str | None = None


_BY_ERROR: dict[type[Exception], Refusal] = {
    AccessDeniedError: Refusal(
        403, "You may not see this", "Your role does not include it. The attempt is written down."
    ),
    FormRefusedError: Refusal(
        400,
        "This form was sent before, or is too old",
        "Go back, load the page again and send it once more.",
        "form",
    ),
    SignInFailedError: Refusal(
        403,
        "You are not signed in",
        "The account has no role here, or the sign-in took too long. Try again once.",
    ),
    TooOftenError: Refusal(429, "Too many at once", "Wait a minute, then go on.", "too often"),
    UnknownChildError: Refusal(
        404,
        "No such child",
        "No child with this identifier is in the single view. Check it, or search by name.",
    ),
    RequestValidationError: Refusal(
        400,
        "This can't be taken",
        "Something is missing, too long, or not what belongs there. Go back and change it.",
        "not what belongs there",
    ),
    NothingPublishedError: Refusal(
        503,
        "Nothing to show yet",
        "No run of this version has published a view. Ask the data team for a run.",
    ),
    LockError: Refusal(
        503, "Nothing is agreed yet", "No run has compiled the agreements. Ask the data team."
    ),
    SealUnfinishedError: Refusal(
        503, "Closed for a moment", "Records are being changed. Try again in a few minutes."
    ),
    Exception: Refusal(500, "Something went wrong", "Try again, or tell the data team."),
}

_BY_STATUS = {
    404: Refusal(404, "Page not found", "Check the address, or go to your children."),
    405: Refusal(405, "Page not found", "There is no such page to send anything to."),
    413: Refusal(413, "Too much at once", "Send less.", "too large"),
}
_OTHER = Refusal(400, "This can't be taken", "Go back and try again.", "not what belongs there")


def answer_refusals(app: FastAPI) -> None:
    """Let each error be a page; where nobody is signed in, the way to sign in."""
    for kind, refusal in _BY_ERROR.items():
        app.add_exception_handler(kind, _answering(refusal))

    def by_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _answer(request, _BY_STATUS.get(error.status_code, _OTHER))

    def to_sign_in(request: Request, _: Exception) -> Response:
        if COOKIE in request.cookies:
            _log.info("refused: a session that is not open")
        return RedirectResponse("/sign-in", 303)

    app.add_exception_handler(HTTPException, by_status)
    app.add_exception_handler(SignInNeededError, to_sign_in)


def _answering(refusal: Refusal) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, _: Exception) -> Response:
        return _answer(request, refusal)

    return answer


def _answer(request: Request, refusal: Refusal) -> Response:
    asker = getattr(request.state, "asker", None)
    if refusal.why and asker is not None:
        request.app.state.service.gate.append(
            "page_refused", who=asker.key, role=asker.user.role, why=refusal.why
        )
    page = show(request, "refused.html", refusal.status, title=refusal.title, words=refusal.words)
    for name, value in HEADERS.items():  # what went wrong is answered outside the guard
        page.headers.setdefault(name, value)
    return page
