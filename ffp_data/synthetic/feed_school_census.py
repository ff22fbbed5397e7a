"""The school census: a file of each school with its pupils and their sessions of the term before. Made
from the register, as the school's system makes it; a few schools give no reasons, a few totals are
below the sum of their reasons, and now and then a file holds letters of another encoding than it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from ffp_data.feeds.registry import code_lists
from ffp_data.synthetic.attendance import session_counts
from ffp_data.synthetic.feed_education import Education, Enrolled
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.people import age_at, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth
from ffp_data.synthetic.school_rolls import academic_year
from ffp_data.synthetic.school_terms import HalfTerm, half_terms
from ffp_data.synthetic.writing import Landing, stamp
from ffp_data.synthetic.xml import Tree, document

FEED, SYSTEM = "school_census_attendance", "census"
COLLECTED_AFTER = 14  # days from census day to the day on which the council has the file
AGES = range(4, 16)  # attendance is collected of four year olds and of 5 to 15


@dataclass(frozen=True)
class Census:
    """A census day and the half terms that it tells of."""

    term: str
    day: date
    told: tuple[HalfTerm, ...]

    @property
    def first(self) -> date:
        return self.told[0].days[0]


@dataclass
class SchoolCensus:
    """Reads the register when all units are made, then writes a file for each school."""

    truth: Truth
    education: Education
    seed: int = 0
    schools: dict[str, list[tuple[Enrolled, dict[str, int]]]] = field(default_factory=dict)

    def add(self, scene: Scene) -> None:
        """Nothing to gather: the register has every pupil."""
        self.seed = scene.seed

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the files of the newest census that the council has on the as-at date."""
        census = latest(as_at)
        pupils = [e for e in self.education.enrolled if _is_in(e, census)]
        counts = session_counts([e.marks for e in pupils], census.told, as_at)
        for enrolled, sessions in zip(pupils, counts, strict=True):
            self.schools.setdefault(enrolled.span.school.laestab, []).append((enrolled, sessions))
        for laestab in sorted(self.schools):
            self._school(landing, census, laestab)

    def _school(self, landing: Landing, census: Census, laestab: str) -> None:
        rng, chance = stream(f"{self.seed}/{FEED}/{laestab}"), rates("census")
        with_reasons = rng.random() >= chance["no_reasons"]
        encoding = "cp1252" if rng.random() < chance["undeclared_encoding"] else "utf-8"
        on_roll: list[Tree] = []
        left: list[Tree] = []
        for upn, enrolled, sessions in _once(self.schools[laestab]):
            pupil = _pupil(upn, enrolled)
            if age_at(enrolled.pupil.member.person.birth, _31_august(census)) in AGES and sessions:
                pupil["Attendance"] = {
                    "TermlyAttendance": self._term(
                        rng, laestab, upn, sessions, with_reasons, enrolled
                    )
                }
            self._note(landing, laestab, upn, enrolled, pupil)
            gone = enrolled.span.last is not None and enrolled.span.last < census.day
            (left if gone else on_roll).append(pupil)
        content = document("Message", _message(census, laestab, on_roll, left), encoding)
        day = stamp(census.day, COLLECTED_AFTER)
        name = f"school_census_{laestab}_{census.term}_{day}_001.xml"
        landing.put(FEED, "pupils", name, content, len(on_roll) + len(left))

    def _term(
        self,
        rng: Random,
        laestab: str,
        upn: str,
        sessions: dict[str, int],
        with_reasons: bool,
        enrolled: Enrolled,
    ) -> dict[str, Any]:
        possible, _, authorised, unauthorised = session_totals(sessions)
        if authorised and rng.random() < rates("census")["totals_too_low"]:
            authorised -= 1
            person_id = enrolled.pupil.member.person.person_id
            self.truth.fault(
                FEED, "terms", _source_id(laestab, upn), person_id, "totals_too_low", ""
            )
        term: dict[str, Any] = {
            "SessionsPossible": possible, "SessionsAuthorised": authorised, "SessionsUnauthorised": unauthorised,
        }  # fmt: skip
        reasons = [
            {"AttendanceReason": code, "AbsenceSessions": count}
            for code, count in sorted(sessions.items())
            if _class(code) in ("authorised", "unauthorised")
        ]
        return term | ({"SessionDetails": {"SessionDetail": reasons}} if with_reasons else {})

    def _note(
        self, landing: Landing, laestab: str, upn: str, enrolled: Enrolled, pupil: Tree
    ) -> None:
        person_id = enrolled.pupil.member.person.person_id
        self.truth.record(
            FEED, SYSTEM, _source_id(laestab, upn), person_id, enrolled.seen.operators
        )
        term = pupil.get("Attendance", {}).get("TermlyAttendance")
        if term:
            landing.add_rows(FEED, "terms", 1)
            details = term.get("SessionDetails", {}).get("SessionDetail", [])
            landing.add_rows(FEED, "reasons", len(details))


