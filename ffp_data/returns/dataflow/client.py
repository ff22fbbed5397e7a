"""DfE's endpoint of the data flow: batches of children, and what it says of each batch.

Tokens, retries and time-outs are those of `ffp_data.https`. Secrets come from the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ffp_data.https import Answer, Credentials, Patience, Poster, read_settings
from ffp_data.returns.dataflow.difference import Payload

PREFIX = "FFP_DATAFLOW_"
TAKEN = frozenset({200, 201})


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
        return cls(*read_settings(environment, PREFIX, tuple(cls.__dataclass_fields__)))

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.token_endpoint, self.client_id, self.scope, self.client_secret)


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
        self._url = access.endpoint.rstrip("/") + path
        self._headers = {"SupplierKey": access.supplier_key}
        self._poster = Poster(access.credentials, sleep, patience)

    def post(self, children: Sequence[Payload]) -> Outcome:
        """Send one batch; every outcome is a value, not an exception."""
        answer = self._poster.post(self._url, children, self._headers)
        if answer.may_pass:
            return GaveUp(f"{answer.words} after {self._poster.patience.tries} tries")
        if answer.status in TAKEN:
            return _receipts(answer, len(children))
        return Refused(answer.status, answer.words, answer.text)


def _receipts(answer: Answer, expected: int) -> Outcome:
    told = answer.json
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        return Refused(answer.status, "the answer is no list of receipts", answer.text)
    if len(told) != expected:
        return Refused(answer.status, f"{len(told)} receipts for {expected} children", answer.text)
    return Accepted(tuple(told))
