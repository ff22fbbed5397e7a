"""Community health trust: FHIR R4 resources, one JSON object a line. Children up to eighteen and the
mothers of babies; health visiting, school nursing, CAMHS and paediatrics as episodes of care; contacts
and appointments of the last year, with children who were not brought; safeguarding flags. The clinic
beyond the border has a system of its own, which gives one Bundle of all its resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic import fhir
from ffp_data.synthetic.care import Care, ProtectionPlan
from ffp_data.synthetic.noise import Origin, Sighting, holding_name, origin, see
from ffp_data.synthetic.people import Family, Member, Person, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings, take_number
from ffp_data.synthetic.school_terms import on_working_day
from ffp_data.synthetic.writing import Landing, compact, stamp

FEED, SYSTEM = "health_fhir", fhir.TRUST
KEY = 21
UNIVERSAL = (("Health visiting", 0, 5), ("School nursing", 5, 17))  # service, ages
SOMETIMES = (  # service, ages, share of children without a case; assumed
    ("CAMHS", 8, 18, 0.035),
    ("Community paediatrics", 1, 17, 0.04),
    ("Speech and language therapy", 2, 12, 0.05),
)
WITH_A_CASE = 3.0  # times as often
NO_FIXED_ABODE = "ZZ99 3VZ"
RESOURCES = {
    "patients": "Patient",
    "episodes_of_care": "EpisodeOfCare",
    "encounters": "Encounter",
    "appointments": "Appointment",
    "flags": "Flag",
}
BORDER = 12  # one unit in as many goes to the clinic beyond the border


@dataclass
class HealthFhir:
    """Collects resources of all units, then writes one file for each resource type, and the clinic's Bundle."""

    truth: Truth
    lines: dict[str, list[str]] = field(default_factory=lambda: {table: [] for table in RESOURCES})
    clinic: dict[str, list[str]] = field(default_factory=lambda: {table: [] for table in RESOURCES})
    at_clinic: bool = False

    def add(self, scene: Scene) -> None:
        """Add the patients of a unit, with their episodes, encounters, appointments and flags."""
        self.at_clinic = scene.unit.number % BORDER == BORDER // 2
        rng, made = scene.rng(FEED), set[str]()
        for family in scene.unit.families:
            if family.left_on:
                continue  # registered with another trust since
            source = origin(rng, FEED, family.moved_on, scene.as_at)
            for member in family.members:
                person_id = member.person.person_id
                if person_id not in made and _registered(rng, scene, family, member):
                    made.add(person_id)
                    self._person(rng, scene, family, source, member)

    def _person(
        self, rng: Random, scene: Scene, family: Family, source: Origin, member: Member
    ) -> None:
        identity = self._patient(rng, scene, family, source, member, "")
        if not member.person.is_child:
            return
        self._services(rng, scene, member.person, identity)
        self._flags(scene, member.person, identity)
        if rng.random() < rates("health")["duplicate_patient"]:
            other = origin(rng, FEED, family.moved_on, scene.as_at)
            self._patient(rng, scene, family, other, member, identity)

    def _patient(
        self, rng: Random, scene: Scene, family: Family, source: Origin, member: Member, first: str
    ) -> str:
        """Add a patient; `first`: the record that the trust has of this person already."""
        person, chance, record = member.person, rates("health"), int(bool(first))
        seen = see(rng, source, member, siblings(family, person))
        status = _number(rng, family, person, seen, record)
        holding_name(rng, scene.as_at, family, person, seen)
        restricted = rng.random() < chance["restricted"]
        if restricted:
            seen.operators.append("restricted")
        elif rng.random() < chance["pseudo_postcode"]:
            seen.postcode = NO_FIXED_ABODE
            seen.operators.append("pseudo_postcode")
        identity = f"rxf-{local_id(person.serial, KEY, record)}"
        place = {} if restricted else fhir.place_of(person, seen)
        names = fhir.names_of(rng, person, seen)
        patient = fhir.patient(identity, person, seen, status, names, place)
        if first and scene.rng(f"{FEED}/{identity}").random() < chance["merged_patient"]:
            patient = fhir.merged(patient, first)
            seen.operators.append("merged")
        self._keep("patients", patient)
        self.truth.record(FEED, SYSTEM, identity, person.person_id, seen.operators)
        return identity

    def _services(self, rng: Random, scene: Scene, person: Person, identity: str) -> None:
        case = bool(scene.needs(person))
        services = _involved(rng, scene, person, case)
        for number, (name, start, end) in enumerate(services):
            self._keep("episodes_of_care", fhir.episode(identity, number, name, start, end))
        earliest = max(scene.year_start, person.birth)
        span = (scene.as_at - earliest).days
        for number in range(rng.choices((0, 1, 2, 3), cum_weights=(0.6, 0.85, 0.95, 1.0))[0]):
            on = shift(earliest, rng.randint(0, span))
            self._keep(
                "encounters", fhir.encounter(rng, identity, number, on, person.age(scene.as_at))
            )
        for number in range(rng.choice((0, 0, 1, 1, 2)) if services else 0):
            on = min(on_working_day(shift(earliest, rng.randint(0, span))), scene.as_at)
            missed = rng.random() < (0.25 if case else 0.06)
            self._keep(
                "appointments", fhir.appointment(rng, identity, number, on, services[-1][0], missed)
            )

    def _flags(self, scene: Scene, person: Person, identity: str) -> None:
        """Mark the record as the trust hears of plans and of children looked after; some by mistake."""
        rng, chance = scene.rng(f"{FEED}/flags/{identity}"), rates("health")
        spells: dict[str, ProtectionPlan | Care] = {}
        for need in scene.needs(person):
            spells |= {"CPP": need.protection} if need.protection else {}
            spells |= {"LAC": need.care} if need.care else {}
        for code, spell in spells.items():
            if rng.random() < chance["flag"]:
                self._keep("flags", fhir.flag(identity, code, spell.start, spell.end))
        if rng.random() < chance["flag_mistaken"]:
            mistaken = fhir.flag(identity, "DA", scene.as_at, None, mistaken=True)
            self._keep("flags", mistaken)
            self.truth.fault(FEED, "flags", identity, person.person_id, "entered_in_error", "")

    def _keep(self, table: str, resource: fhir.Resource) -> None:
        (self.clinic if self.at_clinic else self.lines)[table].append(compact(resource))

    def write(self, landing: Landing, as_at: date) -> None:
        """Write one NDJSON file for each resource type, and one Bundle of the clinic's resources."""
        self._group_contact()
        for table, resource in RESOURCES.items():
            lines = self.lines[table]
            content = "".join(line + "\n" for line in lines).encode()
            landing.put(
                FEED,
                table,
                f"health_{SYSTEM}_{resource}_{stamp(as_at)}_001.ndjson",
                content,
                len(lines),
            )

        self._write_bundle(landing, as_at)

    def _write_bundle(self, landing: Landing, as_at: date) -> None:
        resources = [line for lines in self.clinic.values() for line in lines]
        if not resources:
            return  # so few families that none lives near the border
        name = f"health_{SYSTEM}_Bundle_{stamp(as_at)}_001.json"
        landing.put(FEED, "bundle", name, fhir.bundle(resources).encode(), len(resources))

    def _group_contact(self) -> None:
        """A contact with a parents' group, which is nobody's."""
        contact = {
            "resourceType": "Encounter", "id": "enc-19999999-0", "status": "finished", "class": {"code": "AMB"},
            "subject": {"reference": "Group/19999999"}, "period": {"start": "2025-06-02T10:00:00Z"},
        }  # fmt: skip
        self.lines["encounters"].append(compact(contact))
        self.truth.fault(FEED, "encounters", "enc-19999999-0", "", "subject_is_group", "quarantine")