def latest(as_at: date) -> Census:
    """Return the newest census that has been collected: January, May or October, each of the term before."""
    found: list[Census] = []
    for year in (as_at.year - 1, as_at.year):
        terms = half_terms(year - 1)
        found += [
            Census("SPR", _thursday(date(year, 1, 1), 3), terms[:2]),
            Census("SUM", _thursday(date(year, 5, 1), 3), terms[2:4]),
            Census("AUT", _thursday(date(year, 10, 1), 1), terms[4:]),
        ]
    return [c for c in found if shift(c.day, COLLECTED_AFTER) <= as_at][-1]


def own_upn(enrolled: Enrolled) -> str:
    """Return the UPN without a twin's in its place: such files come back from the check of the collection."""
    fault = enrolled.pupil.fault
    is_twins = fault is not None and fault[0] == "upn_of_twin"
    return enrolled.pupil.member.person.upn if is_twins else enrolled.pupil.upn


def session_totals(sessions: dict[str, int]) -> tuple[int, int, int, int]:
    """Return possible, attended, authorised and unauthorised sessions of counts by code."""
    attended = _sum(sessions, "present") + _sum(sessions, "approved_activity")
    authorised, unauthorised = _sum(sessions, "authorised"), _sum(sessions, "unauthorised")
    return attended + authorised + unauthorised, attended, authorised, unauthorised


def _thursday(first: date, which: int) -> date:
    return first + timedelta(days=(3 - first.weekday()) % 7 + 7 * (which - 1))


def _31_august(census: Census) -> date:
    return date(academic_year(census.first), 8, 31)


def _is_in(enrolled: Enrolled, census: Census) -> bool:
    span = enrolled.span
    return span.first <= census.day and (span.last is None or span.last >= census.first)


def _once(
    pupils: Sequence[tuple[Enrolled, dict[str, int]]],
) -> list[tuple[str, Enrolled, dict[str, int]]]:
    """Each pupil of a school once, with all sessions there: some leave and come back."""
    found: dict[str, tuple[Enrolled, dict[str, int]]] = {}
    for enrolled, sessions in pupils:
        upn = own_upn(enrolled)
        _, before = found.get(upn, (enrolled, {}))
        codes = sorted(before.keys() | sessions.keys())
        found[upn] = (enrolled, {c: before.get(c, 0) + sessions.get(c, 0) for c in codes})
    return [(upn, enrolled, sessions) for upn, (enrolled, sessions) in found.items()]


def _pupil(upn: str, enrolled: Enrolled) -> dict[str, Any]:
    seen, span = enrolled.seen, enrolled.span
    return {
        "UPN": upn, "FormerUPN": enrolled.pupil.former_upn, "Surname": seen.surname, "Forename": seen.given,
        "MiddleNames": seen.middle, "DOB": seen.birth, "Sex": seen.sex, "PostCode": seen.postcode,
        "EnrolStatus": span.status, "EntryDate": span.first, "LeavingDate": span.last,
    }  # fmt: skip


def _message(census: Census, laestab: str, on_roll: list[Tree], left: list[Tree]) -> Tree:
    collection = {
        "Collection": "School Census", "Term": census.term, "Year": census.day.year,
        "ReferenceDate": census.day,
    }  # fmt: skip
    source = {"SourceLevel": "L", "LEA": laestab[:3], "Estab": laestab[3:]}
    pupils: dict[str, Any] = {"PupilsOnRoll": {"PupilOnRoll": on_roll}}
    if left:
        pupils["PupilsNoLongerOnRoll"] = {"PupilNoLongerOnRoll": left}
    return {"Header": {"CollectionDetails": collection, "Source": source}, "Pupils": pupils}


def _class(code: str) -> str:
    """The statistical class of a code; none for what no register may hold."""
    entry = code_lists()["attendance_code"].values.get(code)
    is_current = isinstance(entry, dict) and "valid_to" not in entry
    return str(entry["statistical_class"]) if isinstance(entry, dict) and is_current else ""


def _sum(sessions: dict[str, int], kind: str) -> int:
    return sum(count for code, count in sessions.items() if _class(code) == kind)


def _source_id(laestab: str, upn: str) -> str:
    return f"{laestab[:3]}:{laestab[3:]}:{upn}"
