"""To whom a child's data was disclosed: every release and every read, from the ledger (UK GDPR Art 15(1)(c)).

The child's references lead through the index to the ledger's lines; each says who got what, when, for which
purpose and under which agreement. Refused reads disclosed nothing and are left out. A release tells of the
child by those of its tables that had rows of the child.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ffp_data.access import Access
from ffp_data.hub.errors import HubError
from ffp_data.rights.disclosure_index import DisclosureIndex, Found
from ffp_data.rights.identities import Identity, identity_of
from ffp_data.settings import Home

RELEASED = "released"
REFUSED = "access_refused"
NOT_TOLD = frozenset({REFUSED, "release_refused", "copy_begun"})
"""Events about a child by which nobody got to know anything: a copy that was made is told of by its release."""
_OWN = "the child's own identifier"
_FORMER = "a former identifier of the child"
_ELSEWHERE = "another child's identifier, while it held a record of this child"


class NoSuchChildError(HubError):
    """An identifier that leads to nobody here. Sealed, erased, never issued, mistyped: all say this."""


class GivenField(BaseModel):
    """A column that left in a release."""

    model_config = ConfigDict(frozen=True)

    relation: str
    name: str
    category: str
    transform: str


class Disclosure(BaseModel):
    """One event by which somebody got to know something of the child."""

    model_config = ConfigDict(frozen=True)

    number: int = Field(description="The event's number in the ledger.")
    at: str
    what: str = Field(description="released, or what a user did: read, review_final_verdict, …")
    to: str = Field(description="The recipient of a release, or the user.")
    by: str | None = Field(description="Who took a release away as a copy; null for any other.")
    role: str | None
    purpose: str | None
    agreement: str | None
    reason: str | None
    right: str | None
    under: str = Field(description="Under which of the child's identifiers.")
    manifest: str | None = Field(description="SHA-256 of the release's manifest.")
    sealed: bool | None = Field(description="Whether a release was encrypted to its recipient.")
    fields: list[GivenField]


class DisclosureLog(BaseModel):
    """All disclosures of a child, and the checkpoint of the ledger up to which they are all."""

    model_config = ConfigDict(frozen=True)

    child_id: str
    events: int = Field(description="How many events the ledger had.")
    head: str = Field(description="Hash of the newest of them.")
    recipients: list[str] = Field(description="To whom the data actually went, users left out.")
    disclosures: list[Disclosure]


@dataclass(frozen=True)
class DisclosureRegister:
    """Answers from the ledger of one home."""

    home: Home
    access: Access

    @cached_property
    def index(self) -> DisclosureIndex:
        return DisclosureIndex(self.home, self.access.ledger)

    def identity(self, child_id: str) -> Identity:
        """Whom an identifier leads to. Raises NoSuchChildError, which confirms nothing."""
        try:
            with self.access.subjects.engine.connect() as connection:
                return identity_of(connection, child_id)
        except HubError:
            raise NoSuchChildError(
                "this hub has no such child; look the identifier up with: ffp identify"
            ) from None

    def of_child(self, identity: Identity) -> DisclosureLog:
        """Every disclosure of a child, oldest first."""
        references = self.access.subjects.keys.known(identity.everywhere)
        with self.index.opened() as answers:
            found = answers.about(list(references.values()))
            numbers = answers.run_numbers() if identity.elsewhere else {}
            under = {ref: child for child, ref in references.items()}
            kept = [
                (each, words)
                for each in found
                if (words := said_under(each, under[each.reference], identity, numbers))
            ]
            events = answers.events(each.place for each, _ in kept)
            told = [
                _disclosure(event, each, words)
                for (each, words), event in zip(kept, events, strict=True)
                if event["kind"] not in NOT_TOLD
            ]
            newest = answers.newest
        return DisclosureLog(
            child_id=identity.current,
            events=newest.count if newest else 0,
            head=newest.head if newest else "",
            recipients=sorted({each.to for each in told if each.what == RELEASED}),
            disclosures=_once(told),
        )


def said_under(
    found: Found, child_id: str, identity: Identity, numbers: Mapping[str, int]
) -> str | None:
    """Under which identifier the event is the child's; None where it is another's alone."""
    if child_id == identity.current:
        return _OWN
    if child_id in identity.own:
        return _FORMER
    spans = (span for span in identity.elsewhere if span.child_id == child_id)
    return _ELSEWHERE if any(span.covers(found.number, numbers) for span in spans) else None


def _disclosure(event: Mapping[str, Any], found: Found, under: str) -> Disclosure:
    facts = event["facts"]
    is_release = event["kind"] == RELEASED
    return Disclosure(
        number=event["number"],
        at=facts.get("read_at") or event["at"],
        what=event["kind"],
        to=facts["recipient"] if is_release else facts.get("who") or facts.get("by") or "",
        by=facts.get("who") if is_release else None,
        role=facts.get("role"),
        purpose=facts.get("purpose"),
        agreement=facts.get("agreement"),
        reason=facts.get("reason"),
        right=facts.get("right"),
        under=under,
        manifest=facts.get("manifest") if is_release else None,
        sealed=bool(facts.get("sealed_to")) if is_release else None,
        fields=list(fields_given(facts, found.tables)) if is_release else [],
    )


def fields_given(facts: Mapping[str, Any], tables: int) -> Iterator[GivenField]:
    """The columns of those tables of a release whose bits are set, in the order of the list."""
    relations = relations_of(facts)
    told = {relation for bit, relation in enumerate(relations) if tables >> bit & 1}
    for column in facts["columns"]:
        if column["relation"] in told:
            names = ("relation", "name", "category", "transform")
            yield GivenField(**{name: column[name] for name in names})


def relations_of(facts: Mapping[str, Any]) -> list[str]:
    """The tables of a release in the order of its list's columns."""
    return list(facts["subject_list"]["relations"])


def _once(told: Iterable[Disclosure]) -> list[Disclosure]:
    """A release that had the child under two identifiers is one disclosure with the fields of both."""
    by_number: dict[int, Disclosure] = {}
    for each in told:
        if before := by_number.get(each.number):
            fields = list(dict.fromkeys([*before.fields, *each.fields]))
            by_number[each.number] = before.model_copy(update={"fields": fields})
        else:
            by_number[each.number] = each
    return [by_number[number] for number in sorted(by_number)]
