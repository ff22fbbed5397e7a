"""What stands before every page: headers on each answer, a limit to what is sent, and a log of what is refused.

Written for ASGI itself and not as a function around each request, which would cost more than most pages.
"""

from __future__ import annotations

import logging

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

STATIC = "/static/"
LARGEST_FORM = 64 * 1024
"""Bytes; the longest form has a few fields of a few hundred letters."""

_REFUSED = 400
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
_log = logging.getLogger("uvicorn.error")


class Guard:
    """Puts the headers on; logs the status and the route of what is refused, never what was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(STATIC):
                    headers["Cache-Control"] = "public, max-age=3600"
                if message["status"] >= _REFUSED:
                    _log.info("refused: %s %s %s", message["status"], *_place(scope))
            await send(message)

        await self._app(scope, receive, send_on)


def _place(scope: Scope) -> tuple[str, str]:
    """Method and route of a request, neither as it was sent."""
    method = scope["method"] if scope["method"] in _METHODS else "other"
    return method, getattr(scope.get("endpoint"), "__qualname__", "no page")
