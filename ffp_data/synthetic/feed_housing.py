"""Homelessness cases: households that lost their home, where they were placed, and for how long. The
last placement is where the family lives now, the settled address where it lived before, and some
placements are hostels that many families share. A child of separated parents may stand in two cases,
an expected child is counted, and addresses are blank or the placement's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic import places
from ffp_data.synthetic.noise import Sighting, origin, see
from ffp_data.synthetic.people import Family, Member, shift
from ffp_data.synthetic.places import Address
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.writing import Landing, Table, stamp

FEED, SYSTEM = "housing", "hclic"
KEY = 33
HOSTELS = 6
FIRST_HOSTEL = 2_400_000  # homes of this number on belong to no family
TIES = {"mother": "PARTNER", "father": "PARTNER", "step_father": "PARTNER", "child": "CHILD"}
REASONS = ("END_OF_PRIVATE_TENANCY", "END_OF_PRIVATE_TENANCY", "FAMILY_NO_LONGER_WILLING",
           "RELATIONSHIP_ENDED", "EVICTION", "DOMESTIC_ABUSE")  # fmt: skip
OFFICERS = ("Gil Marsh", "Ola Tranter", "Bea Cole")


@dataclass(frozen=True)
class Placement:
    """One stay in temporary accommodation; `end` None while it lasts."""

    start: date
    end: date | None
    kind: str
    address: Address


@dataclass(frozen=True)
class Case:
    """What every row of a case repeats."""

    case_id: str
    applied: date
    duty: str
    closed: date | None
    reason: str
    confidential: bool
    settled: Address | None
    placements: tuple[Placement, ...]
    officer: str


@dataclass
class Housing:
    """Collects people and placements of all cases, then writes both sections."""

    truth: Truth
    people: Table = field(default_factory=lambda: Table(FEED, "people"))
    placements: Table = field(default_factory=lambda: Table(FEED, "placements"))

    def add(self, scene: Scene) -> None:
        """Add the homeless households of a unit."""
        rng, chance = scene.rng(FEED), rates("housing")
        for family in scene.unit.families:
            moved = family.moved_on if not (family.left_on or family.from_outside) else None
            recent = moved is not None and moved > shift(scene.as_at, -730)
            homeless = rng.random() < chance["homeless_after_move" if recent else "threatened"]
            household = [m for m in family.members if m.in_home and m.role != "grandmother"]
            if not homeless or family.left_on or not any(m.role == "child" for m in household):
                continue
            self._case(rng, scene, family, household, moved if recent else None)
            self._other_parent(rng, scene, family)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write both sections; one household counts a child of whom nothing is known yet."""
        self._expected_child(as_at)
        for table, section in ((self.people, "people"), (self.placements, "temporary_accommodation")):  # fmt: skip
            name = f"hclic_999_{section}_{stamp(as_at)}_001.csv"
            landing.put(FEED, table.name, name, table.csv_bytes("utf-8", "\r\n"), len(table.rows))

    def _case(
        self, rng: Random, scene: Scene, family: Family, household: list[Member], moved: date | None
    ) -> None:
        chance, first = rates("housing"), household[0]
        applied = shift(moved or scene.as_at, -rng.randint(30, 200))
        placements = tuple(_placements(rng, applied, moved, first.home, scene.as_at))
        reason = rng.choice(REASONS)
        ended = bool(placements) and placements[-1].end is not None
        settled = first.before if moved else first.home
        case = Case(
            f"HC{local_id(first.person.serial, KEY)}", applied,
            ("MAIN" if len(placements) > 1 else "RELIEF") if placements else "PREVENTION",
            placements[-1].end if ended else None, reason,
            reason == "DOMESTIC_ABUSE" and rng.random() < chance["address_confidential"],
            None if rng.random() < chance["address_blank"] else settled,
            placements, rng.choice(OFFICERS),
        )  # fmt: skip
        self._rows(rng, scene, family, case, household)

    def _other_parent(self, rng: Random, scene: Scene, family: Family) -> None:
        """A father who lives elsewhere and is homeless too names a child who stands in the mother's case."""
        father = next((m for m in family.adults if m.role == "father" and not m.in_home), None)
        child = next((c for c in family.children if c.in_home and not c.person.unborn), None)
        if (
            father is None
            or child is None
            or rng.random() >= rates("housing")["child_in_two_cases"]
        ):
            return
        applied = shift(scene.as_at, -rng.randint(5, 200))
        case = Case(
            f"HC{local_id(father.person.serial, KEY)}", applied, "RELIEF", None, "RELATIONSHIP_ENDED",
            confidential=False, settled=father.home, placements=(), officer=rng.choice(OFFICERS),
        )  # fmt: skip
        self._rows(rng, scene, family, case, [father, child])

    def _rows(
        self, rng: Random, scene: Scene, family: Family, case: Case, household: list[Member]
    ) -> None:
        source = origin(rng, FEED, None, scene.as_at)
        for number, member in enumerate(household, start=1):
            relatives = siblings(family, member.person) if member.role == "child" else ()
            seen = see(rng, source, member, relatives)
            if member.person.unborn:
                seen.given, seen.middle = "Unborn", ""
            self._person(case, number, member, seen)
            for stay in case.placements:
                self.placements.add(
                    case_id=case.case_id, person_no=number, ta_start=stay.start, ta_end=stay.end, ta_type=stay.kind,
                    ta_postcode=stay.address.postcode,
                )  # fmt: skip

    def _person(self, case: Case, number: int, member: Member, seen: Sighting) -> None:
        applicant = number == 1
        self.people.add(
            case_id=case.case_id, person_no=number, applicant_no="" if applicant else 1, is_main_applicant=applicant,
            relationship_to_applicant="APPLICANT" if applicant else TIES.get(member.role, "OTHER_RELATIVE"),
            forename=seen.given, surname=seen.surname, date_of_birth=seen.birth,
            sex="" if member.person.unborn else seen.sex,
            phone=seen.phone if applicant else "",
            last_settled_address=case.settled.line if case.settled else "",
            last_settled_postcode=case.settled.postcode if case.settled else "",
            address_confidential=case.confidential, application_date=case.applied, duty=case.duty,
            duty_started=shift(case.applied, 3), case_closed=case.closed, reason_loss_of_home=case.reason,
            officer=case.officer, officer_phone="01632 960170", team="Housing Options",
        )  # fmt: skip
        key = f"{case.case_id}:{number}"
        self.truth.record(FEED, SYSTEM, key, member.person.person_id, seen.operators)

    def _expected_child(self, as_at: date) -> None:
        """The fault of a child counted before anything but its coming is known."""
        self.people.add(
            case_id="HC19999999", person_no=2, applicant_no=1, is_main_applicant=False,
            relationship_to_applicant="CHILD", forename="Unborn", surname="Test", address_confidential=False,
            application_date=as_at,
        )  # fmt: skip
        self.truth.fault(FEED, "people", "HC19999999:2", "", "expected_child_without_date", "quarantine")  # fmt: skip


def _placements(
    rng: Random, applied: date, moved: date | None, home: Address, as_at: date
) -> Iterator[Placement]:
    """None where homelessness was prevented; else hostels until the move, then the home of today."""
    if moved is None:
        return
    start = shift(applied, rng.randint(1, 20))
    while start < shift(moved, -7):
        end = min(shift(start, rng.randint(14, 60)), moved)
        shared = places.other_home(FIRST_HOSTEL + places.HOMES_PER_STREET * rng.randrange(HOSTELS))
        yield Placement(start, end, rng.choice(("BB", "HOSTEL", "NIGHTLY")), shared)
        start = end
    done = shift(moved, rng.randint(60, 500))
    kind = rng.choice(("PRIVATE_LEASED", "COUNCIL_STOCK"))
    yield Placement(moved, done if done <= as_at else None, kind, home)
