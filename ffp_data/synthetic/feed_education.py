"""The schools' nightly file: pupils (one row for each enrolment of the last twelve months) and
session marks, a file for each half term with its corrections. Children move school when they
grow from primary to secondary, when the family moves, or in mid year; some are registered at
two schools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from random import Random

import pyarrow.csv as pacsv

from ffp_data.synthetic import numbers
from ffp_data.synthetic.attendance import Enrolment, half_term_marks
from ffp_data.synthetic.noise import Origin, Sighting, origin, see
from ffp_data.synthetic.people import Family, Member, Person, age_at, shift
from ffp_data.synthetic.places import School, schools_near
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.school_terms import school_days
from ffp_data.synthetic.writing import Landing, Table, british, headers, stamp

FEED, SYSTEM = "education_attendance", "mis"
KEY = 7_919_191


@dataclass(frozen=True, slots=True)
class Span:
    """Time on one roll."""

    school: School
    first: date
    last: date | None
    status: str = "C"


@dataclass
class Education:
    """Collects pupils and enrolments of all units, then writes the files."""

    truth: Truth
    seed: int
    pupils: Table = field(default_factory=lambda: Table(FEED, "pupils"))
    roll: list[Enrolment] = field(default_factory=list)

    def add(self, scene: Scene) -> None:
        """Add the pupils of a unit."""
        rng = scene.rng(FEED)
        for family in scene.unit.families:
            offices: dict[str, Origin] = {}  # siblings at one school were entered by one office
            for member in family.children:
                self._child(rng, scene, family, offices, member)

    def _child(
        self, rng: Random, scene: Scene, family: Family, offices: dict[str, Origin], member: Member
    ) -> None:
        person, chance = member.person, rates("education")
        if person.unborn or person.adopted_away_on or rng.random() >= chance["state_school"]:
            return
        spans = list(_spans(rng, scene, family, member))
        if not spans:
            return
        needs = scene.needs(person)
        troubled = bool(needs) and rng.random() < chance["persistent_need"]
        pace = _pace(rng, troubled)
        sen = rng.choices("NKE", cum_weights=(0.66, 0.9, 1.0) if needs else (0.82, 0.96, 1.0))[0]
        fsm = rng.random() < (0.6 if needs else 0.24)
        upn, former, fault = _upn(rng, family, person)
        for n, span in enumerate(spans):
            office = offices.setdefault(
                span.school.urn, origin(rng, FEED, family.moved_on, scene.as_at)
            )
            seen = see(rng, office, member, siblings(family, person))
            seen.upn = upn
            key = f"{local_id(person.serial, KEY + 10 * n)}"
            if fault:
                seen.operators.append(fault[0])
                self.truth.fault(
                    FEED, "pupils", f"{span.school.urn}:{key}", person.person_id, *fault
                )
            self._pupil(rng, scene, person, seen, span, key, former, sen, fsm)
            self._roll(scene, person, span, key, pace)

    def _pupil(
        self,
        rng: Random,
        scene: Scene,
        person: Person,
        seen: Sighting,
        span: Span,
        key: str,
        former: str,
        sen: str,
        fsm: bool,
    ) -> None:
        odd = rng.random() < rates("education")["odd_date_format"]
        birth = seen.birth or person.birth
        written = (
            british(birth)
            if odd and rng.random() < 0.7
            else f"{birth:%Y%m%d}"
            if odd
            else birth.isoformat()
        )
        year = _year_group(person.birth, span.last or scene.as_at)
        self.pupils.add(
            school_urn=span.school.urn, pupil_key=key, upn=seen.upn, former_upn=former, forename=seen.given,
            middle_names=seen.middle, surname=seen.surname, preferred_forename=person.preferred,
            former_surname=person.former.surname if person.former and rng.random() < 0.3 else "",
            date_of_birth=written, sex=seen.sex, address_line_1=seen.address_line, postcode=seen.postcode,
            uprn=seen.uprn if rng.random() < 0.5 else "",
            ethnicity=person.ethnicity if rng.random() < 0.97 else "REFU",
            sen_provision=sen, fsm_eligible=fsm, looked_after=scene.in_care(person),
            nc_year_actual="R" if year == 0 else str(year),
            la_code="999", laestab=span.school.laestab, admission_date=span.first, leaving_date=span.last,
            enrol_status=span.status,
        )  # fmt: skip
        self.truth.record(
            FEED, SYSTEM, f"{span.school.urn}:{key}", person.person_id, seen.operators
        )

    def _roll(
        self, scene: Scene, person: Person, span: Span, key: str, pace: tuple[float, float, float]
    ) -> None:
        seed = (
            person.serial * 0x9E3779B97F4A7C15
            + int(key) * 0xBF58476D1CE4E5B9
            + self.seed * 0x94D049BB133111EB
        ) % 2**64
        last = span.last or scene.as_at
        if last < scene.year_start:
            return
        june = _year_group(person.birth, scene.year_start) == 11
        self.roll.append(
            Enrolment(
                span.school.urn,
                key,
                person.person_id,
                seed,
                span.first,
                last,
                *pace,
                span.status,
                june,
            )
        )

    def write(self, landing: Landing, as_at: date, year_start: date) -> None:
        """Write the pupil file (with a byte order mark) and two files of marks for each half term."""
        extra = self._broken_pupils()
        content = self.pupils.csv_bytes("utf-8-sig", "\r\n", extra)
        landing.put(
            FEED,
            "pupils",
            f"attendance_pupils_999_all_{stamp(as_at)}_001.csv",
            content,
            len(self.pupils.rows) + len(extra),
        )
        for marks in half_term_marks(self.roll, school_days(year_start, as_at), as_at):
            delivered = min(marks.last_day, as_at)
            name = f"attendance_marks_999_all_{stamp(delivered)}"
            for number, table in enumerate((marks.table, marks.corrections), start=1):
                name = f"attendance_marks_999_all_{stamp(delivered, 1 if number == 1 else 5)}_{number:03d}.csv"
                broken = self._broken_marks(table.num_rows) if number == 1 else []
                _write_marks(landing.root / FEED / name, table, broken)
                landing.count(FEED, "marks", table.num_rows + len(broken))
            for source_id, person_id, code in marks.bad:
                kind = "unknown_code" if code in "!8" else "withdrawn_code"
                self.truth.fault(FEED, "marks", source_id, person_id, kind, "quarantine")

    def _broken_pupils(self) -> list[str]:
        """Lines that no reader may load: too few fields, a date that doesn't exist, no surname."""
        if not self.pupils.rows:
            return []
        width = len(headers(FEED, "pupils"))
        row = list(self.pupils.rows[0])
        names = headers(FEED, "pupils")
        lines = [",".join(["990101", "90000001", "", "", "Broken"])]
        for key, column, value in (
            ("90000002", "date_of_birth", "2014-02-30"),
            ("90000003", "surname", ""),
        ):
            changed = dict(
                zip(names, [c.replace(",", " ").replace('"', "") for c in row], strict=True)
            ) | {"upn": "", "former_upn": ""}
            changed |= {"pupil_key": key, column: value}
            lines.append(",".join(changed[n] for n in names))
        for key, fault in (
            ("90000001", f"fields_not_{width}"),
            ("90000002", "impossible_date"),
            ("90000003", "missing_surname"),
        ):
            self.truth.fault(
                FEED,
                "pupils",
                f"{row[0] if key != '90000001' else '990101'}:{key}",
                "",
                fault,
                "quarantine",
            )
        return lines

    def _broken_marks(self, rows: int) -> list[str]:
        """One line with a field too many in each large file."""
        if rows < 1000 or not self.roll:
            return []
        first = self.roll[0]
        self.truth.fault(
            FEED,
            "marks",
            f"{first.urn}:{first.pupil_key}",
            first.person_id,
            "fields_not_8",
            "quarantine",
        )
        return [f"{first.urn},{first.pupil_key},2025-09-31,AM,/,,,,extra"]


