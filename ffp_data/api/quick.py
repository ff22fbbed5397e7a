"""`GET /resolve/{child_id}` on the short way: the look-up that systems make before every other one.

The framework's way of a request (dependencies, validation, a model for the answer) takes longer than the look-up. A
request with nothing to validate, a token and an identifier only, is answered here, by the same functions; any
other goes on to the documented route, whose words and errors are those of this one too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

LONGEST = 40
"""Letters of an identifier; a longer text is for the documented route to refuse."""

_HEADERS_TO_VALIDATE = frozenset({b"x-reason"})


class QuickRoute(Route):
    """A route for requests that need no validation."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        if match is not Match.FULL or scope["method"] != "GET":
            return Match.NONE, {}
        child_id = found["path_params"]["child_id"]
        has_more = any(name in _HEADERS_TO_VALIDATE for name, _ in scope["headers"])
        if has_more or len(child_id) > LONGEST:
            return Match.NONE, {}
        return match, {**found, "route": self}


def quick_resolve(
    answer: Callable[[Request, str, str | None], Awaitable[dict[str, Any]]],
) -> QuickRoute:
    """The route; `answer` takes the request, the identifier and the token that was sent, and gives the fields."""

    async def resolve(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        sent = token.strip() if scheme.lower() == "bearer" else None
        return JSONResponse(await answer(request, request.path_params["child_id"], sent or None))

    return QuickRoute("/resolve/{child_id}", resolve, methods=["GET"])