def _registered(rng: Random, scene: Scene, family: Family, member: Member) -> bool:
    person, chance = member.person, rates("health")
    if person.is_child:
        return (
            not person.unborn
            and not person.adopted_away_on
            and rng.random() < chance["community_trust"]
        )
    baby = any(
        m.person.mother_id == person.person_id and m.person.birth > scene.year_start
        for m in family.children
    )
    return member.role == "mother" and baby and rng.random() < chance["mother_of_baby"]


def _number(rng: Random, family: Family, person: Person, seen: Sighting, record: int) -> str:
    """Set the NHS number on the record and return its verification status: 01 verified, 02 not traced, 03 to trace."""
    chance = rates("health")
    if record or rng.random() < chance["no_nhs_number"]:
        seen.nhs = ""
        seen.operators.append("no_nhs_number")
        return "03"
    twins, others = siblings(family, person, twins=True), siblings(family, person)
    if twins and rng.random() < chance["twin_number"]:
        take_number(seen, twins[0], "nhs_number_of_twin")
        return "02"
    if others and rng.random() < chance["sibling_number"]:
        take_number(seen, rng.choice(others), "nhs_number_of_sibling")
        return "02"
    return "01" if rng.random() < 0.97 else "02"


def _involved(
    rng: Random, scene: Scene, person: Person, case: bool
) -> list[tuple[str, date, date | None]]:
    """Return the services that work or worked with a child, with the days they began and, if so, ended."""
    age, as_at = person.age(scene.as_at), scene.as_at
    open_now: list[tuple[str, date, date | None]] = [
        (name, shift(person.birth, 365 * low + 10), None)
        for name, low, high in UNIVERSAL
        if low <= age <= high
    ]
    for name, low, high, share in SOMETIMES:
        if low <= age < high and rng.random() < share * (WITH_A_CASE if case else 1.0):
            start = max(shift(as_at, -rng.randint(20, 500)), shift(person.birth, 1))
            end = shift(start, rng.randint(60, 400))
            open_now.append((name, start, end if end <= as_at else None))
    return [service for service in open_now if service[1] <= as_at]