def _upn(rng: Random, family: Family, person: Person) -> tuple[str, str, tuple[str, str] | None]:
    """Return UPN, former UPN and the fault put in, with the rules it may trip."""
    chance = rates("education")
    twins = siblings(family, person, twins=True)
    if twins and rng.random() < chance["twin_upn"]:
        return twins[0].upn, "", ("upn_of_twin", "1520 TE003")
    if rng.random() < chance["temporary_upn"]:
        return (
            person.upn,
            numbers.upn(
                person.serial, 1 + person.serial % 3, person.birth.year + 4, temporary=True
            ),
            None,
        )
    if rng.random() < chance["wrong_check_letter"]:
        return numbers.wrong_upn(person.upn), "", ("upn_check_letter", "1510 TE002 8770Q TE004")
    return person.upn, "", None


def _year_group(birth: date, day: date) -> int:
    """Return the national curriculum year on a day; 0 is reception, negative before school."""
    autumn = day.year if day.month >= 9 else day.year - 1
    return age_at(birth, date(autumn, 8, 31)) - 4


def _pace(rng: Random, troubled: bool) -> tuple[float, float, float]:
    """Rates of illness per week, unexplained days and lateness; children with a case miss more school, some half of it."""
    illness = min(0.4, rng.expovariate(1 / (0.09 if troubled else 0.055)))
    if troubled:
        unexplained = rng.choice((0.04, 0.08, 0.12, 0.2, 0.55))
    else:
        unexplained = min(0.5, rng.expovariate(1 / 0.012))
    return illness, unexplained, min(0.3, rng.expovariate(1 / (0.05 if troubled else 0.015)))


