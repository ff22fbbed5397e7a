"""Templates: everything that is put into a page is text, whatever it looks like."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

_TEMPLATES = Environment(
    loader=PackageLoader("ffp_data.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""A value that a page forgets is an error, not an empty place."""


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
        "is_synthetic": bool(service and service.is_synthetic),
        "path": request.url.path,
        "form_token": form_token,
    }
    return HTMLResponse(_TEMPLATES.get_template(template).render(**about, **facts), status)
