"""One record in one agency's books, and how it is written, put right, and brought up to date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from random import Random

from benchmarks.hub.months.settings import Agency
from benchmarks.hub.months.town import Household
from ffp_data.synthetic.noise import Origin, Sighting, holding_name, see
from ffp_data.synthetic.numbers import crn, pnc_id
from ffp_data.synthetic.people import Member
from ffp_data.synthetic.rates import rates

HABITS = {
    "apostrophe", "hyphen", "prefix_space", "no_middle_name", "accent_lost", "upper_case", "address_layout",
    "part_of_double_surname", "preferred_name", "former_surname", "former_address",
}  # fmt: skip
"""Ways of writing and news not heard yet, which are no slips."""

Row = tuple[object, ...]
COLUMNS = (
    "record_key", "feed", "system", "source_person_id", "role", "given_name", "middle_names", "surname",
    "date_of_birth", "expected_birth_date", "sex", "address_line", "postcode", "uprn", "nhs_number", "upn",
    "pnc_id", "crn", "phone", "birth_order", "is_restricted", "replaced_by",
)  # fmt: skip
"""What a row holds, in order; dates are dates, the rest text, but for birth_order and is_restricted."""


@dataclass(slots=True)
class Entry:
    """A record of a person. part: the school, where each delivers for itself. old_address, old_name:
    for how many months they have been wrong because the agency has not heard; closed: nobody keeps it up."""

    feed: str
    system: str
    source_id: str
    part: str
    person_id: str
    role: str
    seen: Sighting
    expected: date | None = None
    pnc: str = ""
    crn: str = ""
    restricted: bool = False
    replaced_by: str = ""
    closed: bool = False
    old_address: int = 0
    old_name: int = 0
    slips: bool = False
    holding: bool = False
    wrong_number: bool = False

    @property
    def key(self) -> str:
        return f"{self.feed}|{self.system}|{self.source_id}"

    def row(self) -> Row:
        """The record as it is delivered, in the order of COLUMNS."""
        s = self.seen
        return (
            self.key, self.feed, self.system, self.source_id, self.role, s.given or None, s.middle or None,
            s.surname or None, s.birth, self.expected, s.sex, s.address_line or None, s.postcode or None,
            s.uprn or None, s.nhs or None, s.upn or None, self.pnc or None, self.crn or None, s.phone or None,
            s.birth_order, self.restricted, self.replaced_by or None,
        )  # fmt: skip


@dataclass(frozen=True)
class Clerk:
    """Writes the records of one agency, with its own random stream and on one day."""

    rng: Random
    feed: str
    agency: Agency
    as_at: date

    def write(self, entry: Entry, household: Household, member: Member, source: Origin) -> None:
        """Fill a record with what the agency sees of a person, slips and all."""
        person = member.person
        if person.unborn:
            self._unborn(entry, household, member)
            return
        seen = see(self.rng, source, member, household.siblings(person) if person.is_child else ())
        entry.holding = False
        if self.feed.startswith("health"):
            holding_name(self.rng, self.as_at, household.family(), person, seen)
            entry.holding = "holding_name" in seen.operators
        self._numbers(entry, member, seen)
        if (
            self.feed == "police_safeguarding"
            and self.rng.random() < rates("police")["no_birth_date"]
        ):
            seen.birth = None
        entry.seen, entry.expected = seen, None
        entry.role = self._role(member)
        entry.old_address = 2 * ("former_address" in seen.operators)
        entry.old_name = 2 * ("former_surname" in seen.operators)
        entry.slips = not HABITS.issuperset(seen.operators)

    def _role(self, member: Member) -> str:
        if self.feed == "police_safeguarding":
            return "unknown"
        return "child" if member.role == "child" else "adult"

    def _numbers(self, entry: Entry, member: Member, seen: Sighting) -> None:
        """Keep the numbers that the agency has; what it once had stays."""
        before, agency = entry.seen, self.agency
        has_upn = member.role == "child" and member.person.age(self.as_at) >= 4
        if not (before.nhs or self.rng.random() < agency.nhs):
            seen.nhs = ""
        if not (has_upn and (before.upn or self.rng.random() < agency.upn)):
            seen.upn = ""
        if self.rng.random() >= agency.phone:
            seen.phone = ""
        if self.feed not in ("education_attendance", "health_fhir") or self.rng.random() < 0.5:
            seen.uprn = ""
        if not seen.birth_order or self.rng.random() < 0.5:
            seen.birth_order = None
        if self.feed in ("police_safeguarding", "probation") and member.role != "child":
            year = member.person.birth.year + 18
            entry.pnc = entry.pnc or pnc_id(member.person.serial, year)
        if self.feed == "probation":
            entry.crn = entry.crn or crn(member.person.serial)

    def _unborn(self, entry: Entry, household: Household, member: Member) -> None:
        mother = household.mother
        surname = (
            mother.person.name_on(self.as_at).surname if mother else member.person.name.surname
        )
        home = member.home
        entry.seen = Sighting(
            "Unborn", "", surname, None, "", home, home.line, home.postcode, "", "", "", ""
        )
        entry.role, entry.expected = "child", member.person.birth

    def heard_of_move(self, entry: Entry, member: Member, source: Origin) -> None:
        """Take over the new address."""
        now = see(self.rng, source, member)
        entry.seen.address, entry.seen.address_line = now.address, now.address_line
        entry.seen.postcode = now.postcode
        entry.seen.uprn = now.uprn if entry.seen.uprn else ""
        entry.old_address = 0

    def heard_of_name(self, entry: Entry, member: Member, source: Origin) -> None:
        """Take over the new surname."""
        entry.seen.surname = see(self.rng, source, member).surname
        entry.old_name = 0

    def mend(self, entry: Entry, household: Household, member: Member, source: Origin) -> None:
        """Put a record right, by a paper that says who the person is."""
        self.write(entry, household, member, replace(source, factor=0.0, hurried=False))
