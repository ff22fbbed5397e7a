"""The pages as one application: routes, and what stands before and behind them.

Nothing of a person stands in an address but an identifier of this hub; what is searched for comes in the body of a
form. Each page asks the gate, which writes the look down, before anything is read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ffp_data.access import Access
from ffp_data.hub.database import create_engine
from ffp_data.kept import Kept
from ffp_data.lookups.register import Register
from ffp_data.pipeline.review_desk import read_queue, review_rules
from ffp_data.review.desk import Desk
from ffp_data.settings import Home, is_synthetic
from ffp_data.single_view.published import View
from ffp_data.web.accessibility import routes as accessibility
from ffp_data.web.engineer import routes as engineer
from ffp_data.web.governance import routes as governance
from ffp_data.web.guard import LARGEST_FORM, Guard
from ffp_data.web.lists import routes as lists
from ffp_data.web.manager import routes as manager
from ffp_data.web.oidc import Provider
from ffp_data.web.practitioner import routes as practitioner
from ffp_data.web.programme import routes as programme
from ffp_data.web.quarterly import routes as quarterly
from ffp_data.web.refusals import answer_refusals
from ffp_data.web.reviewer import routes as reviewer
from ffp_data.web.service import Service
from ffp_data.web.session import Sessions
from ffp_data.web.sign_in import routes as sign_in
from ffp_data.web.simulations import Simulations
from ffp_data.web.take_away import routes as take_away
from ffp_data.web.users import load_users
from ffp_data.web.wrong import routes as wrong
from governance.access import Gate, Journal


def make_app(home: Home, hosts: Collection[str] = ()) -> FastAPI:
    """The application over one home; nothing is opened before it starts.

    `hosts`: the names that it answers to, so that no page elsewhere can lead a browser here under a name of
    its own (DNS rebinding); none for any.
    """

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        access, register = Access(home), Register.open(home.hub_url)
        engine, rules = create_engine(home.hub_url), review_rules(home)
        journal = Journal(home.ledger_dir, access.ledger)
        kept = Kept.open(home, access.keys)
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
                kept,
                simulations := Simulations(home),
                journal.flush,
            )
            yield
            simulations.close()
        kept.close()
        engine.dispose()
        register.close()

    app = FastAPI(
        title="Single view",
        lifespan=running,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # such a redirect would repeat the name of the host that the request claims
    )
    app.mount("/static", StaticFiles(directory=Path(str(resources.files(__package__))) / "static"))
    app.include_router(sign_in)
    app.include_router(practitioner)
    app.include_router(wrong)
    app.include_router(take_away)
    app.include_router(reviewer)
    app.include_router(governance)
    app.include_router(lists)
    app.include_router(programme)
    app.include_router(quarterly)
    app.include_router(engineer)
    app.include_router(manager)
    app.include_router(accessibility)
    answer_refusals(app)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST_FORM)
    if hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.add_middleware(Guard)
    return app
