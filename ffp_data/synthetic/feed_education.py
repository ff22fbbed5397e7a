"""The schools' nightly file: pupils (one row for each enrolment of the last twelve months) and
session marks, a file for each half term and one with its late corrections. The pupil file begins
with a byte order mark; a few dates are written another way; a few lines can't be read at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.csv as pacsv

from ffp_data.synthetic import numbers
from ffp_data.synthetic.attendance import Enrolment, Marks, half_term_marks, session_counts
from ffp_data.synthetic.noise import Origin, Sighting, origin, see
from ffp_data.synthetic.people import Family, Member, Person
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.school_rolls import Span, academic_year, spans, year_group
from ffp_data.synthetic.school_terms import school_days
from ffp_data.synthetic.writing import Landing, Table, british, headers, stamp

FEED, SYSTEM = "education_attendance", "mis"
KEY = 30
UPN_AGE = 4  # a school gives the UPN when a child first joins a roll


@dataclass(frozen=True)
class Pupil:
    """What all schools of a child hold alike. pace: rates of illness a week, unexplained days and lateness."""

    member: Member
    upn: str
    former_upn: str
    fault: tuple[str, str] | None  # what was done to the UPN, and the rules that it may trip
    sen: str
    free_meals: bool
    pace: tuple[float, float, float]


@dataclass(frozen=True)
class Enrolled:
    """A pupil on a roll as the school has them: what its census and its transfer files are made from."""

    pupil: Pupil
    span: Span
    seen: Sighting
    marks: Enrolment


@dataclass
class Education:
    """Collects pupils and enrolments of all units, then writes the files."""

    truth: Truth
    seed: int
    pupils: Table = field(default_factory=lambda: Table(FEED, "pupils"))
    enrolled: list[Enrolled] = field(default_factory=list)
    year_start: date = date.max

    def add(self, scene: Scene) -> None:
        """Add the pupils of a unit."""
        self.year_start = scene.year_start
        rng = scene.rng(FEED)
        for family in scene.unit.families:
            offices: dict[str, Origin] = {}  # siblings at one school were entered by one office
            for member in family.children:
                person = member.person
                independent = rng.random() >= rates("education")["state_school"]
                if not (person.unborn or person.adopted_away_on or independent):
                    self._child(rng, scene, family, offices, member)

    def _child(
        self, rng: Random, scene: Scene, family: Family, offices: dict[str, Origin], member: Member
    ) -> None:
        found = list(spans(rng, family, member, scene.year_start, scene.as_at))
        if not found:
            return
        pupil = _pupil(rng, scene, family, member)
        for number, span in enumerate(found):
            key = str(local_id(member.person.serial, KEY + number))
            first_here = origin(rng, FEED, member.moved_on, scene.as_at)
            office = offices.setdefault(span.school.urn, first_here)
            seen = self._enrolment(rng, scene, family, office, pupil, span, key)
            marks = _enrolment(self.seed, scene, pupil, span, key)
            self.enrolled.append(Enrolled(pupil, span, seen, marks))

    def _enrolment(
        self,
        rng: Random,
        scene: Scene,
        family: Family,
        office: Origin,
        pupil: Pupil,
        span: Span,
        key: str,
    ) -> Sighting:
        person, source_id = pupil.member.person, f"{span.school.urn}:{key}"
        seen = see(rng, office, pupil.member, siblings(family, person))
        if pupil.fault:
            seen.operators.append(pupil.fault[0])
            self.truth.fault(FEED, "pupils", source_id, person.person_id, *pupil.fault)
        year = year_group(person.birth, span.last or scene.as_at)
        self.pupils.add(
            school_urn=span.school.urn, pupil_key=key, upn=pupil.upn, former_upn=pupil.former_upn,
            forename=seen.given, middle_names=seen.middle, surname=seen.surname, preferred_forename=person.preferred,
            former_surname=person.former.surname if person.former and rng.random() < 0.3 else "",
            date_of_birth=_written(rng, seen.birth or person.birth), sex=seen.sex, address_line_1=seen.address_line,
            postcode=seen.postcode, uprn=seen.uprn if rng.random() < 0.5 else "",
            ethnicity=person.ethnicity if rng.random() < 0.97 else "REFU", sen_provision=pupil.sen,
            fsm_eligible=pupil.free_meals, looked_after=scene.in_care(person), nc_year_actual=str(year or "R"),
            la_code="999", laestab=span.school.laestab, admission_date=span.first, leaving_date=span.last,
            enrol_status=span.status,
        )  # fmt: skip
        self.truth.record(FEED, SYSTEM, source_id, person.person_id, seen.operators)
        return seen

    def on_roll(self, scene: Scene) -> set[str]:
        """Return the children of a unit, made before, who are on a roll on the as-at date."""
        here = scene.unit.members
        found = set()
        for each in reversed(self.enrolled):
            person_id = each.pupil.member.person.person_id
            if person_id not in here:
                break  # enrolments stand unit by unit
            if each.span.last is None:
                found.add(person_id)
        return found

    def sessions(self, as_at: date) -> list[tuple[str, str, int]]:
        """Person, attendance code, and how many sessions of this school year truly had it."""
        first = date(academic_year(as_at), 9, 1)
        told = session_counts(self.roll, school_days(max(first, self.year_start), as_at), as_at)
        total: Counter[tuple[str, str]] = Counter()
        for enrolment, codes in zip(self.roll, told, strict=True):
            total.update({(enrolment.person_id, code): count for code, count in codes.items()})
        return [(*key, count) for key, count in sorted(total.items())]

    @property
    def roll(self) -> list[Enrolment]:
        """Every enrolment, to make marks from."""
        return [each.marks for each in self.enrolled]

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the pupil file and two files of marks for each half term."""
        extra = self._broken_pupils()
        content = self.pupils.csv_bytes("utf-8-sig", "\r\n", extra)
        name = f"attendance_pupils_999_all_{stamp(as_at)}_001.csv"
        landing.put(FEED, "pupils", name, content, len(self.pupils.rows) + len(extra))
        for marks in half_term_marks(self.roll, school_days(self.year_start, as_at), as_at):
            self._write_marks(landing, marks, as_at)

    def _write_marks(self, landing: Landing, marks: Marks, as_at: date) -> None:
        corrected_by = min(marks.last_day + timedelta(days=4), as_at)
        files: tuple[tuple[pa.Table, date, list[str]], ...] = (
            (marks.table, marks.last_day, self._broken_mark(marks)),
            (marks.corrections, corrected_by, []),
        )
        for number, (table, day, broken) in enumerate(files, start=1):
            name = f"attendance_marks_999_all_{stamp(day)}_{number:03d}.csv"
            _write_table(landing.root / FEED / name, table, broken)
            landing.count(FEED, "marks", table.num_rows + len(broken))
        for source_id, person_id, kind in marks.bad:
            self.truth.fault(FEED, "marks", source_id, person_id, kind, "quarantine")

    def _broken_pupils(self) -> list[str]:
        """Lines that no reader may load: too few fields, a date that doesn't exist, no surname."""
        if not self.pupils.rows:
            return []
        names, row = headers(FEED, "pupils"), self.pupils.rows[0]
        plain = {n: v for n, v in zip(names, row, strict=True) if not {",", '"'} & set(v)}
        changes = {
            "too_few_fields": {"pupil_key": "90000001"},
            "impossible_date": {"pupil_key": "90000002", "date_of_birth": "2014-02-30"},
            "missing_surname": {"pupil_key": "90000003", "surname": ""},
        }
        lines = []
        for fault, change in changes.items():
            values = plain | {"upn": "", "former_upn": ""} | change
            fields = [values.get(n, "") for n in names]
            lines.append(",".join(fields[:5] if fault == "too_few_fields" else fields))
            self.truth.fault(
                FEED, "pupils", f"{row[0]}:{change['pupil_key']}", "", fault, "quarantine"
            )
        return lines

    def _broken_mark(self, marks: Marks) -> list[str]:
        """One line with a field too many in each half term."""
        first, day = self.roll[0], marks.last_day
        source_id = f"{first.urn}:{first.pupil_key}"
        self.truth.fault(FEED, "marks", source_id, first.person_id, "too_many_fields", "quarantine")
        return [f"{first.urn},{first.pupil_key},{day},AM,/,,,{day}T09:00:00Z,extra"]


