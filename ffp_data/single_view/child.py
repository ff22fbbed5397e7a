"""One child as the page shows them: every fact with its source and date, and no empty cell.

Rows of the published view become facts in words here; the template only lays them out. What is not there says
why, in one of few sentences, so that nobody takes silence for an answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ffp_data.serving.changes import FIRST_KNOWN
from ffp_data.single_view.published import Published
from ffp_data.single_view.words import (
    age_of,
    as_of,
    dated,
    day,
    feeds_of,
    name_of,
    source_words,
    words,
)


@dataclass(frozen=True)
class Fact:
    """A value in words, who said it and when; `is_absent`: the value says why there is none."""

    label: str
    value: str
    source: str
    as_of: str
    is_absent: bool = False


@dataclass(frozen=True)
class ChildPage:
    """Everything on a child's page, in the order in which it stands there."""

    child_id: str
    name: str
    age: str
    is_protected: bool
    open_to: tuple[str, ...]
    involvements: tuple[Mapping[str, Any], ...]
    flags: tuple[Mapping[str, Any], ...]
    events: tuple[Mapping[str, Any], ...]
    event_sources: Mapping[str, str]
    """The feeds of all events, not of those asked for alone, and how each is named."""
    event_types: Mapping[str, str]
    not_yet_known: int
    """Events that are left out since they were not known on the day asked for."""
    family: tuple[Mapping[str, Any], ...]
    attendance: tuple[Mapping[str, Any], ...]
    months: tuple[Mapping[str, Any], ...]
    clocks: tuple[Mapping[str, Any], ...]
    identity: tuple[Fact, ...]
    doubt: str | None
    as_at: str


@dataclass(frozen=True)
class Filters:
    """What of the chronology is wanted."""

    source: str | None = None
    since: date | None = None
    until: date | None = None
    event_type: str | None = None
    known_by: date | None = None
    """Only what the hub had been told on this day."""

    @property
    def is_any(self) -> bool:
        return self != Filters()


class UnknownChildError(Exception):
    """No such child in the view that counts."""


def child_page(
    view: Published,
    child_id: str,
    filters: Filters = Filters(),
    shielded: Collection[str] = (),
) -> ChildPage:
    """The page of a child; raises UnknownChildError. `shielded`: children hidden since the view was made."""
    found = view.rows("FROM children WHERE child_id = ?", [child_id])
    if not found:
        raise UnknownChildError(child_id)
    child, feeds = found[0], feeds_of(view)
    is_new = child_id in shielded  # the view does not hide this child's contacts yet
    is_protected = is_new or child["is_restricted"] or child_id in view.protected
    events = _of(view, "chronology", child_id, "ORDER BY event_date DESC, event_type, line")
    involvements = _of(view, "involvements", child_id, f"ORDER BY {_FIRST}")
    return ChildPage(
        child_id=child_id,
        name=name_of(child),
        age=age_of(child),
        is_protected=is_protected,
        open_to=tuple(words()["levels"][level] for level in child["is_open_to"] or ()),
        involvements=tuple(_involvement(_hidden(r) if is_new else r, feeds) for r in involvements),
        flags=tuple(
            _flag(r, feeds) for r in _of(view, "flags", child_id, "ORDER BY since DESC, flag")
        ),
        events=tuple(_event(r, feeds, is_new) for r in events if _wanted(r, filters)),
        event_sources={
            each: source_words(feeds, each) for each in sorted({r["source"] for r in events})
        },
        event_types={each: _plain(each) for each in sorted({r["event_type"] for r in events})},
        not_yet_known=sum(not _was_known(row, filters) for row in events),
        family=tuple(
            _relative({**r, "lives_with": None} if is_new else r, feeds)
            for r in _of(view, "family_members", child_id)
        ),
        attendance=tuple(_attendance(r, feeds) for r in _of(view, "attendance", child_id)),
        months=tuple(
            _month(r, feeds)
            for r in _of(view, "attendance_months", child_id, "ORDER BY session_month")
        ),
        clocks=tuple(
            _clock(r, feeds) for r in _of(view, "child_clocks", child_id, f"ORDER BY {_PRESSING}")
        ),
        identity=tuple(_identity(child, feeds, is_protected, view.as_at)),
        doubt=_doubt(child, view.confident_from),
        as_at=day(date.fromisoformat(view.as_at)),
    )


