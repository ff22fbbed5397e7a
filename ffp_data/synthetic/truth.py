"""What is true, for measuring: persons, households, which record is which person, planted
faults, and each child's involvement by service. None of it is ever read by the hub."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ffp_data.synthetic.care import EarlyHelp
from ffp_data.synthetic.people import Family, Member, household_id
from ffp_data.synthetic.scene import Scene, Truth
from ffp_data.synthetic.writing import text

Row = tuple[str, ...]
PERSONS = (
    "person_id", "household_id", "family_id", "mother_id", "father_id", "twin_group", "birth_date", "sex", "ethnicity",
    "name_tradition", "is_child", "unborn", "adopted", "looked_after",
)  # fmt: skip
HOUSEHOLDS = (
    "household_id",
    "family_id",
    "address_line",
    "postcode",
    "uprn",
    "in_area",
    "persons",
    "children",
)
RECORDS = ("record_key", "person_id", "operators")
FAULTS = ("feed", "table", "source_person_id", "person_id", "fault", "explains")
CASES = ("kind", "record_key", "person_id", "since", "detail")
SESSIONS = ("person_id", "attendance_code", "sessions")
INVOLVEMENT = ("person_id", "service", "start_date", "end_date", "outcome")


@dataclass
class People:
    """Rows about persons, households and involvement, gathered unit by unit."""

    persons: list[Row] = field(default_factory=list)
    households: list[Row] = field(default_factory=list)
    involvement: list[Row] = field(default_factory=list)
    children: int = 0

    def add(self, scene: Scene) -> None:
        """Add a unit."""
        homes: dict[str, tuple[Family, Member, list[Member]]] = {}
        for family, member in scene.unit.each():
            person = member.person
            home = household_id(member.home)
            adoption = "new" if person.adopted else "old" if person.adopted_away_on else ""
            self.children += person.is_child and not person.adopted_away_on
            values = (
                person.person_id, home, family.family_id, person.mother_id, person.father_id, person.twin_group,
                person.birth, person.sex, person.ethnicity, person.tradition, person.is_child, person.unborn, adoption,
                scene.in_care(person),
            )  # fmt: skip
            self.persons.append(tuple(map(text, values)))
            homes.setdefault(home, (family, member, []))[2].append(member)
            if person.is_child:
                self._involvement(scene, member)
        for home, (family, first, members) in homes.items():
            address = first.home
            under = sum(m.person.is_child for m in members)
            self.households.append(
                tuple(
                    map(
                        text,
                        (
                            home,
                            family.family_id,
                            address.line,
                            address.postcode,
                            address.uprn,
                            not address.outside,
                            len(members),
                            under,
                        ),
                    )
                )
            )

    def _involvement(self, scene: Scene, member: Member) -> None:
        for phase in scene.phases(member.person):
            rows: list[tuple[object, ...]]
            if isinstance(phase, EarlyHelp):
                rows = [("early_help", phase.start, phase.end, phase.reason)]
            else:
                rows = [
                    (
                        "child_in_need" if not phase.nfa else "referral_nfa",
                        phase.referral,
                        phase.closed,
                        phase.reason,
                    )
                ]
                if phase.enquiry:
                    rows.append(
                        (
                            "section_47",
                            phase.enquiry.start,
                            phase.enquiry.end,
                            "conference" if phase.enquiry.conference_due else "no conference",
                        )
                    )
                if phase.protection:
                    rows.append(
                        (
                            "child_protection",
                            phase.protection.start,
                            phase.protection.end,
                            phase.protection.latest_category,
                        )
                    )
                if phase.care:
                    rows.append(
                        ("looked_after", phase.care.start, phase.care.end, phase.care.end_reason)
                    )
            self.involvement += [tuple(map(text, (member.person.person_id, *row))) for row in rows]


def write(
    folder: Path, people: People, book: Truth, sessions: Iterable[tuple[str, str, int]]
) -> None:
    """Write the seven tables of truth; `sessions`: person, attendance code and how many this school year."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "persons.csv", PERSONS, people.persons)
    _write(folder / "households.csv", HOUSEHOLDS, people.households)
    _write(folder / "record_person.csv", RECORDS, book.records)
    _write(folder / "planted_faults.csv", FAULTS, book.faults)
    _write(folder / "programme_cases.csv", CASES, book.cases)
    _write(folder / "involvement.csv", INVOLVEMENT, people.involvement)
    _write(folder / "sessions.csv", SESSIONS, (tuple(map(text, row)) for row in sessions))


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
