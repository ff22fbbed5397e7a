"""DfE's endpoint over HTTPS: a token by client credentials, then batches of children.

What may pass by itself (401, 403, 429, any 5xx, a timeout, a lost connection) is tried again with
growing waits; a 401 takes a new token. Anything else is DfE's answer and comes back as such. No
redirect is followed, since it would carry token and children elsewhere. Secrets come from the
environment, and neither they nor a payload nor an answer's text stand in any message.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ffp_data.returns.dataflow.difference import Payload

PREFIX = "FFP_DATAFLOW_"
TAKEN = frozenset({200, 201})
PASSING = frozenset({401, 403, 429})
ANSWER_LIMIT = 1 << 20
ANSWER_KEPT = 2000  # bytes of a refusal
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class SettingsError(ValueError):
    """The environment does not say where to send, or as whom."""


@dataclass(frozen=True)
class Access:
    """Where to send and as whom. Secrets are left out of its repr."""

    endpoint: str
    token_endpoint: str
    client_id: str
    scope: str
    client_secret: str = field(repr=False)
    supplier_key: str = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Access:
        """Read `FFP_DATAFLOW_*`; raises SettingsError that names what is missing or not HTTPS."""
        names = tuple(cls.__dataclass_fields__)
        values = {name: environment.get(PREFIX + name.upper(), "").strip() for name in names}
        if lacking := [PREFIX + name.upper() for name, value in values.items() if not value]:
            raise SettingsError(f"set {', '.join(lacking)} in the environment")
        for name in ("endpoint", "token_endpoint"):
            _require_https(PREFIX + name.upper(), values[name])
        return cls(**values)


def _require_https(name: str, url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise SettingsError(f"{name} must begin with https://")


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
class Accepted:
    """DfE took the batch; one receipt for each child, in their order."""

    receipts: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """DfE's answer to this batch, which trying again does not change.

    `answer` is its text, for the encrypted state alone: it may repeat what was sent.
    """

    status: int
    reason: str
    answer: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class GaveUp:
    """No answer that counts after every try: nothing else is worth sending now."""

    reason: str


Outcome = Accepted | Refused | GaveUp


@dataclass(frozen=True)
class _Answer:
    status: int  # 0: no answer
    body: bytes = b""
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


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None  # the 3xx itself becomes the answer


class Client:
    """One authority's way to the endpoint. `sleep` waits; tests pass their own."""

    def __init__(
        self,
        access: Access,
        path: str,
        sleep: Callable[[float], None],
        patience: Patience | None = None,
    ) -> None:
        """`path` is that of the authority's children below the endpoint."""
        self._access = access
        self._url = access.endpoint.rstrip("/") + path
        self._sleep = sleep
        self._patience = patience or Patience()
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._token: str | None = None

    def post(self, children: Sequence[Payload]) -> Outcome:
        """Send one batch; every outcome is a value, not an exception."""
        body = json.dumps(children, ensure_ascii=False, allow_nan=False).encode()
        answer = self._with_patience(lambda: self._post_once(body))
        if answer.may_pass:
            return GaveUp(f"{answer.words} after {self._patience.tries} tries")
        if answer.status in TAKEN:
            return _receipts(answer, len(children))
        return Refused(answer.status, answer.words, answer.text)

    def _with_patience(self, attempt: Callable[[], _Answer]) -> _Answer:
        answer = attempt()
        for tried in range(1, self._patience.tries):
            if not answer.may_pass:
                break
            self._sleep(self._patience.wait(tried, answer.retry_after))
            answer = attempt()
        return answer

    def _post_once(self, body: bytes) -> _Answer:
        if self._token is None:
            asked = self._ask_token()
            if asked is not None:
                return asked
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "SupplierKey": self._access.supplier_key,
        }
        answer = self._request(self._url, body, headers)
        if answer.status == 401:
            self._token = None
        return answer

    def _ask_token(self) -> _Answer | None:
        """Take a new token; the answer instead when there is none."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._access.client_id,
            "client_secret": self._access.client_secret,
            "scope": self._access.scope,
        }
        answer = self._request(
            self._access.token_endpoint,
            urllib.parse.urlencode(form).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        told = _json(answer.body) if answer.status == 200 else None
        token = told.get("access_token") if isinstance(told, dict) else None
        if isinstance(token, str) and token.isprintable():
            self._token = token
            return None
        words = "no token" if answer.status == 200 else answer.words
        return _Answer(0, retry_after=answer.retry_after, trouble=f"token endpoint: {words}")

    def _request(self, url: str, body: bytes, headers: Mapping[str, str]) -> _Answer:
        request = urllib.request.Request(  # noqa: S310 -- Access lets only https (or this machine) in
            url, body, {"Accept": "application/json", **headers}, method="POST"
        )
        try:
            with self._opener.open(request, timeout=self._patience.timeout) as response:
                return _Answer(response.status, response.read(ANSWER_LIMIT))
        except urllib.error.HTTPError as error:
            with error:
                after = _seconds(error.headers.get("Retry-After"))
                return _Answer(error.code, _read_what_comes(error), after)
        except (OSError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", error)
            kind = "timeout" if isinstance(cause, TimeoutError) else "connection lost"
            return _Answer(0, trouble=kind)


def _read_what_comes(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(ANSWER_KEPT)
    except (OSError, http.client.HTTPException):
        return b""  # the status came and is what counts


def _receipts(answer: _Answer, expected: int) -> Outcome:
    told = _json(answer.body)
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        return Refused(answer.status, "the answer is no list of receipts", answer.text)
    if len(told) != expected:
        return Refused(answer.status, f"{len(told)} receipts for {expected} children", answer.text)
    return Accepted(tuple(told))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # told by the caller as an answer that is none
        return None


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date is left to our own waits."""
    return float(text) if text and text.isdigit() else None
