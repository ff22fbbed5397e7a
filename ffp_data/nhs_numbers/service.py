"""The Department's service "Get an Identifier": one child's particulars in, an NHS number out, or why not.

The contract is the published source of the service (DFE-Digital/single-unique-identifier at 03edc9bc,
`GetAnIdentifierFunction` and `PersonSpecificationValidation`): one fuzzy search of the national index,
answered with a number only where one person scores 0.95 or more. Not found says nothing about a child.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from ffp_data.https import Answer, Credentials, Patience, Poster, read_settings
from ffp_data.identifiers import nhs_number

PREFIX = "FFP_IDENTIFIER_"
PATH = "/v1/get-an-identifier"
SCOPE = "get-an-identifier.read"
AT_FAULT = frozenset({1, "Invalid"})
MISSING = frozenset({2, "NotProvided"})
NEEDED = frozenset({"given", "family", "birthdate"})
"""States of a particular as the service writes them (its `QualityType`, by number or name), and what it needs."""


@dataclass(frozen=True)
class Access:
    """Where to ask and as whom. Secrets are left out of its repr."""

    endpoint: str
    token_endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    api_key: str = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Access:
        """Read `FFP_IDENTIFIER_*`; raises SettingsError that names what is missing or not HTTPS."""
        return cls(*read_settings(environment, PREFIX, tuple(cls.__dataclass_fields__)))

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.token_endpoint, self.client_id, SCOPE, self.client_secret)


@dataclass(frozen=True)
class Question:
    """A child as one record has it; gender is male, female or empty."""

    record_key: str
    given_name: str
    surname: str
    date_of_birth: date
    gender: str = ""
    postcode: str = ""

    def payload(self) -> dict[str, Any]:
        """The body of the request; particulars that the record lacks are left out."""
        feed, system, record = self.record_key.split("|", 2)
        particulars = {
            "given": self.given_name,
            "family": self.surname,
            "birthDate": self.date_of_birth.isoformat(),
            "gender": self.gender,
            "addressPostalCode": self.postcode,
        }
        return {
            "personSpecification": {
                name: text for name, text in particulars.items() if text.strip()
            },
            "metadata": [{"recordType": feed, "systemId": system, "recordId": record}],
        }


class Result(StrEnum):
    FOUND = "found"
    NOT_FOUND = "not_found"  # nobody, several, or nobody surely: never evidence against anything
    REFUSED = "refused"  # particulars that the service takes for faulty


@dataclass(frozen=True)
class Reply:
    """What the service says of one child; `faults` names the particulars that it refused."""

    result: Result
    nhs_number: str = field(default="", repr=False)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unavailable:
    """No answer that counts after every try, or one outside the contract: nobody else is worth asking now."""

    reason: str


class Service:
    """The way to the service. `sleep` waits; tests pass their own."""

    def __init__(
        self,
        access: Access,
        sleep: Callable[[float], None],
        patience: Patience | None = None,
    ) -> None:
        self._url = access.endpoint.rstrip("/") + PATH
        self._headers = {"x-api-key": access.api_key}
        self._poster = Poster(access.credentials, sleep, patience)

    def ask(self, question: Question) -> Reply | Unavailable:
        """Ask for one child; every outcome is a value, not an exception."""
        answer = self._poster.post(self._url, question.payload(), self._headers)
        if answer.may_pass:
            return Unavailable(f"{answer.words} after {self._poster.patience.tries} tries")
        match answer.status:
            case 200:
                return _found(answer)
            case 404:
                return _not_found(answer)
            case 400:
                return Reply(Result.REFUSED, faults=_faults(answer))
        return Unavailable(f"{answer.words}, which the contract does not know")


def _found(answer: Answer) -> Reply | Unavailable:
    number = _lower(answer.json).get("personid")
    checked = nhs_number.check(number if isinstance(number, str) else None, allow_test_numbers=True)
    if checked.normalised is None:
        return Unavailable("an answer without a valid NHS number")
    return Reply(Result.FOUND, checked.normalised)


def _not_found(answer: Answer) -> Reply | Unavailable:
    """A 404 of the service bears its own problem; a wrong address must not read as "nobody found"."""
    if _lower(answer.json).get("status") != answer.status:
        return Unavailable(f"{answer.words} from something else than the service: see the address")
    return Reply(Result.NOT_FOUND)


def _faults(answer: Answer) -> tuple[str, ...]:
    """Names of the particulars at fault: the problem's `detail` holds the state of each, as JSON in a text."""
    detail = _lower(answer.json).get("detail")
    states = _lower(Answer(answer.status, detail.encode()).json) if isinstance(detail, str) else {}
    return tuple(
        sorted(
            name
            for name, state in states.items()
            if state in AT_FAULT or (name in NEEDED and state in MISSING)
        )
    )


def _lower(told: Any) -> dict[str, Any]:
    """An object with its names in small letters: the service's own writing of them has changed."""
    return {name.lower(): value for name, value in told.items()} if isinstance(told, dict) else {}
