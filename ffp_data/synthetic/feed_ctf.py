"""Common Transfer Files: pupils who changed school within a school year, a file for each pair of
schools. A fifth of the schools still write version 23 (Gender, marks without commas); some pupils have a
number of the school's own in place of a UPN, and one has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from ffp_data.synthetic.attendance import session_counts
from ffp_data.synthetic.feed_education import Education, Enrolled
from ffp_data.synthetic.feed_school_census import own_upn, session_totals
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.people import shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth
from ffp_data.synthetic.school_rolls import academic_year, year_group
from ffp_data.synthetic.school_terms import school_days
from ffp_data.synthetic.writing import Landing, stamp
from ffp_data.synthetic.xml import Tree, document

FEED, SYSTEM = "ctf", "s2s"
UNKNOWN_SCHOOL = "XXXXXXX"
SENT_AFTER = 5  # days from leaving to the file


@dataclass(frozen=True)
class Move:
    """A pupil who left one school, and the rolls they were on up to then."""

    enrolled: Enrolled
    history: tuple[Enrolled, ...]
    left: date
    dest: str


@dataclass
class TransferFiles:
    """Reads the register when all units are made, then writes a file for each pair of schools."""

    truth: Truth
    education: Education
    seed: int = 0

    def add(self, scene: Scene) -> None:
        """Nothing to gather: the register has every pupil."""
        self.seed = scene.seed

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the files; in the first, one pupil without a UPN whom no reader may load."""
        pairs: dict[tuple[str, str], list[Move]] = {}
        for move in moves(self.education.enrolled, self.education.year_start, as_at):
            pairs.setdefault((move.enrolled.span.school.laestab, move.dest), []).append(move)
        for number, ((source, dest), found) in enumerate(sorted(pairs.items()), start=1):
            pupils = [self._pupil(landing, source, move, as_at) for move in found]
            if number == 1:
                pupils.append(self._nobody(landing, source, pupils[0]))
            sent = max(min(shift(move.left, SENT_AFTER), as_at) for move in found)
            name = f"{source}_CTF_{dest}_001_{stamp(sent, 0)}.xml"
            content = document("CTfile", _file(self.seed, source, dest, sent, pupils))
            landing.put(FEED, "pupils", name, content, len(pupils))

    def _pupil(self, landing: Landing, source: str, move: Move, as_at: date) -> dict[str, Any]:
        person, seen = move.enrolled.pupil.member.person, move.enrolled.seen
        rng = stream(f"{self.seed}/{FEED}/{source}/{person.person_id}")
        upn = own_upn(move.enrolled)
        if rng.random() < rates("transfer_file")["own_number"]:
            upn = f"TEMP{move.enrolled.marks.pupil_key}"
        source_id = f"{source[:3]}:{source[3:]}:{upn}"
        self.truth.record(FEED, SYSTEM, source_id, person.person_id, seen.operators)
        schools = [_school(each) for each in move.history]
        landing.add_rows(FEED, "years", 1)
        landing.add_rows(FEED, "schools", len(schools))
        basic = {
            "FormerUPN": move.enrolled.pupil.former_upn, "MiddleNames": seen.middle,
            "NCyearActual": str(year_group(person.birth, move.left) or "R"), "Ethnicity": person.ethnicity,
            "EnrolStatus": move.enrolled.span.status,
        }  # fmt: skip
        is_old = _is_old(self.seed, source)
        return {
            "UPN": upn, "Surname": seen.surname, "Forename": seen.given, "DOB": seen.birth,
            "Gender" if is_old else "Sex": seen.sex, "BasicDetails": basic,
            "Attendance": {"YearData": _year(move, as_at, is_old)}, "SchoolHistory": {"School": schools},
        }  # fmt: skip

    def _nobody(self, landing: Landing, source: str, like: Tree) -> dict[str, Any]:
        """A pupil without a UPN, with the lists of `like`: a row of each table that is set aside."""
        schools = like["SchoolHistory"]["School"][:1]
        landing.add_rows(FEED, "years", 1)
        landing.add_rows(FEED, "schools", 1)
        for table in ("pupils", "years", "schools"):
            source_id = f"{source[:3]}:{source[3:]}:"
            self.truth.fault(FEED, table, source_id, "", "no_upn", "quarantine")
        return {**like, "UPN": "", "SchoolHistory": {"School": schools}}


def moves(enrolled: Iterable[Enrolled], start: date, as_at: date) -> list[Move]:
    """Return who left a school within a school year from `start` on, each with the school they went to."""
    by_child: dict[str, list[Enrolled]] = {}
    for each in enrolled:
        if each.span.status == "C":
            by_child.setdefault(each.pupil.member.person.person_id, []).append(each)
    return [move for rolls in by_child.values() for move in _of_child(rolls, start, as_at)]


def _of_child(rolls: list[Enrolled], start: date, as_at: date) -> list[Move]:
    found = []
    for number, each in enumerate(rolls):
        left = each.span.last
        if left is None or not start <= left < as_at or (left.month, left.day) >= (7, 15):
            continue  # the great move of the summer is no feed of this hub's
        following = (
            rolls[number + 1].span.school.laestab if number + 1 < len(rolls) else UNKNOWN_SCHOOL
        )
        if following != each.span.school.laestab:
            found.append(Move(each, tuple(rolls[: number + 1]), left, following))
    schools = Counter(move.enrolled.span.school.laestab for move in found)
    return [move for move in found if schools[move.enrolled.span.school.laestab] == 1]


def _is_old(seed: int, source: str) -> bool:
    return stream(f"{seed}/{FEED}/{source}").random() < rates("transfer_file")["older_version"]


def _year(move: Move, as_at: date, is_old: bool) -> list[Tree]:
    began = academic_year(move.left)
    terms = school_days(date(began, 9, 1), move.left)
    (sessions,) = session_counts([move.enrolled.marks], terms, as_at)
    school = move.enrolled.span.school
    possible, attended, authorised, unauthorised = session_totals(sessions)
    marks = ("/", "\\") * 5
    return [
        {
            "Year": began + 1, "LEA": school.laestab[:3], "Estab": school.laestab[3:], "SchoolName": school.name,
            "SessionsPossible": possible, "SessionsAuthorised": authorised, "SessionsAttended": attended,
            "SessionsUnauthorised": unauthorised,
            "AttendSessions": {
                "AttendanceStartDate": date(began, 9, 1), "AttendanceMarks": ("" if is_old else ",").join(marks),
            },
        }
    ]  # fmt: skip


def _school(each: Enrolled) -> Tree:
    school = each.span.school
    return {
        "LEA": school.laestab[:3], "Estab": school.laestab[3:], "SchoolName": school.name,
        "EntryDate": each.span.first, "LeavingDate": each.span.last,
    }  # fmt: skip


def _file(seed: int, source: str, dest: str, sent: date, pupils: list[Any]) -> Tree:
    header = {
        "DocumentName": "Common Transfer File", "CTFversion": "23.0" if _is_old(seed, source) else "25.0",
        "DateTime": f"{sent}T15:30:00", "DocumentQualifier": "partial",
        "SourceSchool": {"LEA": source[:3], "Estab": source[3:]},
        "DestSchool": {"LEA": dest[:3], "Estab": dest[3:]},
    }  # fmt: skip
    return {"Header": header, "CTFpupilData": {"Pupil": pupils}}
