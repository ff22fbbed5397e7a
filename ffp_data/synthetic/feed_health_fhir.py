"""Community health trust: FHIR R4 resources as UK Core shapes them, one JSON object a line.
Children up to eighteen and the mothers of babies; health visiting, school nursing, CAMHS and
paediatrics as episodes of care; contacts and appointments of the last year, with children who
were not brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from ffp_data.synthetic.codes import NHS_ETHNICITY
from ffp_data.synthetic.noise import Origin, Sighting, holding_name, origin, see
from ffp_data.synthetic.people import Family, Member, Person, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings, take_number
from ffp_data.synthetic.school_terms import on_working_day
from ffp_data.synthetic.writing import Landing, compact, stamp

FEED, SYSTEM = "health_fhir", "RXF"
KEY = 21
UK_CORE = "https://fhir.hl7.org.uk"
NHS_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
GENDER = {"M": "male", "F": "female"}
SERVICES = (("Health visiting", 0, 5), ("School nursing", 5, 17))
SOMETIMES = (
    ("CAMHS", 8, 18, 0.035),
    ("Community paediatrics", 1, 17, 0.04),
    ("Speech and language therapy", 2, 12, 0.05),
)
LANGUAGES = {
    "polish": "pl",
    "romanian": "ro",
    "portuguese": "pt",
    "lithuanian": "lt",
    "turkish": "tr",
    "somali": "so",
    "arabic": "ar",
    "bangladeshi": "bn",
    "pakistani": "ur",
    "sikh": "pa",
}


@dataclass
class HealthFhir:
    """Collects resources of all units, then writes one file for each resource type."""

    truth: Truth
    patients: list[str] = field(default_factory=list)
    episodes: list[str] = field(default_factory=list)
    encounters: list[str] = field(default_factory=list)
    appointments: list[str] = field(default_factory=list)

    def add(self, scene: Scene) -> None:
        """Add the patients of a unit, with their episodes, encounters and appointments."""
        rng, chance, made = scene.rng(FEED), rates("health"), set()
        for family in scene.unit.families:
            source = origin(rng, FEED, family.moved_on, scene.as_at)
            if family.left_on:
                continue  # registered with another trust since
            for member in family.members:
                person = member.person
                if person.person_id in made or not _registered(rng, scene, family, member):
                    continue
                made.add(person.person_id)
                patient = self._patient(rng, scene, family, source, member)
                if person.is_child:
                    self._contacts(rng, scene, person, patient)
                    if rng.random() < chance["duplicate_patient"]:
                        self._patient(
                            rng,
                            scene,
                            family,
                            origin(rng, FEED, family.moved_on, scene.as_at),
                            member,
                            record=1,
                        )

    def _patient(
        self,
        rng: Random,
        scene: Scene,
        family: Family,
        source: Origin,
        member: Member,
        record: int = 0,
    ) -> str:
        person = member.person
        seen = see(rng, source, member, siblings(family, person))
        status = _number(rng, family, person, seen, record)
        holding_name(rng, scene.as_at, family, person, seen)
        patient = f"rxf-{local_id(person.serial, KEY, record)}"
        restricted = rng.random() < rates("health")["restricted"]
        self.patients.append(compact(_resource(rng, patient, person, seen, status, restricted)))
        self.truth.record(FEED, SYSTEM, patient, person.person_id, seen.operators)
        return patient

    def _contacts(self, rng: Random, scene: Scene, person: Person, patient: str) -> None:
        age, as_at = person.age(scene.as_at), scene.as_at
        services = [
            (name, shift(person.birth, 365 * low + 10))
            for name, low, high in SERVICES
            if low <= age <= high
        ]
        need = 3.0 if scene.needs(person) else 1.0
        services += [
            (name, shift(as_at, -rng.randint(20, 500)))
            for name, low, high, rate in SOMETIMES
            if low <= age < high and rng.random() < rate * need
        ]
        for number, (name, begun) in enumerate(services):
            start = max(begun, shift(person.birth, 1))
            if start > as_at:
                continue
            ended = (
                shift(start, rng.randint(60, 400))
                if name not in ("Health visiting", "School nursing")
                else None
            )
            self.episodes.append(
                compact(
                    _episode(
                        patient, number, name, start, ended if ended and ended <= as_at else None
                    )
                )
            )
        earliest = max(scene.year_start, person.birth)
        span = (as_at - earliest).days
        for number in range(
            rng.choices((0, 1, 2, 3), cum_weights=(0.6, 0.85, 0.95, 1.0))[0] if span > 0 else 0
        ):
            on = shift(earliest, rng.randint(0, span))
            self.encounters.append(compact(_encounter(rng, patient, number, on, age)))
        missed = 0.25 if need > 1 else 0.06
        for number in range(rng.choice((0, 0, 1, 1, 2)) if span > 20 and services else 0):
            on = on_working_day(shift(earliest, rng.randint(0, span - 15)))
            self.appointments.append(
                compact(
                    _appointment(
                        rng, patient, number, min(on, as_at), services[-1][0], rng.random() < missed
                    )
                )
            )

    def write(self, landing: Landing, as_at: date) -> None:
        """Write one NDJSON file for each resource type."""
        parts = (("patients", "Patient", self.patients), ("episodes_of_care", "EpisodeOfCare", self.episodes),
                 ("encounters", "Encounter", self.encounters),
                 ("appointments", "Appointment", self.appointments))  # fmt: skip
        for table, resource, lines in parts:
            content = "".join(line + "\n" for line in lines).encode()
            landing.put(
                FEED,
                table,
                f"health_{SYSTEM}_{resource}_{stamp(as_at)}_001.ndjson",
                content,
                len(lines),
            )


def _registered(rng: Random, scene: Scene, family: Family, member: Member) -> bool:
    person, chance = member.person, rates("health")
    if person.is_child:
        return (
            not person.unborn
            and not person.adopted_away_on
            and rng.random() < chance["community_trust"]
        )
    babies = any(
        m.person.mother_id == person.person_id and m.person.birth > shift(scene.as_at, -365)
        for m in family.children
    )
    return member.role == "mother" and babies and rng.random() < chance["mother_of_baby"]


def _number(rng: Random, family: Family, person: Person, seen: Sighting, record: int) -> str:
    """Set the NHS number on the record and return its verification status (01 verified, 03 trace required)."""
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


def _resource(
    rng: Random, patient: str, person: Person, seen: Sighting, status: str, restricted: bool
) -> dict[str, Any]:
    names: list[dict[str, Any]] = [
        {
            "use": "usual",
            "family": seen.surname,
            "given": [seen.given, *filter(None, [seen.middle])],
        }
    ]
    if person.former and rng.random() < 0.4:
        names.append(
            {"use": "old", "family": person.former.surname, "given": [person.former.given]}
        )
    elif person.preferred and rng.random() < 0.3:
        names.append({"use": "nickname", "family": seen.surname, "given": [person.preferred]})
    birth = seen.birth or person.birth
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": patient,
        "meta": {
            "versionId": "1",
            "profile": [f"{UK_CORE}/StructureDefinition/UKCore-Patient"],
            "security": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
                    "code": "R" if restricted else "U",
                }
            ],
        },
        "extension": _extensions(person),
        "identifier": _identifiers(patient, seen, status),
        "active": True,
        "name": names,
        "gender": GENDER.get(seen.sex, "unknown"),
        "birthDate": birth.isoformat(),
    }
    if seen.birth_order:
        resource["multipleBirthInteger"] = seen.birth_order
    if not restricted:
        pseudo = rng.random() < rates("health")["pseudo_postcode"]
        resource["address"] = [
            {
                "use": "home",
                "line": [seen.address_line, seen.address.town],
                "postalCode": "ZZ99 3VZ" if pseudo else seen.postcode,
            }
        ]
        if seen.phone:
            resource["telecom"] = [{"system": "phone", "value": seen.phone, "use": "mobile"}]
        resource["generalPractitioner"] = [
            {
                "type": "Organization",
                "identifier": {
                    "system": "https://fhir.nhs.uk/Id/ods-organization-code",
                    "value": f"XF{person.serial % 40 + 100:03d}",
                },
            }
        ]
    else:
        seen.operators.append("restricted")
    return resource


def _identifiers(patient: str, seen: Sighting, status: str) -> list[dict[str, Any]]:
    local = {"system": "https://fenmarch-community.example.com/patient", "value": patient}
    if not seen.nhs:
        return [local]
    code_system = f"{UK_CORE}/CodeSystem/UKCore-NHSNumberVerificationStatus"
    extension = {
        "url": f"{UK_CORE}/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
        "valueCodeableConcept": {"coding": [{"system": code_system, "code": status}]},
    }
    return [{"extension": [extension], "system": NHS_SYSTEM, "value": seen.nhs}, local]


def _extensions(person: Person) -> list[dict[str, Any]]:
    ethnic = {
        "url": f"{UK_CORE}/StructureDefinition/Extension-UKCore-EthnicCategory",
        "valueCodeableConcept": {
            "coding": [
                {
                    "system": f"{UK_CORE}/CodeSystem/UKCore-EthnicCategory",
                    "code": NHS_ETHNICITY[person.ethnicity],
                }
            ]
        },
    }
    if person.tradition not in LANGUAGES or person.serial % 3:
        return [ethnic]
    language = {
        "coding": [
            {
                "system": f"{UK_CORE}/CodeSystem/UKCore-HumanLanguage",
                "code": LANGUAGES[person.tradition],
            }
        ]
    }
    parts = [
        {"url": "language", "valueCodeableConcept": language},
        {"url": "interpreterRequired", "valueBoolean": not person.is_child},
    ]
    return [
        ethnic,
        {
            "url": f"{UK_CORE}/StructureDefinition/Extension-UKCore-NHSCommunication",
            "extension": parts,
        },
    ]


def _episode(
    patient: str, number: int, service: str, start: date, end: date | None
) -> dict[str, Any]:
    period = {"start": start.isoformat()} | ({"end": end.isoformat()} if end else {})
    return {
        "resourceType": "EpisodeOfCare",
        "id": f"eoc-{patient[4:]}-{number}",
        "status": "finished" if end else "active",
        "type": [{"text": service}],
        "patient": {"reference": f"Patient/{patient}"},
        "managingOrganization": {
            "identifier": {
                "system": "https://fhir.nhs.uk/Id/ods-organization-code",
                "value": SYSTEM,
            }
        },
        "period": period,
        "careManager": {"display": f"{service} duty worker"},
        "team": [{"display": f"01632 960{len(service) * 7:03d}"}],
    }


def _encounter(rng: Random, patient: str, number: int, on: date, age: int) -> dict[str, Any]:
    kinds = (("EMER", "Urgent treatment centre", ("Fall", "Head injury", "Fever", "Burn", "Fracture", "Ingestion")),
             ("HH", "Home visit", ("New birth visit", "Two year review", "Feeding", "Home conditions")),
             ("AMB", "Clinic", ("Review", "Weight check", "Immunisation", "Behaviour", "Sleep")))  # fmt: skip
    code, kind, reasons = kinds[
        rng.choices((0, 1, 2), cum_weights=(0.35, 0.6 if age < 5 else 0.38, 1.0))[0]
    ]
    hour, minute = (
        (rng.randint(0, 23) if code == "EMER" else rng.randint(9, 16)),
        rng.randrange(0, 60, 5),
    )
    return {
        "resourceType": "Encounter",
        "id": f"enc-{patient[4:]}-{number}",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code},
        "type": [{"text": kind}],
        "subject": {"reference": f"Patient/{patient}"},
        "period": {
            "start": f"{on}T{hour:02d}:{minute:02d}:00Z",
            "end": f"{on}T{hour:02d}:{min(59, minute + 25):02d}:00Z",
        },
        "reasonCode": [{"text": rng.choice(reasons)}],
        "serviceProvider": {
            "identifier": {
                "system": "https://fhir.nhs.uk/Id/ods-organization-code",
                "value": SYSTEM,
            }
        },
    }


def _appointment(
    rng: Random, patient: str, number: int, on: date, service: str, missed: bool
) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": f"app-{patient[4:]}-{number}",
        "status": "noshow"
        if missed
        else rng.choice(("fulfilled", "fulfilled", "fulfilled", "cancelled")),
        "serviceType": [{"text": service}],
        "start": f"{on}T{rng.randint(9, 16):02d}:{rng.randrange(0, 60, 15):02d}:00Z",
        "participant": [{"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}],
    }
