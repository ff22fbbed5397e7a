"""The force's nightly set: events in which police met or heard of a child, the nominals linked
to them, who was what, and missing episodes. Nominals are made at a doorstep: some have no date
of birth, an age in its stead, an alias, or a twin nominal under another spelling; some events
are told twice, as a notice and as an Encompass message."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic import numbers
from ffp_data.synthetic.codes import OFFICER_ETHNICITY
from ffp_data.synthetic.noise import Sighting, origin, see
from ffp_data.synthetic.people import Family, Member, shift
from ffp_data.synthetic.places import schools_near
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.writing import Landing, Table, headers, stamp

FEED, SYSTEM = "police_safeguarding", "51"
KEY = 4_718_281
DEFAULTS = (date(1900, 1, 1), date(1970, 1, 1))


@dataclass
class Police:
    """Collects events and nominals of all units, then writes the set."""

    truth: Truth
    persons: Table = field(default_factory=lambda: Table(FEED, "persons"))
    events: Table = field(default_factory=lambda: Table(FEED, "events"))
    links: Table = field(default_factory=lambda: Table(FEED, "links"))
    missing: Table = field(default_factory=lambda: Table(FEED, "missing"))

    def add(self, scene: Scene) -> None:
        """Add the events of a unit's families."""
        rng, chance = scene.rng(FEED), rates("police")
        desk = Desk(self, rng, scene)
        for family in scene.unit.families:
            story = scene.stories[family.family_id]
            known = chance["incident_with_case"] if story.children else chance["incident"]
            first = story.phases[0].referral if story.phases else None
            if rng.random() < known:
                for number in range(rng.choice((1, 1, 2, 3)) if story.children else 1):
                    desk.incident(
                        family, shift(first, -1) if first and number == 0 else _some_day(rng, scene)
                    )
            for child in family.children:
                age = child.person.age(scene.as_at)
                care = scene.in_care(child.person)
                if 12 <= age <= 17 and rng.random() < chance["missing_teenager"] * (
                    15 if care else 4 if story.children else 1
                ):
                    for _ in range(rng.choice((1, 1, 2, 4))):
                        desk.went_missing(family, child, care)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the four files; one event has a type that no list knows."""
        bad = {"event_id": "51E00000000", "event_type": "TRAFFIC_STOP", "occurrence_ref": "OCC/0", "occurred_from": f"{as_at}T10:00:00Z",
               "recorded_at": f"{as_at}T10:00:00Z", "shared_at": f"{as_at}T10:00:00Z"}  # fmt: skip
        self.truth.fault(FEED, "events", "51E00000000", "", "unknown_event_type", "quarantine")
        extra = {"events": [",".join(bad.get(h, "") for h in headers(FEED, "events"))]}
        for table in (self.persons, self.events, self.links, self.missing):
            lines = extra.get(table.name, [])
            name = f"police_{SYSTEM}_{table.name}_{stamp(as_at)}_001.csv"
            landing.put(
                FEED,
                table.name,
                name,
                table.csv_bytes("utf-8", "\r\n", lines),
                len(table.rows) + len(lines),
            )


@dataclass
class Desk:
    """Writes one unit's events; keeps the nominal of each person, so that they are found again."""

    police: Police
    rng: Random
    scene: Scene
    known: dict[str, str] = field(default_factory=dict)
    event_number: int = 0

    def incident(self, family: Family, on: date) -> None:
        """A domestic abuse incident, a notice about a child, or a child at risk of exploitation."""
        if on > self.scene.as_at or on < shift(self.scene.year_start, -365):
            return
        rng = self.rng
        children = [m for m in family.children if m.person.birth <= on and not m.person.adopted]
        teenagers = [m for m in children if m.person.age(on) >= 12]
        if not children:
            return
        if teenagers and rng.random() < 0.25:
            self._about_child(
                teenagers[0], on, rng.choice(("EXPLOITATION_RISK", "CUSTODY_CHILD", "PPN_CHILD"))
            )
        elif rng.random() < 0.65:
            self._abuse(family, children, on)
        else:
            self._about_child(rng.choice(children), on, "PPN_CHILD")

    def _abuse(self, family: Family, children: list[Member], on: date) -> None:
        rng = self.rng
        grade = rng.choice(("STANDARD", "STANDARD", "MEDIUM", "HIGH"))
        event = self._event("DA_INCIDENT", on, dash_grade=grade, marac_referred=grade == "HIGH")
        victim = next((m for m in family.adults if m.role == "mother"), family.adults[0])
        partner = next((m for m in family.adults if m.role in ("step_father", "father")), None)
        self._link(event, victim, "VICTIM", "mother")
        if partner:
            self._link(event, partner, "PERPETRATOR", partner.role.replace("_", " "))
        present = rng.random() < 0.7
        for child in children:
            if rng.random() > 0.05:  # a child at the address whom nobody wrote down
                self._link(event, child, "CHILD_IN_HOUSEHOLD", "", present)
        if rng.random() < rates("police")["encompass_copy"]:
            copy = self._event("OP_ENCOMPASS", on)
            for child in children:
                if child.person.age(on) >= 4:
                    self._link(copy, child, "CHILD_IN_HOUSEHOLD", "", present)

    def _about_child(self, child: Member, on: date, kind: str) -> None:
        exploited = kind == "EXPLOITATION_RISK"
        types = (
            "SexualExploitation",
            "CriminalExploitation",
            "CriminalExploitation",
            "GangsAndYouthViolence",
        )
        event = self._event(kind, on, exploitation_type=self.rng.choice(types) if exploited else "")
        self._link(
            event, child, "SUSPECT" if kind == "CUSTODY_CHILD" else "CHILD_SUBJECT", "", True
        )

    def went_missing(self, family: Family, child: Member, care: bool) -> None:
        """A missing episode of hours or days, with a return interview."""
        rng = self.rng
        on = _some_day(rng, self.scene)
        event = self._event("MISSING_EPISODE", on)
        nominal = self._link(event, child, "CHILD_SUBJECT", "", True)
        nights = rng.choice((0, 1, 1, 1, 2, 5))
        back = shift(on, nights)
        found = (
            f"{back}T{rng.randint(22, 23) if not nights else rng.randint(1, 20):02d}:15:00Z"
            if back <= self.scene.as_at
            else ""
        )
        offered = shift(back, rng.randint(1, 3))
        offered_on = (
            offered if found and offered <= self.scene.as_at and rng.random() < 0.85 else None
        )
        self.police.missing.add(
            event_id=event, nominal_id=nominal, reported_at=f"{on}T21:40:00Z", found_at=found,
            risk_level=rng.choice(("MEDIUM", "MEDIUM", "HIGH", "LOW", "NO_APPARENT_RISK")),
            missing_from=rng.choice(("FOSTER", "RESIDENTIAL")) if care else rng.choice(("HOME", "HOME", "HOME", "SCHOOL")),
            return_interview_offered_on=offered_on,
            return_interview_attended=(rng.random() < 0.6) if offered_on else None,
        )  # fmt: skip

    def _event(self, kind: str, on: date, **values: object) -> str:
        self.event_number += 1
        number = f"51E{local_id(self.scene.unit.number * 64 + self.event_number, KEY)}"
        hour, minute = self.rng.randint(0, 21), self.rng.randrange(0, 60, 5)
        shared = min(shift(on, self.rng.randint(0, 2)), self.scene.as_at)
        self.police.events.add(
            event_id=number, event_type=kind,
            source_system=self.rng.choice(("NICHE", "NICHE", "COMPACT" if kind == "MISSING_EPISODE" else "NICHE")),
            occurrence_ref=f"OCC/{number[3:]}/{on:%y}", occurred_from=f"{on}T{hour:02d}:{minute:02d}:00Z",
            recorded_at=f"{on}T{hour + 1:02d}:{minute:02d}:00Z", shared_at=f"{shared}T23:30:00Z",
            police_risk_grade=self.rng.choice(("LOW", "MEDIUM", "MEDIUM", "HIGH")),
            narrative='Officers attended, "all calm on arrival", children seen.' if self.rng.random() < 0.5 else "", **values,
        )  # fmt: skip
        return number

    def _link(
        self, event: str, member: Member, role: str, relationship: str, present: bool | None = None
    ) -> str:
        nominal = self._nominal(member)
        self.police.links.add(
            event_id=event,
            nominal_id=nominal,
            role=role,
            relationship_to_child=relationship,
            child_present=present,
        )
        return nominal

    def _nominal(self, member: Member) -> str:
        person = member.person
        found = self.known.get(person.person_id)
        again = (
            found is not None
            and self.rng.random() < 5 * rates("police")["second_nominal"]
            and not found.endswith("B")
        )
        if found and not again:
            return found
        number = f"N{local_id(person.serial, KEY, int(again))}" + ("B" if again else "")
        self.known[person.person_id] = number
        family = self.scene.unit.members[person.person_id][0]
        source = origin(self.rng, FEED, member.moved_on, self.scene.as_at)
        seen = see(self.rng, source, member, siblings(family, person) if person.is_child else ())
        self._write_nominal(member, seen, number)
        return number

    def _write_nominal(self, member: Member, seen: Sighting, number: str) -> None:
        rng, chance, person = self.rng, rates("police"), member.person
        age_only = rng.random() < chance["no_birth_date"]
        birth: date | None = seen.birth
        if age_only:
            birth = None
            seen.operators.append("no_birth_date")
        elif rng.random() < chance["default_birth_date"]:
            birth = rng.choice(DEFAULTS)
            seen.operators.append("default_birth_date")
        if rng.random() < chance["migration_word"]:
            seen.surname = f"{rng.choice(('MIG_ERROR_', 'DUPLICATE_', 'NO_SHOW_'))}{seen.surname}"
            seen.operators.append("word_in_name")
        if rng.random() < chance["incident_address"]:
            seen.address_line, seen.postcode = "High Street car park", ""
            seen.operators.append("incident_address")
        age = person.age(self.scene.as_at)
        adult = not person.is_child
        self.police.persons.add(
            nominal_id=number, force_code=SYSTEM,
            pnc_id=numbers.pnc_id(person.serial, person.birth.year + 19) if adult and person.serial % 3 == 0 else "",
            given_names=seen.given, middle_names=seen.middle, surname=seen.surname,
            alias_surname=person.former.surname if person.former and rng.random() < 0.5 else "",
            alias_given_name=person.preferred if person.preferred and rng.random() < 0.3 else "",
            date_of_birth=birth,
            approximate_age_from=max(0, age - 2) if age_only else "",
            approximate_age_to=age + 2 if age_only else "", under_18=age < 18,
            gender=seen.sex, officer_defined_ethnicity=OFFICER_ETHNICITY[person.ethnicity] if rng.random() < 0.9 else "9",
            address_text=seen.address_line, postcode=seen.postcode, telephone=seen.phone,
            school_name=rng.choice(schools_near(member.home.town, "secondary" if age > 11 else "primary")).name if 4 < age < 17 and rng.random() < 0.6 else "",
        )  # fmt: skip
        self.police.truth.record(FEED, SYSTEM, number, person.person_id, seen.operators)


def _some_day(rng: Random, scene: Scene) -> date:
    return shift(scene.year_start, rng.randrange((scene.as_at - scene.year_start).days + 1))