def _hidden(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """An involvement without what tells where the child is seen, as the view withholds it."""
    gone = dict.fromkeys(("contact_name", "contact_phone", "team"))
    return {**row, **gone, "is_contact_withheld": True}


_STATES = "['current', 'late', 'historic', 'not_shared', 'no_record_found', 'not_covered']"
_FIRST = f"array_position({_STATES}, state), service_label"


def _of(view: Published, table: str, child_id: str, order: str = "") -> list[dict[str, Any]]:
    return view.rows(f"FROM {table} WHERE child_id = ? {order}", [child_id])


def _involvement(row: Mapping[str, Any], feeds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    who = ", ".join(part for part in (row["contact_name"], row["team"]) if part)
    if row["is_contact_withheld"] and not who:
        contact = words()["absent"]["withheld_contact"]
    else:
        contact = who or words()["absent"]["no_contact" if row["state"] == "current" else "nobody"]
    return {
        "service": row["service_label"],
        "state": row["state"],
        "state_label": words()["states"][_state(row)],
        "words": dated(row["state_in_words"]),
        "more": dated(beyond_state(row)),
        "contact": contact,
        "phone": row["contact_phone"] or words()["absent"]["no_phone"],
        "since": day(row["since"]) if row["since"] else words()["absent"]["no_spell"],
        "until": day(row["until"]) if row["until"] else None,
        "source": source_words(feeds, row["source"]),
        "as_of": day(row["as_of"]),
    }


def beyond_state(row: Mapping[str, Any]) -> str:
    """What the words of an involvement say that its state does not; empty where that is nothing."""
    told: str = row["state_in_words"]
    return told.removeprefix(words()["said_by_state"].get(_state(row), "")).removeprefix("; ")


def _state(row: Mapping[str, Any]) -> str:
    """The state as it is said: a service that has a record and no spell of work has only registered the child."""
    is_registered = row["state"] == "historic" and row["since"] is None
    return "registered" if is_registered else str(row["state"])


def _flag(row: Mapping[str, Any], feeds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "rule": row["rule_in_words"],
        "facts": dated(row["facts"]),
        "since": day(row["since"]),
        "source": source_words(feeds, row["source"]),
        "as_of": day(row["as_of"]),
    }


def _wanted(row: Mapping[str, Any], filters: Filters) -> bool:
    wanted = filters.source in (None, row["source"]) and filters.event_type in (
        None,
        row["event_type"],
    )
    begins = filters.since is None or row["event_date"] >= filters.since
    ends = filters.until is None or row["event_date"] <= filters.until
    return wanted and begins and ends and _was_known(row, filters)


def _was_known(row: Mapping[str, Any], filters: Filters) -> bool:
    return filters.known_by is None or row[FIRST_KNOWN] <= filters.known_by


def _plain(event_type: str) -> str:
    """A kind of event as people read it."""
    own: str | None = words()["event_types"].get(event_type)
    return own or event_type.replace("_", " ").capitalize()


def _event(
    row: Mapping[str, Any], feeds: Mapping[str, Mapping[str, Any]], is_new: bool
) -> dict[str, Any]:
    """An event; of a child hidden since the view was made, its kind alone, since words may tell a school."""
    return {
        "date": day(row["event_date"]),
        "iso": row["event_date"].isoformat(),
        "summary": _plain(row["event_type"]) if is_new else dated(row["summary"]),
        "source": source_words(feeds, row["source"]),
        "is_confident": row["is_confident"],
        "known": day(row[FIRST_KNOWN]),
    }


_PRESSING = "NOT is_pressing, stop_date IS NOT NULL, due_date NULLS LAST, start_date, clock"


def _clock(row: Mapping[str, Any], feeds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    absent = words()["absent"]
    return {
        "what": words()["clocks"][row["clock"]],
        "state": dated(row["state_in_words"]),
        "is_pressing": row["is_pressing"],
        "start": day(row["start_date"]) if row["start_date"] else absent["no_start_date"],
        "due": day(row["due_date"]) if row["due_date"] else absent["no_due_date"],
        "stop": day(row["stop_date"]) if row["stop_date"] else None,
        "is_confident": row["is_confident"],
        "source": source_words(feeds, row["source"]),
        "as_of": as_of(feeds, row["source"]),
    }


_CLASSES = ("present", "authorised", "unauthorised", "not_possible")


def _month(row: Mapping[str, Any], feeds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    month: date = row["session_month"]
    counts = {each: row[f"{each}_session_count"] for each in _CLASSES}
    return {
        "month": f"{month:%B %Y}",
        "short": f"{month:%b}",
        **counts,
        "total": sum(counts.values()),
        "source": source_words(feeds, row["source"]),
        "last": day(row["last_session_date"]),
    }


def _relative(row: Mapping[str, Any], feeds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    absent = words()["absent"]
    lives = {True: "lives with the child", False: "lives elsewhere"}.get(
        row["lives_with"], absent["household"]
    )
    return {
        "name": row["related_name"] or absent["name"],
        "child_id": row["related_child_id"],
        "born": day(row["related_date_of_birth"]),
        "relationship": row["relationship"],
        "lives": lives,
        "since": day(row["from_date"]),
        "until": day(row["to_date"]) if row["to_date"] else None,
        "source": source_words(feeds, row["source"]),
        "as_of": as_of(feeds, row["source"]),
    }


def _attendance(row: Mapping[str, Any], feeds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    possible, absent = row["possible_session_count"], row["absent_session_count"]
    level = (
        "severely absent"
        if row["is_severely_absent"]
        else "persistently absent"
        if row["is_persistently_absent"]
        else None
    )
    return {
        "window": words()["windows"].get(
            row["attendance_window"], row["attendance_window"].replace("_", " ")
        ),
        "possible": possible,
        "absent": absent,
        "share": f"{100 * absent / possible:.0f} %" if possible else "no session was possible",
        "unauthorised": row["unauthorised_session_count"],
        "level": level
        or (
            "not persistently absent"
            if row["is_persistently_absent"] is False
            else words()["absent"]["few_sessions"]
        ),
        "is_high": bool(level),
        "last": day(row["last_session_date"]),
        "told": (
            f"up to {day(row['last_session_date'])}"
            if row["last_session_date"]
            else as_of(feeds, row["source"])
        ),
        "source": source_words(feeds, row["source"]),
    }


def _identity(
    child: Mapping[str, Any], feeds: Mapping[str, Mapping[str, Any]], is_protected: bool, as_at: str
) -> list[Fact]:
    absent = words()["absent"]
    asked = day(date.fromisoformat(as_at))

    def fact(label: str, value: str | None, of: str, why: str = "value") -> Fact:
        if not value:
            return Fact(label, absent[why], "all feeds that are shared", asked, is_absent=True)
        return Fact(
            label, value, source_words(feeds, child[f"{of}_source"]), day(child[f"{of}_as_of"])
        )

    place = "protected" if is_protected else "value"
    status = words()["nhs_number_status"].get(
        child["nhs_number_status"], words()["nhs_number_status"]["other"]
    )
    nhs = f"{_spaced(child['nhs_number'])}, {status}" if child["nhs_number"] else None
    address = ", ".join(part for part in (child["address_line"], child["postcode"]) if part)
    return [
        fact("Birth date", day(child["date_of_birth"]) if child["date_of_birth"] else None, "date_of_birth"),
        fact("Sex", words()["sex"].get(child["sex"], child["sex"]), "sex"),
        fact("Address", None if is_protected else address, "address", place),
        fact("School", None if is_protected else _school(child["school_urn"]), "school", place),
        fact("NHS number", nhs, "nhs_number"),
        fact("Unique pupil number", child["upn"], "upn"),
        Fact(
            "Other surnames",
            ", ".join(child["former_surnames"] or ()) or absent["no_other_name"],
            "all feeds that are shared", asked, is_absent=not child["former_surnames"],
        ),
    ]  # fmt: skip


def _school(urn: str | None) -> str | None:
    return f"School with URN {urn}" if urn else None


def _spaced(number: str) -> str:
    return f"{number[:3]} {number[3:6]} {number[6:]}"


def _doubt(child: Mapping[str, Any], confident_from: float) -> str | None:
    """What is doubtful about who the records are of, in words; None when nothing is."""
    least = child["link_confidence_min"]
    doubts: Sequence[str] = [
        *(
            ["two different NHS numbers are recorded"]
            if child["has_conflicting_nhs_numbers"]
            else []
        ),
        *(
            [f"one of the {child['record_count']} records may be of somebody else"]
            if least is not None and least < confident_from
            else []
        ),
    ]
    return "; ".join(doubts) or None
