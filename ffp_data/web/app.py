"""The pages as one application: routes, headers, and what is said when something is refused.

Nothing of a person stands in an address but an identifier of this hub; what is searched for comes in the body of a
form. Each page asks the gate, which writes the look down, before anything is read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from ffp_data.access import Access
from ffp_data.hub.database import create_engine
from ffp_data.lookups.register import Register
from ffp_data.pipeline.review_desk import read_queue, review_rules
from ffp_data.review.desk import Desk
from ffp_data.sealing.pending import SealUnfinishedError
from ffp_data.serving import NothingPublishedError
from ffp_data.settings import Home, is_synthetic
from ffp_data.web.child import UnknownChildError
from ffp_data.web.governance import routes as governance
from ffp_data.web.limits import TooOftenError
from ffp_data.web.oidc import Provider, SignInFailedError
from ffp_data.web.pages import show
from ffp_data.web.practitioner import routes as practitioner
from ffp_data.web.published import View
from ffp_data.web.reviewer import routes as reviewer
from ffp_data.web.service import Service
from ffp_data.web.session import FormRefusedError, Sessions, SignInNeededError
from ffp_data.web.sign_in import routes as sign_in
from ffp_data.web.users import load_users
from governance.access import AccessDeniedError, Gate, Journal

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""No script at all is allowed, since the pages have none."""


def make_app(home: Home) -> FastAPI:
    """The application over one home; nothing is opened before it starts."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        access, register = Access(home), Register.open(home.hub_url)
        engine, rules = create_engine(home.hub_url), review_rules(home)
        journal = Journal(home.ledger_dir, access.ledger)
        with journal:
            gate = Gate(access.roles, access.gate.subjects, journal.append)
            app.state.service = Service(
                home,
                access,
                load_users(home),
                View(home),
                register,
                gate,
                Sessions(),
                is_synthetic(home),
                Provider.of(home),
                lambda who: Desk(engine, lambda: read_queue(home), rules, access.gate, who),
            )
            yield
        engine.dispose()
        register.close()

    app = FastAPI(
        title="Single view", lifespan=running, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.mount("/static", StaticFiles(directory=Path(str(resources.files(__package__))) / "static"))
    app.include_router(sign_in)
    app.include_router(practitioner)
    app.include_router(reviewer)
    app.include_router(governance)
    _answer_refusals(app)

    @app.middleware("http")
    async def with_headers(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await answer(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.url.path.startswith("/static/"):
            response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    return app


@dataclass(frozen=True)
class _Refusal:
    status: int
    title: str
    words: str


_REFUSALS: dict[type[Exception], _Refusal] = {
    AccessDeniedError: _Refusal(
        403, "You may not see this", "Your role does not include it. The attempt is written down."
    ),
    FormRefusedError: _Refusal(
        400,
        "This form was sent before, or is too old",
        "Go back, load the page again and send it once more.",
    ),
    SignInFailedError: _Refusal(
        403,
        "You are not signed in",
        "The account has no role here, or the sign-in took too long. Try again once.",
    ),
    TooOftenError: _Refusal(429, "Too many at once", "Wait a minute, then go on."),
    UnknownChildError: _Refusal(
        404,
        "No such child",
        "No child with this identifier is in the single view. Check it, or search by name.",
    ),
    NothingPublishedError: _Refusal(
        503, "Nothing to show yet", "No run has published a view. Ask the data team."
    ),
    SealUnfinishedError: _Refusal(
        503, "Closed for a moment", "Records are being changed. Try again in a few minutes."
    ),
}


def _answer_refusals(app: FastAPI) -> None:
    for kind, refusal in _REFUSALS.items():
        app.add_exception_handler(kind, _refused(refusal))
    app.add_exception_handler(
        404, _refused(_Refusal(404, "Page not found", "Check the address, or go to your children."))
    )
    app.add_exception_handler(
        Exception,
        _refused(_Refusal(500, "Something went wrong", "Try again, or tell the data team.")),
    )

    async def to_sign_in(_: Request, __: Exception) -> Response:
        return RedirectResponse("/sign-in", 303)

    app.add_exception_handler(SignInNeededError, to_sign_in)


def _refused(refusal: _Refusal) -> Callable[[Request, Exception], HTMLResponse]:
    def handle(request: Request, _: Exception) -> HTMLResponse:
        return show(
            request, "refused.html", refusal.status, title=refusal.title, words=refusal.words
        )

    return handle
