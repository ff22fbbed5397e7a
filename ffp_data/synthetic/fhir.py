"""FHIR R4 resources in the shape of UK Core 2.0.0: Patient, EpisodeOfCare, Encounter, Appointment, Flag,
and the Bundle that holds resources of several kinds, as plain mappings. An element without a value is
left out."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from ffp_data.synthetic.codes import NHS_ETHNICITY
from ffp_data.synthetic.noise import Sighting
from ffp_data.synthetic.people import Person

UK_CORE = "https://fhir.hl7.org.uk"
CODES = "http://terminology.hl7.org/CodeSystem"
NHS_SYSTEM, ODS_SYSTEM = (
    "https://fhir.nhs.uk/Id/nhs-number",
    "https://fhir.nhs.uk/Id/ods-organization-code",
)
FLAG_SYSTEM = "https://fenmarch-community.example.com/safeguarding-flag"
LOCAL_SYSTEM = "https://fenmarch-community.example.com/patient"
TRUST = "RXF"
GENDER = {"M": "male", "F": "female"}
LANGUAGES = {
    "polish": "pl", "romanian": "ro", "portuguese": "pt", "lithuanian": "lt", "turkish": "tr", "somali": "so",
    "arabic": "ar", "bangladeshi": "bn", "pakistani": "ur", "sikh": "pa",
}  # fmt: skip
ENCOUNTERS = (
    (
        "EMER",
        "Urgent treatment centre",
        ("Fall", "Head injury", "Fever", "Burn", "Fracture", "Ingestion"),
    ),
    ("HH", "Home visit", ("New birth visit", "Two year review", "Feeding", "Home conditions")),
    ("AMB", "Clinic", ("Review", "Weight check", "Immunisation", "Behaviour", "Sleep")),
)

Resource = dict[str, Any]


def _structure(name: str) -> str:
    return f"{UK_CORE}/StructureDefinition/{name}"


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{UK_CORE}/CodeSystem/{system}", "code": code}]}


def _organisation(code: str) -> Resource:
    return {"type": "Organization", "identifier": {"system": ODS_SYSTEM, "value": code}}


def patient(
    identity: str,
    person: Person,
    seen: Sighting,
    status: str,
    names: list[Resource],
    place: Resource,
) -> Resource:
    """Return a Patient. place: the address, telephone and practice; a restricted patient has none of them."""
    order = {"multipleBirthInteger": seen.birth_order} if seen.birth_order else {}
    security = {"system": f"{CODES}/v3-Confidentiality", "code": "U" if place else "R"}
    return {
        "resourceType": "Patient",
        "id": identity,
        "meta": {
            "versionId": "1",
            "profile": [_structure("UKCore-Patient")],
            "security": [security],
        },
        "extension": _extensions(person),
        "identifier": _identifiers(identity, seen.nhs, status),
        "active": True,
        "name": names,
        "gender": GENDER.get(seen.sex, "unknown"),
        "birthDate": (seen.birth or person.birth).isoformat(),
        **order,
        **place,
    }


def place_of(person: Person, seen: Sighting) -> Resource:
    """Return where and by whom a patient can be reached."""
    postcode = {"postalCode": seen.postcode} if seen.postcode else {}
    phone = (
        {"telecom": [{"system": "phone", "value": seen.phone, "use": "mobile"}]}
        if seen.phone
        else {}
    )
    return {
        "address": [{"use": "home", "line": [seen.address_line, seen.address.town], **postcode}],
        **phone,
        "generalPractitioner": [_organisation(f"XF{person.serial % 40 + 100:03d}")],
    }


def names_of(rng: Random, person: Person, seen: Sighting) -> list[Resource]:
    """Return the usual name and, for some, an old or a preferred one."""
    usual = {
        "use": "usual",
        "family": seen.surname,
        "given": [n for n in (seen.given, seen.middle) if n],
    }
    if person.former and rng.random() < 0.4:
        return [
            usual,
            {"use": "old", "family": person.former.surname, "given": [person.former.given]},
        ]
    if person.preferred and rng.random() < 0.3:
        return [usual, {"use": "nickname", "family": seen.surname, "given": [person.preferred]}]
    return [usual]


def _identifiers(identity: str, nhs_number: str, status: str) -> list[Resource]:
    local = {"system": LOCAL_SYSTEM, "value": identity}
    if not nhs_number:
        return [local]
    verified = {
        "url": _structure("Extension-UKCore-NHSNumberVerificationStatus"),
        "valueCodeableConcept": _coded("UKCore-NHSNumberVerificationStatus", status),
    }
    return [{"extension": [verified], "system": NHS_SYSTEM, "value": nhs_number}, local]


def _extensions(person: Person) -> list[Resource]:
    """Return the ethnic category, and for some families their language."""
    ethnic = {
        "url": _structure("Extension-UKCore-EthnicCategory"),
        "valueCodeableConcept": _coded("UKCore-EthnicCategory", NHS_ETHNICITY[person.ethnicity]),
    }
    if person.tradition not in LANGUAGES or person.serial % 3:
        return [ethnic]
    language = _coded("UKCore-HumanLanguage", LANGUAGES[person.tradition])
    parts = [
        {"url": "language", "valueCodeableConcept": language},
        {"url": "interpreterRequired", "valueBoolean": not person.is_child},
    ]
    return [ethnic, {"url": _structure("Extension-UKCore-NHSCommunication"), "extension": parts}]


def episode(identity: str, number: int, service: str, start: date, end: date | None) -> Resource:
    """Return the involvement of a service with a patient."""
    return {
        "resourceType": "EpisodeOfCare",
        "id": f"eoc-{identity[4:]}-{number}",
        "status": "finished" if end else "active",
        "type": [{"text": service}],
        "patient": {"reference": f"Patient/{identity}"},
        "managingOrganization": _organisation(TRUST),
        "period": {"start": start.isoformat()} | ({"end": end.isoformat()} if end else {}),
        "careManager": {"display": f"{service} duty worker"},
        "team": [{"display": f"01632 960{len(service) * 7:03d}"}],
    }


def encounter(rng: Random, identity: str, number: int, on: date, age: int) -> Resource:
    """Return a contact: urgent, at home or in clinic."""
    kind = rng.choices(ENCOUNTERS, cum_weights=(0.35, 0.6 if age < 5 else 0.38, 1.0))[0]
    code, name, reasons = kind
    hour = rng.randint(0, 23) if code == "EMER" else rng.randint(9, 16)
    minute = rng.randrange(0, 35, 5)
    return {
        "resourceType": "Encounter",
        "id": f"enc-{identity[4:]}-{number}",
        "status": "finished",
        "class": {"system": f"{CODES}/v3-ActCode", "code": code},
        "type": [{"text": name}],
        "subject": {"reference": f"Patient/{identity}"},
        "period": {
            "start": f"{on}T{hour:02d}:{minute:02d}:00Z",
            "end": f"{on}T{hour:02d}:{minute + 25:02d}:00Z",
        },
        "reasonCode": [{"text": rng.choice(reasons)}],
        "serviceProvider": _organisation(TRUST),
    }


def appointment(
    rng: Random, identity: str, number: int, on: date, service: str, missed: bool
) -> Resource:
    """Return an appointment; `missed`: the child was not brought."""
    kept = rng.choice(("fulfilled", "fulfilled", "fulfilled", "cancelled"))
    return {
        "resourceType": "Appointment",
        "id": f"app-{identity[4:]}-{number}",
        "status": "noshow" if missed else kept,
        "serviceType": [{"text": service}],
        "start": f"{on}T{rng.randint(9, 16):02d}:{rng.randrange(0, 60, 15):02d}:00Z",
        "participant": [{"actor": {"reference": f"Patient/{identity}"}, "status": "accepted"}],
    }


def merged(patient: Resource, survivor: str) -> Resource:
    """Return the Patient as the trust left it when it found that `survivor` is the same child."""
    link = {"other": {"reference": f"Patient/{survivor}"}, "type": "replaced-by"}
    return {**patient, "active": False, "link": [link]}


def flag(
    identity: str, code: str, start: date, end: date | None, mistaken: bool = False
) -> Resource:
    """Return a safeguarding marker on a patient's record; `mistaken`: set on the wrong child and taken back."""
    known = {"resourceType": "Flag", "id": f"flag-{identity[4:]}-{code.lower()}"}
    if mistaken:
        return {
            **known,
            "status": "entered-in-error",
            "subject": {"reference": f"Patient/{identity}"},
        }
    return {
        **known,
        "status": "inactive" if end else "active",
        "category": [{"text": "Safeguarding"}],
        "code": {"coding": [{"system": FLAG_SYSTEM, "code": code}]},
        "subject": {"reference": f"Patient/{identity}"},
        "period": {"start": start.isoformat()} | ({"end": end.isoformat()} if end else {}),
        "author": {"display": "Safeguarding team"},
    }


def bundle(resources: list[str]) -> str:
    """Return a Bundle of resources that are written already, an entry on each line."""
    head = f'{{"resourceType":"Bundle","type":"searchset","total":{len(resources)},"entry":['
    return head + "\n" + ",\n".join(f'{{"resource":{each}}}' for each in resources) + "\n]}\n"
