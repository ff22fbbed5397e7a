"""The force's nightly set: events in which police met or heard of a child, the nominals linked to
them, who was what, and missing episodes. Nominals are made at a doorstep: some have no date of
birth but an age, an alias, or a second nominal under another spelling, which is merged later at
times; some events are told twice, as a notice and as an Encompass message. The first event of a
family with a case falls on the day before its referral."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic import numbers
from ffp_data.synthetic.codes import OFFICER_ETHNICITY
from ffp_data.synthetic.noise import Sighting, origin, see
from ffp_data.synthetic.people import GROWN, Family, Member, shift
from ffp_data.synthetic.places import schools_near
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.writing import Landing, Table, headers, stamp

FEED, SYSTEM = "police_safeguarding", "51"
KEY = 23
DEFAULT_BIRTH_DATES = (date(1900, 1, 1), date(1970, 1, 1))
MIGRATION_WORDS = ("MIG_ERROR_", "DUPLICATE_", "NO_SHOW_")
EXPLOITATION = (
    "SexualExploitation",
    "CriminalExploitation",
    "CriminalExploitation",
    "GangsAndYouthViolence",
)
ABOUT_TEENAGERS = ("EXPLOITATION_RISK", "CUSTODY_CHILD", "PPN_CHILD")
NARRATIVES = ("", 'Officers attended, "all calm on arrival", children seen.')
MOST_EVENTS = 64  # of one unit; event numbers leave so much room


@dataclass
class Police:
    """Collects events and nominals of all units, then writes the set."""

    truth: Truth
    persons: Table = field(default_factory=lambda: Table(FEED, "persons"))
    events: Table = field(default_factory=lambda: Table(FEED, "events"))
    links: Table = field(default_factory=lambda: Table(FEED, "links"))
    missing: Table = field(default_factory=lambda: Table(FEED, "missing"))
    high_risk: dict[str, list[date]] = field(default_factory=dict)
    """Days of incidents graded high, by family: what the domestic abuse conference hears of."""

    def add(self, scene: Scene) -> None:
        """Add the events of a unit's families."""
        desk = Desk(self, scene.rng(FEED), scene)
        for family in scene.unit.families:
            desk.incidents(family)
            desk.missing_children(family)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the four files; one event has a type that no list knows."""
        at = f"{as_at}T10:00:00Z"
        bad = {"event_id": "51E00000000", "event_type": "TRAFFIC_STOP", "occurrence_ref": "OCC/0"}
        bad |= dict.fromkeys(("occurred_from", "recorded_at", "shared_at"), at)
        self.truth.fault(FEED, "events", bad["event_id"], "", "unknown_event_type", "quarantine")
        extra = {"events": [",".join(bad.get(h, "") for h in headers(FEED, "events"))]}
        for table in (self.persons, self.events, self.links, self.missing):
            lines = extra.get(table.name, [])
            name = f"police_{SYSTEM}_{table.name}_{stamp(as_at)}_001.csv"
            content = table.csv_bytes("utf-8", "\r\n", lines)
            landing.put(FEED, table.name, name, content, len(table.rows) + len(lines))


@dataclass
class Desk:
    """Writes one unit's events; keeps the nominal of each person, so that they are found again."""

    police: Police
    rng: Random
    scene: Scene
    known: dict[str, list[str]] = field(default_factory=dict)
    events: int = 0

    def incidents(self, family: Family) -> None:
        """Write what officers were called to."""
        chance, rng = rates("police"), self.rng
        story = self.scene.stories[family.family_id]
        if rng.random() >= (chance["incident_with_case"] if story.children else chance["incident"]):
            return
        first = story.phases[0].referral if story.phases else None
        for number in range(rng.choice((1, 1, 2, 3)) if story.children else 1):
            on = shift(first, -1) if first and number == 0 else self._some_day()
            if not (family.left_on and on >= family.left_on):
                self._incident(family, on)

    def missing_children(self, family: Family) -> None:
        """Write missing episodes of teenagers, most of them looked after or with a case."""
        case = bool(self.scene.stories[family.family_id].children)
        for child in family.children:
            care = self.scene.in_care(child.person)
            often = rates("police")["missing_teenager"] * (15 if care else 4 if case else 1)
            teenager = 12 <= child.person.age(self.scene.as_at) < GROWN and not family.left_on
            if teenager and self.rng.random() < often:
                for _ in range(self.rng.choice((1, 1, 2, 4))):
                    self._went_missing(child, care)

    def _some_day(self) -> date:
        start = self.scene.year_start
        return shift(start, self.rng.randrange((self.scene.as_at - start).days + 1))

    def _incident(self, family: Family, on: date) -> None:
        """A domestic abuse incident, a notice about a child, or a child at risk of exploitation."""
        present = [m for m in family.children if m.person.birth <= on and not m.person.adopted]
        present = [
            m for m in present if not (m.person.adopted_away_on and m.person.adopted_away_on <= on)
        ]
        if not present:
            return
        eldest = present[0]
        if eldest.person.age(on) >= 12 and self.rng.random() < 0.25:
            self._about_child(eldest, on, self.rng.choice(ABOUT_TEENAGERS))
        elif self.rng.random() < 0.65:
            self._abuse(family, present, on)
        else:
            self._about_child(self.rng.choice(present), on, "PPN_CHILD")

    def _abuse(self, family: Family, children: list[Member], on: date) -> None:
        grade = self.rng.choice(("STANDARD", "STANDARD", "MEDIUM", "HIGH"))
        event = self._event("DA_INCIDENT", on, dash_grade=grade, marac_referred=grade == "HIGH")
        if grade == "HIGH":
            self.police.high_risk.setdefault(family.family_id, []).append(on)
        mother = next((m for m in family.adults if m.role == "mother"), family.adults[0])
        partner = next((m for m in family.adults if m.role in ("step_father", "father")), None)
        self._link(event, mother, "VICTIM", "mother")
        if partner:
            self._link(event, partner, "PERPETRATOR", partner.role.replace("_", " "))
        seen = self.rng.random() < 0.7
        for child in children:
            if self.rng.random() > 0.05:  # a child at the address whom nobody wrote down
                self._link(event, child, "CHILD_IN_HOUSEHOLD", "", seen)
        if self.rng.random() < rates("police")["encompass_copy"]:
            copy = self._event("OP_ENCOMPASS", on)
            for child in children:
                if child.person.age(on) >= 4:
                    self._link(copy, child, "CHILD_IN_HOUSEHOLD", "", seen)

    def _about_child(self, child: Member, on: date, kind: str) -> None:
        exploited = self.rng.choice(EXPLOITATION) if kind == "EXPLOITATION_RISK" else ""
        event = self._event(kind, on, exploitation_type=exploited)
        self._link(
            event, child, "SUSPECT" if kind == "CUSTODY_CHILD" else "CHILD_SUBJECT", "", True
        )

    def _went_missing(self, child: Member, care: bool) -> None:
        """A missing episode of hours or days, with a return interview for most."""
        rng, as_at, on = self.rng, self.scene.as_at, self._some_day()
        event = self._event("MISSING_EPISODE", on)
        nights = rng.choice((0, 1, 1, 1, 2, 5))
        back = shift(on, nights)
        hour = rng.randint(22, 23) if nights == 0 else rng.randint(1, 20)
        offered = shift(back, rng.randint(1, 3))
        interview = offered if offered <= as_at and rng.random() < 0.85 else None
        self.police.missing.add(
            event_id=event, nominal_id=self._link(event, child, "CHILD_SUBJECT", "", True),
            reported_at=f"{on}T21:40:00Z", found_at=f"{back}T{hour:02d}:15:00Z" if back <= as_at else "",
            risk_level=rng.choice(("MEDIUM", "MEDIUM", "HIGH", "LOW", "NO_APPARENT_RISK")),
            missing_from=rng.choice(("FOSTER", "RESIDENTIAL") if care else ("HOME", "HOME", "HOME", "SCHOOL")),
            return_interview_offered_on=interview,
            return_interview_attended=(rng.random() < 0.6) if interview else None,
        )  # fmt: skip

    def _event(self, kind: str, on: date, **values: object) -> str:
        self.events += 1
        place = local_id(self.scene.unit.number * MOST_EVENTS + self.events, KEY)
        hour, minute = self.rng.randint(0, 21), self.rng.randrange(0, 60, 5)
        shared = min(shift(on, self.rng.randint(0, 2)), self.scene.as_at)
        system = "COMPACT" if kind == "MISSING_EPISODE" and self.rng.random() < 0.4 else "NICHE"
        self.police.events.add(
            event_id=f"51E{place}", event_type=kind, source_system=system, occurrence_ref=f"OCC/{place}/{on:%y}",
            occurred_from=f"{on}T{hour:02d}:{minute:02d}:00Z", recorded_at=f"{on}T{hour + 1:02d}:{minute:02d}:00Z",
            shared_at=f"{shared}T23:30:00Z", police_risk_grade=self.rng.choice(("LOW", "MEDIUM", "MEDIUM", "HIGH")),
            narrative=self.rng.choice(NARRATIVES), **values,
        )  # fmt: skip
        return f"51E{place}"

    def _link(
        self, event: str, member: Member, role: str, relationship: str, present: bool | None = None
    ) -> str:
        nominal = self._nominal(member)
        self.police.links.add(
            event_id=event, nominal_id=nominal, role=role, relationship_to_child=relationship, child_present=present
        )  # fmt: skip
        return nominal

    def _nominal(self, member: Member) -> str:
        """Return the person's nominal, made at the first event; at a later one a second may be made."""
        person = member.person
        found = self.known.setdefault(person.person_id, [])
        again = len(found) == 1 and self.rng.random() < 5 * rates("police")["second_nominal"]
        if found and not again:
            return found[-1]
        number = f"N{local_id(person.serial, KEY, len(found))}"
        family, _ = self.scene.unit.members[person.person_id]
        source = origin(self.rng, FEED, member.moved_on, self.scene.as_at)
        seen = see(self.rng, source, member, siblings(family, person) if person.is_child else ())
        merged = found[0] if found and self.rng.random() < 0.3 else ""
        self._write(member, seen, number, merged)
        found.append(number)
        return number

    def _write(self, member: Member, seen: Sighting, number: str, merged_into: str) -> None:
        rng, person = self.rng, member.person
        birth = _doorstep(rng, seen)
        age = person.age(self.scene.as_at)
        pnc = (
            numbers.pnc_id(person.serial, person.birth.year + 19)
            if age >= GROWN and person.serial % 3 == 0
            else ""
        )
        school = ""
        if 4 < age < 17 and rng.random() < 0.6:
            school = rng.choice(
                schools_near(member.home.town, "secondary" if age > 11 else "primary")
            ).name
        self.police.persons.add(
            nominal_id=number, force_code=SYSTEM, pnc_id=pnc, given_names=seen.given, middle_names=seen.middle,
            surname=seen.surname, alias_surname=person.former.surname if person.former and rng.random() < 0.5 else "",
            alias_given_name=person.preferred if rng.random() < 0.3 else "", date_of_birth=birth,
            approximate_age_from="" if birth else max(0, age - 2), approximate_age_to="" if birth else age + 2,
            under_18=age < GROWN, gender=seen.sex, officer_defined_ethnicity=OFFICER_ETHNICITY[person.ethnicity],
            address_text=seen.address_line, postcode=seen.postcode, telephone=seen.phone, school_name=school,
            merged_into=merged_into,
        )  # fmt: skip
        self.police.truth.record(FEED, SYSTEM, number, person.person_id, seen.operators)


def _doorstep(rng: Random, seen: Sighting) -> date | None:
    """Apply the faults of notes made at a doorstep; return the date of birth, None when only an age was taken."""
    chance, birth = rates("police"), seen.birth
    if rng.random() < chance["no_birth_date"]:
        birth = None
        seen.operators.append("no_birth_date")
    elif rng.random() < chance["default_birth_date"]:
        birth = rng.choice(DEFAULT_BIRTH_DATES)
        seen.operators.append("default_birth_date")
    if rng.random() < chance["migration_word"]:
        seen.surname = f"{rng.choice(MIGRATION_WORDS)}{seen.surname}"
        seen.operators.append("word_in_name")
    if rng.random() < chance["incident_address"]:
        seen.address_line, seen.postcode = "High Street car park", ""
        seen.operators.append("incident_address")
    return birth
