"""Other people's services over HTTPS: a token by client credentials, then one request after another.

What may pass by itself (401, 403, 429, any 5xx, a timeout, a lost connection) is tried again with
growing waits; a 401 takes a new token. Anything else is the service's answer and comes back as such. No
redirect is followed, since it would carry token and children elsewhere. Neither secrets nor what was
sent nor an answer's text stand in any message.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

PASSING = frozenset({401, 403, 429})
ANSWER_LIMIT = 1 << 20
ANSWER_KEPT = 2000  # bytes of a refusal
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class SettingsError(ValueError):
    """The environment does not say where to send, or as whom."""


def read_settings(environment: Mapping[str, str], prefix: str, names: tuple[str, ...]) -> list[str]:
    """The values of `<prefix><NAME>` in order; raises SettingsError that names what is missing.

    A name that ends in `endpoint` must hold an https address, or one of this machine.
    """
    values = {name: environment.get(prefix + name.upper(), "").strip() for name in names}
    if lacking := [prefix + name.upper() for name, value in values.items() if not value]:
        raise SettingsError(f"set {', '.join(lacking)} in the environment")
    for name, value in values.items():
        if name.endswith("endpoint"):
            require_https(prefix + name.upper(), value)
    return list(values.values())


def require_https(name: str, url: str) -> None:
    """Raise SettingsError for an address that is neither https nor on this machine; `name` is what holds it."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise SettingsError(f"{name} must begin with https://")


@dataclass(frozen=True)
class Credentials:
    """OAuth 2.0 client credentials (RFC 6749, 4.4). The secret is left out of the repr."""

    token_endpoint: str
    client_id: str
    scope: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Patience:
    """How often to try, and how long to wait in between, in seconds."""

    tries: int = 5
    first_wait: float = 5.0
    longest_wait: float = 60.0
    timeout: float = 30.0

    def wait(self, tried: int, asked: float | None) -> float:
        """Doubling from the first wait; longer when the server asks for it, within the limit."""
        own = self.first_wait * float(2 ** (tried - 1))
        return min(self.longest_wait, max(own, asked or 0.0))


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 means nothing did, and `trouble` says why."""

    status: int
    body: bytes = field(default=b"", repr=False)
    retry_after: float | None = None
    trouble: str = ""

    @property
    def may_pass(self) -> bool:
        return self.status == 0 or self.status in PASSING or self.status >= 500

    @property
    def text(self) -> str:
        return self.body[:ANSWER_KEPT].decode("utf-8", "replace")

    @property
    def words(self) -> str:
        return self.trouble or f"HTTP {self.status}"

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:  # the caller tells it as an answer that is none
            return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None  # the 3xx itself becomes the answer


class Poster:
    """Posts JSON with a bearer token. `sleep` waits; tests pass their own."""

    def __init__(
        self,
        credentials: Credentials,
        sleep: Callable[[float], None],
        patience: Patience | None = None,
    ) -> None:
        self._credentials = credentials
        self._sleep = sleep
        self.patience = patience or Patience()
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._token: str | None = None

    def post(self, url: str, payload: Any, headers: Mapping[str, str]) -> Answer:
        """Post `payload`; the first answer that does not pass by itself, else the last one."""
        body = json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()
        answer = self._post_once(url, body, headers)
        for tried in range(1, self.patience.tries):
            if not answer.may_pass:
                break
            self._sleep(self.patience.wait(tried, answer.retry_after))
            answer = self._post_once(url, body, headers)
        return answer

    def _post_once(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self._token is None:
            asked = self._ask_token()
            if asked is not None:
                return asked
        own = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        answer = self._request(url, body, {**own, **headers})
        if answer.status == 401:
            self._token = None
        return answer

    def _ask_token(self) -> Answer | None:
        """Take a new token; the answer instead when there is none."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "scope": self._credentials.scope,
        }
        answer = self._request(
            self._credentials.token_endpoint,
            urllib.parse.urlencode(form).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        told = answer.json if answer.status == 200 else None
        token = told.get("access_token") if isinstance(told, dict) else None
        if isinstance(token, str) and token.isprintable():
            self._token = token
            return None
        words = "no token" if answer.status == 200 else answer.words
        return Answer(0, retry_after=answer.retry_after, trouble=f"token endpoint: {words}")

    def _request(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        request = urllib.request.Request(  # noqa: S310 -- the settings let only https (or this machine) in
            url, body, {"Accept": "application/json", **headers}, method="POST"
        )
        try:
            with self._opener.open(request, timeout=self.patience.timeout) as response:
                return Answer(response.status, response.read(ANSWER_LIMIT))
        except urllib.error.HTTPError as error:
            with error:
                after = _seconds(error.headers.get("Retry-After"))
                return Answer(error.code, _read_what_comes(error), after)
        except (OSError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", error)
            kind = "timeout" if isinstance(cause, TimeoutError) else "connection lost"
            return Answer(0, trouble=kind)


def _read_what_comes(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(ANSWER_KEPT)
    except (OSError, http.client.HTTPException):
        return b""  # the status came and is what counts


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date is left to our own waits."""
    return float(text) if text and text.isdigit() else None
