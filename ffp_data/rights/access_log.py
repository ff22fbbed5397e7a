"""Who looked at a child, and at whom a user looked: from the ledger, and from journals that wait to come into it.

Every look, every refused attempt and every act that names who did it is one line, the newest first. A child is found
by its reference under every identifier that it had; who looked at nobody in particular (a list, a document)
stands in the log of the user. The log tells references, never identifiers: who may ask for a child finds its looks,
and nobody reads from a user's looks whom they were about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ffp_data.access import Access
from ffp_data.rights.disclosure_index import Answers, DisclosureIndex, Looks, time_of
from ffp_data.rights.disclosures import REFUSED, said_under
from ffp_data.rights.identities import Identity
from ffp_data.settings import Home
from governance.journal_lines import journals

PAGE = 50
_TOLD = (
    "list",
    "attribute",
    "document",
    "item",
    "shown",
    "act",
    "agreement",
    "decision",
    "verdict",
    "copy",
    "log",
    "found",
)
"""Facts of an event that say what was looked at; all are codes and counts."""


_WHY = {REFUSED: "why", "release_refused": "reason_refused"}
"""What was refused, and the fact that says why."""


@dataclass(frozen=True)
class Look:
    """One line of the log. number: in the ledger, None while it waits; references: of the children."""

    number: int | None
    at: str
    who: str
    role: str
    what: str
    right: str
    purpose: str
    reason: str | None
    refused: str | None
    """Why it was refused; None where it was not."""
    references: tuple[str, ...]
    told: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Days:
    """The days wanted, ISO and both included; empty for no limit."""

    since: str = ""
    until: str = ""

    def has(self, day: str) -> bool:
        return (not self.since or day >= self.since) and (not self.until or day <= self.until)


@dataclass(frozen=True)
class Log:
    """One page of looks. count: of all pages; events: how far the ledger was read."""

    looks: tuple[Look, ...]
    count: int
    page: int
    events: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // PAGE))


@dataclass(frozen=True)
class AccessLog:
    """Answers from the ledger of one home."""

    home: Home
    access: Access

    def users(self) -> list[str]:
        """Everybody who stands in the ledger with a look or an act."""
        with self._opened() as answers:
            return answers.users()

    def of_user(self, who: str, days: Days = Days(), page: int = 1) -> Log:
        """What a user looked at."""
        with self._opened() as answers:
            return self._log(answers, Looks(who, days.since, days.until), days, page, None)

    def of_child(self, identity: Identity, days: Days = Days(), page: int = 1) -> Log:
        """Who looked at a child, under whichever of its identifiers."""
        references = self.access.subjects.keys.known(identity.everywhere)
        under = {reference: child for child, reference in references.items()}
        with self._opened() as answers:
            runs = answers.run_numbers() if identity.elsewhere else {}
            numbers = sorted({
                each.number
                for each in answers.about(list(under))
                if said_under(each, under[each.reference], identity, runs)
            })  # fmt: skip
            own = {references[child] for child in identity.own if child in references}
            wanted = Looks(None, days.since, days.until, numbers)
            return self._log(answers, wanted, days, page, own)

    def _opened(self) -> AbstractContextManager[Answers]:
        return DisclosureIndex(self.home, self.access.ledger).opened()

    def _log(
        self, answers: Answers, wanted: Looks, days: Days, page: int, own: Iterable[str] | None
    ) -> Log:
        newest = answers.newest
        waiting = [look for look in self._waiting() if _fits(look, wanted, days, own)]
        first = max(0, (page - 1) * PAGE - len(waiting))
        shown = waiting[(page - 1) * PAGE : page * PAGE]
        asked = Looks(
            wanted.who, wanted.since, wanted.until, wanted.numbers, PAGE - len(shown), first
        )
        count, places = answers.looks(asked)
        looks = [*shown, *(look_of(event) for event in answers.events(iter(places)))]
        return Log(tuple(looks), count + len(waiting), page, newest.count if newest else 0)

    def _waiting(self) -> list[Look]:
        """Looks of journals that are not in the ledger yet, the newest first."""
        ledger = self.access.ledger
        found = []
        for path in journals(ledger.directory):
            try:
                events, _ = ledger.waiting_events(path.name, path.read_bytes())
            except FileNotFoundError:  # taken over meanwhile: the ledger has it
                continue
            found += [
                look_of({"number": None, "at": "", "kind": kind, "facts": facts})
                for kind, facts in events
                if facts.get("who")
            ]
        return sorted(found, key=lambda look: look.at, reverse=True)


def _fits(look: Look, wanted: Looks, days: Days, own: Iterable[str] | None) -> bool:
    is_whose = look.who == wanted.who if own is None else not set(own).isdisjoint(look.references)
    return is_whose and days.has(look.at[:10])


def look_of(event: Mapping[str, Any]) -> Look:
    """A line of the log from an event that names who."""
    facts = event["facts"]
    return Look(
        number=event["number"],
        at=time_of(event),
        who=facts["who"],
        role=facts.get("role") or "",
        what=event["kind"],
        right=facts.get("right") or "",
        purpose=facts.get("purpose") or "",
        reason=facts.get("reason"),
        refused=facts.get(_WHY[event["kind"]]) if event["kind"] in _WHY else None,
        references=tuple(facts.get("subjects") or ()),
        told=tuple(_told(facts)),
    )


def _told(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _TOLD:
        if (value := facts.get(name)) is not None:
            yield name, _text(value)


def _text(value: object) -> str:
    return (
        ", ".join(map(str, value))
        if isinstance(value, Sequence) and not isinstance(value, str)
        else str(value)
    )
