"""Templates: everything that is put into a page is text, whatever it looks like."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from ffp_data.single_view.words import dated, day
from governance.access import Principal, Right, Roles

_TEMPLATES = Environment(
    loader=PackageLoader("ffp_data.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""A value that a page forgets is an error, not an empty place."""
_TEMPLATES.filters |= {"day": day, "dated": dated}


_MENU = (
    (Right.VIEW, "/", "My children"),
    (Right.SEARCH, "/search", "Search"),
    (Right.QUEUE, "/review", "Links to review"),
    (Right.UNDO, "/review/decisions", "Decisions"),
    (Right.EXPLAIN, "/governance", "Governance"),
    (Right.QUEUE, "/wrong", "Reported as wrong"),
    (Right.EXPLAIN, "/wrong", "Reported as wrong"),
    (Right.QUARTERLY, "/quarterly", "Quarterly collection"),
    (Right.LISTS, "/lists", "Lists"),
    (Right.PROGRAMME, "/programme", "Programme"),
    (Right.TEAM_LOOKS, "/team", "Looks of my team"),
    (Right.ACCESS_LOG, "/team/questions", "Questions of managers"),
    (Right.OPERATE, "/engineer", "Feeds and runs"),
)


def _menu(roles: Roles, who: Principal) -> tuple[tuple[str, str], ...]:
    """Where a role may go: address and words."""
    return tuple((path, words) for right, path, words in _MENU if roles.may(who, right))


def begins_at(roles: Roles, who: Principal) -> str | None:
    """Where a role begins: the first entry of its menu; None for a role without any."""
    return next((path for path, _ in _menu(roles, who)), None)


def show(request: Request, template: str, status: int = 200, /, **facts: Any) -> HTMLResponse:
    """A page, with who is signed in and a way to make forms."""
    service = getattr(request.app.state, "service", None)
    asker = getattr(request.state, "asker", None)

    def form_token() -> str:
        assert service is not None, "a form is sent to a service"
        assert asker is not None, "by somebody who is signed in"
        token: str = service.sessions.form_token(asker.session)
        return token

    about = {
        "asker": asker,
        "menu": _menu(service.gate.roles, asker.principal) if service and asker else (),
        "is_synthetic": bool(service and service.is_synthetic),
        "path": request.url.path,
        "form_token": form_token,
        "name_of": service.name_of if service else str,
    }
    return HTMLResponse(_TEMPLATES.get_template(template).render({**about, **facts}), status)