def _pupil(rng: Random, scene: Scene, family: Family, member: Member) -> Pupil:
    needs = bool(scene.needs(member.person))
    sen = rng.choices("NKE", cum_weights=(0.66, 0.9, 1.0) if needs else (0.82, 0.96, 1.0))[0]
    troubled = needs and rng.random() < rates("education")["persistent_need"]
    upn, former, fault = _upn(rng, family, member.person)
    return Pupil(
        member,
        upn,
        former,
        fault,
        sen,
        rng.random() < (0.6 if needs else 0.24),
        _pace(rng, troubled),
    )


def _upn(rng: Random, family: Family, person: Person) -> tuple[str, str, tuple[str, str] | None]:
    """Return UPN, former UPN and the fault put in."""
    chance = rates("education")
    twins = siblings(family, person, twins=True)
    if twins and rng.random() < chance["twin_upn"]:
        return twins[0].upn, "", ("upn_of_twin", "1520 TE003")
    if rng.random() < chance["temporary_upn"]:
        year = person.birth.year + UPN_AGE
        return (
            person.upn,
            numbers.upn(person.serial, 1 + person.serial % 3, year, temporary=True),
            None,
        )
    if rng.random() < chance["wrong_check_letter"]:
        return numbers.wrong_upn(person.upn), "", ("upn_check_letter", "1510 TE002 8770Q TE004")
    return person.upn, "", None


def _pace(rng: Random, troubled: bool) -> tuple[float, float, float]:
    """Most children miss little; of those with a case half miss much, and some of these half of all sessions."""
    illness = min(0.4, rng.expovariate(1 / (0.09 if troubled else 0.055)))
    late = min(0.3, rng.expovariate(1 / (0.05 if troubled else 0.015)))
    much = rng.choice((0.04, 0.08, 0.12, 0.2, 0.55))
    return illness, much if troubled else min(0.5, rng.expovariate(1 / 0.012)), late


def _enrolment(seed: int, scene: Scene, pupil: Pupil, span: Span, key: str) -> Enrolment:
    person = pupil.member.person
    mixed = (
        person.serial * 0x9E3779B97F4A7C15
        + int(key) * 0xBF58476D1CE4E5B9
        + seed * 0x94D049BB133111EB
    )
    last_year = year_group(person.birth, scene.year_start) == 11
    return Enrolment(
        span.school.urn, key, person.person_id, mixed % 2**64, span.first, span.last or scene.as_at, *pupil.pace,
        span.status, last_year,
    )  # fmt: skip


def _written(rng: Random, birth: date) -> str:
    if rng.random() >= rates("education")["odd_date_format"]:
        return birth.isoformat()
    return british(birth) if rng.random() < 0.7 else f"{birth:%Y%m%d}"


def _write_table(path: Path, table: pa.Table, broken: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write((",".join(headers(FEED, "marks")) + "\n").encode())
        pacsv.write_csv(table, file, pacsv.WriteOptions(include_header=False, quoting_style="none"))
        file.writelines((line + "\n").encode() for line in broken)
