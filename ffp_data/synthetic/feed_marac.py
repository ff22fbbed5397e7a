"""The MARAC coordinator's list: cases whose marker still stands, with victim, perpetrator and children.
A case comes from an incident that police graded high, or from an assessment that found domestic abuse.
Forms are typed by many agencies: several children in one cell, an age in place of a date of birth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic.care import Story
from ffp_data.synthetic.feed_police import Police
from ffp_data.synthetic.noise import Sighting, origin, see
from ffp_data.synthetic.people import Family, Member, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, siblings
from ffp_data.synthetic.writing import Landing, Table, british, stamp

FEED, SYSTEM = "marac", "marac"
DOMESTIC_ABUSE = ("3A", "3B", "3C")  # factors found at assessment, CIN census
MARKER_DAYS = 365
COORDINATOR = ("Val Penrose", "01632 960180")
AGENCIES = ("Police", "Police", "Police", "Advocate (IDVA)", "Health", "Children's social care")


@dataclass(frozen=True)
class Case:
    """What every row of a case repeats."""

    ref: str
    referral: date
    meeting: date
    repeat: bool
    confidential: bool
    restricted: bool
    agency: str


@dataclass
class Marac:
    """Collects the people of all cases, then writes the list."""

    truth: Truth
    police: Police
    people: Table = field(default_factory=lambda: Table(FEED, "people"))
    cases: int = 0

    def add(self, scene: Scene) -> None:
        """Add the cases of a unit's families."""
        rng = scene.rng(FEED)
        for family in scene.unit.families:
            days = self._incidents(rng, scene, family)
            if days and rng.random() < rates("marac")["accepted"]:
                self._case(rng, scene, family, days)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the list as the coordinator's spreadsheet saves it: Windows-1252, CRLF."""
        name = f"marac_fenmarch_{stamp(as_at)}_001.csv"
        content = self.people.csv_bytes("cp1252", "\r\n")
        landing.put(FEED, "people", name, content, len(self.people.rows))

    def _incidents(self, rng: Random, scene: Scene, family: Family) -> list[date]:
        """Days of high-risk incidents whose conference has been held and whose marker stands."""
        days = list(self.police.high_risk.get(family.family_id, ()))
        assessed = _found_abuse(scene.stories[family.family_id])
        if not days and assessed and rng.random() < rates("marac")["after_assessment"]:
            days = [assessed]
        earliest, latest = shift(scene.as_at, 15 - MARKER_DAYS), shift(scene.as_at, -21)
        return sorted(day for day in days if earliest <= day <= latest)

    def _case(self, rng: Random, scene: Scene, family: Family, days: list[date]) -> None:
        chance, on = rates("marac"), days[-1]
        self.cases += 1
        referral = shift(on, rng.randint(0, 3))
        meeting = shift(referral, 7)
        meeting = shift(meeting, (3 - meeting.weekday()) % 7)  # conferences are held on Thursdays
        case = Case(
            f"FM{self.cases:05d}", referral, meeting, len(days) > 1,
            rng.random() < chance["address_confidential"], rng.random() < chance["restricted_case"],
            rng.choice(AGENCIES),
        )  # fmt: skip
        source = origin(rng, FEED, family.moved_on, scene.as_at)
        victim = next((m for m in family.adults if m.role == "mother"), family.adults[0])
        partner = next((m for m in family.adults if m.role in ("step_father", "father")), None)
        self._row(case, 1, "VICTIM", "", victim, see(rng, source, victim))
        number = 2
        if partner:
            tie = "PARTNER" if partner.in_home else "EX_PARTNER"
            self._row(case, number, "PERPETRATOR", tie, partner, see(rng, source, partner))
            number += 1
        self._children(rng, scene, family, case, number)

    def _children(self, rng: Random, scene: Scene, family: Family, case: Case, number: int) -> None:
        chance = rates("marac")
        living = [c for c in family.children if _lives_there(c, case.meeting)]
        if len(living) > 1 and rng.random() < chance["children_in_one_cell"]:
            self._one_cell(scene, case, number, living)
            return
        source = origin(rng, FEED, family.moved_on, scene.as_at)
        for n, child in enumerate(living, start=number):
            seen = see(rng, source, child, siblings(family, child.person))
            age = rng.random() < chance["age_for_birth_date"]
            self._row(case, n, "CHILD", "CHILD", child, seen, age=age)

    def _one_cell(self, scene: Scene, case: Case, number: int, children: list[Member]) -> None:
        """The fault of several children in one cell: nobody's row, which the hub sets aside."""
        told = ", ".join(f"{c.person.name.given} {c.person.age(scene.as_at)}" for c in children)
        self.people.add(
            **_case_columns(case), person_no=number, role="CHILD", relationship_to_victim="CHILD",
            forenames=told, surname=children[0].person.name.surname, address_confidential=case.confidential,
        )  # fmt: skip
        self.truth.fault(FEED, "people", f"{case.ref}:{number}", "", "children_in_one_cell", "quarantine")  # fmt: skip

    def _row(
        self, case: Case, number: int, role: str, tie: str, member: Member, seen: Sighting, *, age: bool = False
    ) -> None:  # fmt: skip
        """One person. A perpetrator's row, and one with an age for a birth date, is nobody's record."""
        person, key = member.person, f"{case.ref}:{number}"
        birth = british(seen.birth)
        if age:
            birth = str(person.age(case.meeting))
            self.truth.fault(FEED, "people", key, person.person_id, "age_for_birth_date", "not_a_date")  # fmt: skip
        self.people.add(
            **_case_columns(case), person_no=number, role=role,
            relationship_to_victim=tie, forenames=seen.given, surname=seen.surname, date_of_birth=birth, sex=seen.sex,
            address_confidential=case.confidential and role != "PERPETRATOR",
            address=seen.address_line, postcode=seen.postcode, safe_contact=seen.phone if role == "VICTIM" else "",
        )  # fmt: skip
        if role != "PERPETRATOR" and not age:
            self.truth.record(FEED, SYSTEM, key, person.person_id, seen.operators)


def _case_columns(case: Case) -> dict[str, object]:
    return {
        "marac_ref": case.ref, "referral_date": british(case.referral), "meeting_date": british(case.meeting),
        "marker_until": british(shift(case.meeting, MARKER_DAYS)), "coordinator": COORDINATOR[0],
        "coordinator_phone": COORDINATOR[1], "referring_agency": case.agency, "repeat_referral": case.repeat,
        "restricted_case": case.restricted, "dash_score": 14 + len(case.ref), "risk_grade": "HIGH",
        "notes": "See minutes.",
    }  # fmt: skip


def _found_abuse(story: Story) -> date | None:
    """The day of the last assessment that found domestic abuse."""
    found = [
        a.done
        for need in story.needs
        for a in need.assessments
        if a.done and set(a.factors) & set(DOMESTIC_ABUSE)
    ]
    return max(found, default=None)


def _lives_there(child: Member, on: date) -> bool:
    person = child.person
    return child.in_home and person.birth <= on and not (person.adopted or person.adopted_away_on)