def _spans(rng: Random, scene: Scene, family: Family, member: Member) -> Iterator[Span]:
    """Yield the rolls a child was on in the last twelve months, in order."""
    person, as_at, start = member.person, scene.as_at, scene.year_start
    autumn = as_at.year if as_at.month >= 9 else as_at.year - 1
    stays_on = rng.random() < rates("education")["post_16_on_roll"]
    arrived = family.moved_on if family.from_outside and member.in_home else None
    left = family.left_on if member.in_home else None
    spans: list[Span] = []
    for year in (autumn - 1, autumn):
        group = age_at(person.birth, date(year, 8, 31)) - 4
        if group < 0 or group > (13 if stays_on else 11):
            continue
        phase = "primary" if group <= 6 else "secondary"
        first, last = date(year, 9, 3), date(year + 1, 7, 22)
        if spans and spans[-1].school.phase == phase:
            spans[-1] = replace(spans[-1], last=last)
            continue
        town = member.address_on(shift(first, 30)).town
        began = max(
            first if group in (0, 7) else shift(first, -365 * min(group % 7, 3)),
            shift(person.birth, 365 * 4),
        )
        spans.append(Span(rng.choice(schools_near(town, phase)), began, last))
    for span in _moved(rng, spans, member, start, as_at):
        first = max(span.first, shift(arrived, 5)) if arrived else span.first
        last = min(span.last or as_at, left) if left else span.last
        last = None if last and last >= as_at else last
        if first <= as_at and first <= (last or as_at) and (last is None or last >= start):
            yield replace(span, first=first, last=last)


def _moved(
    rng: Random, spans: list[Span], member: Member, start: date, as_at: date
) -> Iterator[Span]:
    """Split a span where the family moved town or the child changed school in mid year; register a few at two schools."""
    chance = rates("education")
    for span in spans:
        on = (
            member.moved_on
            if member.moved_on and member.before and member.before.town != member.home.town
            else None
        )
        if on is None and rng.random() < chance["mid_year_move"]:
            on = shift(start, rng.randrange(30, 330))
        if on and span.first < on < min(span.last or as_at, as_at) and rng.random() < 0.7:
            yield replace(span, last=on)
            yield Span(
                rng.choice(schools_near(member.address_on(as_at).town, span.school.phase)),
                shift(on, rng.choice((0, 1, 4, 9))),
                span.last,
            )
        elif span.school.phase == "secondary" and rng.random() < chance["dual_registration"]:
            yield replace(span, status="M")
            yield Span(
                schools_near("", "other")[0], max(span.first, shift(start, 40)), span.last, "S"
            )
        else:
            yield span


def _write_marks(path: Path, table: object, broken: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write((",".join(headers(FEED, "marks")) + "\n").encode())
        pacsv.write_csv(table, file, pacsv.WriteOptions(include_header=False, quoting_style="none"))
        file.write("".join(line + "\n" for line in broken).encode())
