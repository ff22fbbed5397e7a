"""Looks at children of others, by day and by whose manager is told, and what a manager made of each.

Every such look stands in the ledger as a read under `view_off_caseload`, with the reason, the case reference and the
manager of that moment. Here a day's are found through the index of looks, put together where one person looked at one
child for one reason, and joined with the marks that managers and officers left: events too, so that nothing is kept
beside the ledger, and nothing in it names a child. A day is a day in UTC, as the ledger counts.
"""

from __future__ import annotations

import json
import mmap
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ffp_data.rights.disclosure_index import DisclosureIndex, Looks, time_of
from governance.access import Right
from governance.canonical import sha256_hex
from governance.ledger import EVENTS_FILE, Ledger, LedgerDamagedError
from governance.ledger_lines import parts_of

SEEN, QUESTIONED, ANSWERED = "look_seen", "look_questioned", "look_answered"
_MARKS = re.compile(rb'"kind":"(?:look_seen|look_questioned|look_answered)"')
_CASE = re.compile(r"(?P<why>.*) \(case (?P<case>[^()]*)\)", re.DOTALL)
_MOST = 1_000_000


@dataclass(frozen=True)
class Mark:
    """What somebody said of looks."""

    number: int
    kind: str
    at: str
    who: str
    looks: tuple[int, ...]
    words: str


@dataclass(frozen=True)
class TeamLook:
    """Looks of one user at one child for one reason on one day; `numbers`: of their events in the ledger."""

    numbers: tuple[int, ...]
    first: str
    last: str
    who: str
    manager: str | None
    reference: str
    why: str
    case: str
    marks: tuple[Mark, ...]

    @property
    def state(self) -> str:
        """`answered`, `questioned`, `seen` or `new`: the strongest word that was said."""
        said = {mark.kind for mark in self.marks}
        for kind, state in ((ANSWERED, "answered"), (QUESTIONED, "questioned"), (SEEN, "seen")):
            if kind in said:
                return state
        return "new"


def looks_of_day(
    index: DisclosureIndex, ledger: Ledger, day: date, managers: Mapping[str, str | None]
) -> list[TeamLook]:
    """Every look of a day at children of others, oldest first.

    `managers`: who is told of a user's looks, for events that do not say it themselves.
    """
    on = day.isoformat()
    with index.opened() as answers:
        _, places = answers.looks(Looks(since=on, until=on, most=_MOST))
        found = [event for event in answers.events(iter(places)) if _is_of_others(event)]
    return _together(found, list(marks(ledger)), managers)


def looks_of(index: DisclosureIndex, ledger: Ledger, numbers: Collection[int]) -> list[TeamLook]:
    """The looks with these numbers in the ledger, whatever their day."""
    with index.opened() as answers:
        _, places = answers.looks(Looks(numbers=sorted(numbers), most=_MOST))
        found = [event for event in answers.events(iter(places)) if _is_of_others(event)]
    return _together(found, list(marks(ledger)), {})


def by_manager(found: Collection[TeamLook]) -> list[dict[str, Any]]:
    """How many looks each manager is told of, and how many wait; names nobody who was looked at."""
    managers = sorted({look.manager or "" for look in found})
    return [
        {
            "manager": manager or "nobody is told",
            "looks": sum((look.manager or "") == manager for look in found),
            "waiting": sum(
                (look.manager or "") == manager and look.state == "new" for look in found
            ),
        }
        for manager in managers
    ]


def marks(ledger: Ledger) -> Iterator[Mark]:
    """Every mark, oldest first: kinds stand in clear in the ledger's lines, so only these are opened."""
    path = ledger.directory / EVENTS_FILE
    if not path.is_file() or not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        for match in _MARKS.finditer(text):
            start = text.rfind(b"\n", 0, match.start()) + 1
            end = text.find(b"\n", match.end())
            if end >= 0:
                yield _mark(_opened(ledger, text[start : end + 1]))


def questions(all_marks: Collection[Mark]) -> list[Mark]:
    """Questions to the officer that nobody has answered yet, oldest first."""
    answered = {number for mark in all_marks if mark.kind == ANSWERED for number in mark.looks}
    asked = (mark for mark in all_marks if mark.kind == QUESTIONED)
    return [mark for mark in asked if not answered.issuperset(mark.looks)]


def _opened(ledger: Ledger, line: bytes) -> dict[str, Any]:
    """The event of a line, checked against its hash. Raises LedgerDamagedError."""
    parts = parts_of(line)
    if parts is None or sha256_hex(parts[2].encode() + parts[0]) != parts[1]:
        raise LedgerDamagedError("a line of the ledger was changed; run: ffp ledger verify")
    return ledger.opened(json.loads(parts[0]))


def _mark(event: Mapping[str, Any]) -> Mark:
    facts = event["facts"]
    looks = tuple(facts["looks"])
    return Mark(
        event["number"], event["kind"], time_of(event), facts["who"], looks, facts.get("words", "")
    )


def _is_of_others(event: Mapping[str, Any]) -> bool:
    right = event["facts"].get("right")
    return bool(event["kind"] == "read" and right == Right.VIEW_OFF_CASELOAD.value)


def _together(
    events: list[dict[str, Any]], said: list[Mark], managers: Mapping[str, str | None]
) -> list[TeamLook]:
    groups = defaultdict[tuple[str, str, str], list[dict[str, Any]]](list)
    for event in sorted(events, key=lambda each: int(each["number"])):
        facts = event["facts"]
        for reference in facts["subjects"]:
            groups[facts["who"], reference, facts["reason"] or ""].append(event)
    return [
        _look(who, reference, reason, of, said, managers)
        for (who, reference, reason), of in groups.items()
    ]


def _look(
    who: str,
    reference: str,
    reason: str,
    events: list[dict[str, Any]],
    said: list[Mark],
    managers: Mapping[str, str | None],
) -> TeamLook:
    numbers = tuple(event["number"] for event in events)
    parts = _CASE.fullmatch(reason)
    return TeamLook(
        numbers=numbers,
        first=time_of(events[0]),
        last=time_of(events[-1]),
        who=who,
        manager=events[0]["facts"].get("manager", managers.get(who)),
        reference=reference,
        why=parts["why"] if parts else reason or "no reason given",
        case=parts["case"] if parts else "none given",
        marks=tuple(mark for mark in said if set(mark.looks) & set(numbers)),
    )
