"""The force's nightly set in one zip: events in which police met or heard of a child, the nominals
linked to them, who was what, missing episodes and custody. Nominals are made at a doorstep: some have
no date of birth but an age, an alias, or a second nominal under another spelling, which is merged later
at times; an unborn child has an expected date and no name; now and then a sibling is put down as the
subject; some events are told twice, as a notice and as an Encompass message. The first event of a
family with a case falls on the day before its referral."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
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
PLACES = ("", "High Street", "outside the station", "home address")
OFFENCES = ("", "common assault", "criminal damage")
DASH_SCORES = {"STANDARD": (0, 9), "MEDIUM": (10, 13), "HIGH": (14, 24)}
MOST_EVENTS = 64  # of one unit; event numbers leave so much room


@dataclass
class Police:
    """Collects events and nominals of all units, then writes the set."""

    truth: Truth
    persons: Table = field(default_factory=lambda: Table(FEED, "persons"))
    events: Table = field(default_factory=lambda: Table(FEED, "events"))
    links: Table = field(default_factory=lambda: Table(FEED, "links"))
    missing: Table = field(default_factory=lambda: Table(FEED, "missing"))
    custody: Table = field(default_factory=lambda: Table(FEED, "custody"))
    high_risk: dict[str, list[date]] = field(default_factory=dict)
    """Days of incidents graded high, by family: what the domestic abuse conference hears of."""

    def add(self, scene: Scene) -> None:
        """Add the events of a unit's families."""
        desk = Desk(self, scene.rng(FEED), scene.rng(f"{FEED} detail"), scene)
        for family in scene.unit.families:
            desk.incidents(family)
            desk.missing_children(family)
        for family in scene.unit.families:
            desk.unborn_children(family)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the zip; one event has a type that no list knows."""
        at = f"{as_at}T10:00:00Z"
        bad = {"event_id": "51E00000000", "event_type": "TRAFFIC_STOP", "occurrence_ref": "OCC/0"}
        bad |= dict.fromkeys(("occurred_from", "recorded_at", "shared_at"), at)
        self.truth.fault(FEED, "events", bad["event_id"], "", "unknown_event_type", "quarantine")
        extra = {"events": [",".join(bad.get(h, "") for h in headers(FEED, "events"))]}
        tables = (self.persons, self.events, self.links, self.missing, self.custody)
        members = {
            f"police_{SYSTEM}_{table.name}_{stamp(as_at)}_001.csv": table.csv_bytes(
                "utf-8", "\r\n", extra.get(table.name, [])
            )
            for table in tables
        }
        name = f"police_{SYSTEM}_{stamp(as_at)}_001.zip"
        landing.put(FEED, "persons", name, _zipped(members, as_at), len(self.persons.rows))
        for table in tables[1:]:
            rows = len(table.rows) + len(extra.get(table.name, []))
            landing.add_rows(FEED, table.name, rows)


@dataclass
class Desk:
    """Writes one unit's events; keeps the nominal of each person, so that they are found again."""

    police: Police
    rng: Random
    detail: Random  # for what was added to the feed later, so that the rest stayed as it was
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

    def unborn_children(self, family: Family) -> None:
        """Write notices about a child not born yet, who has an expected date and no name."""
        mother = next((m for m in family.adults if m.role == "mother"), None)
        for child in family.children:
            noted = child.person.unborn and self.detail.random() < rates("police")["unborn_noted"]
            if noted and mother:
                event = self._event(
                    "PPN_CHILD", shift(self.scene.as_at, -self.detail.randint(1, 60))
                )
                number = self._write_unborn(child)
                self.police.links.add(event_id=event, nominal_id=number, role="CHILD_SUBJECT")
                self._link(event, mother, "PARENT_CARER", "mother")

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
        event = self._event(
            "DA_INCIDENT", on, dash_grade=grade, dash_score=self.detail.randint(*DASH_SCORES[grade]),
            marac_referred=grade == "HIGH", offence_description=self.detail.choice(OFFENCES),
        )  # fmt: skip
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
            copy = self._event("OP_ENCOMPASS", on, same=event)
            checked = self.detail.random() < 0.8
            for child in children:
                if child.person.age(on) >= 4:
                    self._link(copy, child, "CHILD_IN_HOUSEHOLD", "", seen, checked)

    def _about_child(self, child: Member, on: date, kind: str) -> None:
        exploited = self.rng.choice(EXPLOITATION) if kind == "EXPLOITATION_RISK" else ""
        event = self._event(kind, on, exploitation_type=exploited)
        held = kind == "CUSTODY_CHILD"
        nominal = self._link(
            event, self._subject(event, child, on), "SUSPECT" if held else "CHILD_SUBJECT", "", True
        )
        if held:
            self._custody(event, nominal, on)

    def _subject(self, event: str, child: Member, on: date) -> Member:
        """The child whom an event is about; now and then a brother or sister is written down instead."""
        family, _ = self.scene.unit.members[child.person.person_id]
        others = [m for m in family.children if m is not child and m.person.birth <= on]
        others = [m for m in others if not (m.person.adopted or m.person.adopted_away_on)]
        if not others or self.detail.random() >= rates("police")["wrong_role"]:
            return child
        self.police.truth.fault(FEED, "links", event, child.person.person_id, "wrong_role", "")
        return self.detail.choice(others)

    def _custody(self, event: str, nominal: str, on: date) -> None:
        """A child held for hours; of those held overnight, half are refused bail and need a bed."""
        night = self.detail.random() < 0.4
        asked = night and self.detail.random() < 0.5
        out = shift(on, 1) if night else on
        self.police.custody.add(
            custody_ref=event.replace("E", "C"), event_id=event, nominal_id=nominal, overnight=night,
            detention_authorised_at=f"{on}T17:20:00Z", released_at=f"{out}T{9 if night else 22:02d}:40:00Z",
            s38_transfer_requested=asked, s38_transfer_made=asked and self.detail.random() < 0.3,
            appropriate_adult=self.detail.choice(("parent", "appropriate adult service")),
        )  # fmt: skip

    def _write_unborn(self, child: Member) -> str:
        home = child.address_on(self.scene.as_at)
        number = f"N{local_id(child.person.serial, KEY)}"
        self.police.persons.add(
            nominal_id=number, force_code=SYSTEM, expected_delivery_date=child.person.birth, under_18=True,
            gender="U", address_text=home.line, postcode=home.postcode, address_protected=False,
        )  # fmt: skip
        self.police.truth.record(FEED, SYSTEM, number, child.person.person_id, ["unborn"])
        return number

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

    def _event(self, kind: str, on: date, same: str = "", **values: object) -> str:
        """Add an event and return its number; `same`: another event of one occurrence."""
        self.events += 1
        place = local_id(self.scene.unit.number * MOST_EVENTS + self.events, KEY)
        hour, minute = self.rng.randint(0, 21), self.rng.randrange(0, 60, 5)
        shared = min(shift(on, self.rng.randint(0, 2)), self.scene.as_at)
        system = "COMPACT" if kind == "MISSING_EPISODE" and self.rng.random() < 0.4 else "NICHE"
        occurrence = same.removeprefix("51E") or place
        end = f"{on}T{hour + 1:02d}:{minute:02d}:00Z" if kind == "DA_INCIDENT" else ""
        self.police.events.add(
            event_id=f"51E{place}", event_type=kind, source_system=system, occurrence_ref=f"OCC/{occurrence}/{on:%y}",
            occurred_from=f"{on}T{hour:02d}:{minute:02d}:00Z", recorded_at=f"{on}T{hour + 1:02d}:{minute:02d}:00Z",
            shared_at=f"{shared}T23:30:00Z", police_risk_grade=self.rng.choice(("LOW", "MEDIUM", "MEDIUM", "HIGH")),
            narrative=self.rng.choice(NARRATIVES), occurred_to=end, location_text=self.detail.choice(PLACES), **values,
        )  # fmt: skip
        return f"51E{place}"

    def _link(
        self, event: str, member: Member, role: str, relationship: str, present: bool | None = None,
        checked: bool | None = None,
    ) -> str:  # fmt: skip
        nominal = self._nominal(member, fled=role == "VICTIM")
        self.police.links.add(
            event_id=event, nominal_id=nominal, role=role, relationship_to_child=relationship, child_present=present,
            welfare_check_made=checked,
        )  # fmt: skip
        return nominal

    def _nominal(self, member: Member, fled: bool) -> str:
        """Return the person's nominal, made at the first event; at a later one a second may be made.

        `fled`: the person may have gone where nobody must find them.
        """
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
        if fled and self.detail.random() < rates("police")["address_protected"]:
            seen.operators.append("restricted")
        self._write(member, seen, number, merged)
        found.append(number)
        return number

    def _write(self, member: Member, seen: Sighting, number: str, merged_into: str) -> None:
        rng, person = self.rng, member.person
        birth = doorstep(rng, seen)
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
            merged_into=merged_into, address_protected="restricted" in seen.operators,
        )  # fmt: skip
        self.police.truth.record(FEED, SYSTEM, number, person.person_id, seen.operators)


def doorstep(rng: Random, seen: Sighting) -> date | None:
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


def _zipped(members: Mapping[str, bytes], as_at: date) -> bytes:
    """Pack files as they stand, the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (as_at.year, as_at.month, as_at.day, 3, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()
