"""Probation region: adults on probation as nested JSON, their supervisions, registers and named
contacts, and the changes since the last file. Registers follow the children's case: RCPR while
a child has a protection plan, RCCO while one is in need."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from ffp_data.synthetic import numbers
from ffp_data.synthetic.noise import Sighting, origin, see
from ffp_data.synthetic.people import Family, Member, Person, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import SECOND, Scene, Truth, local_id
from ffp_data.synthetic.writing import Landing, compact, stamp

FEED, SYSTEM = "probation", "ndelius"
KEY = 24
REGISTERS = {"RCCO": "Child concerns", "RCPR": "Child protection", "RCHD": "Risk to children",
             "ADVP": "Domestic abuse perpetrator",
             "RMRH": "Medium risk of serious harm", "RHRH": "High risk of serious harm",
             "MAPP": "MAPPA"}  # fmt: skip
OFFENCES = (
    "Assault occasioning actual bodily harm",
    "Common assault",
    "Supplying a controlled drug",
    "Burglary, dwelling",
    "Theft from shops",
    "Driving with excess alcohol",
    "Breach of restraining order",
    "Criminal damage",
)
MANAGERS = ("Jo Marlow", "Sam Ferris", "Ade Bright", "Lin Hart", "Pat Kemble", "Max Tolley")


@dataclass
class Probation:
    """Collects persons and events of all units, then writes both files."""

    truth: Truth
    persons: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    supervised: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Supervisions by person, as the first record has them: the prisons hold the same sentences."""

    def add(self, scene: Scene) -> None:
        """Add the parents of a unit who are on probation."""
        rng, chance, made = scene.rng(FEED), rates("probation"), set()
        for family in scene.unit.families:
            case = bool(scene.stories[family.family_id].children)
            for member in family.adults:
                share = chance["parent_with_case"] if case else chance["parent"]
                often = 1.7 if member.person.sex == "M" else 0.3
                if member.person.person_id in made or rng.random() >= share * often:
                    continue
                made.add(member.person.person_id)
                self._person(rng, scene, family, member)
                if rng.random() < chance["second_crn"]:
                    self._person(rng, scene, family, member, record=1)

    def _person(
        self, rng: Random, scene: Scene, family: Family, member: Member, record: int = 0
    ) -> None:
        person, chance = member.person, rates("probation")
        seen = see(rng, origin(rng, FEED, member.moved_on, scene.as_at), member)
        crn = numbers.crn(person.serial, record)
        birth: date | None = seen.birth
        if rng.random() < chance["default_birth_date"]:
            birth = rng.choice((date(1900, 1, 1), date(1970, 1, 1)))
            seen.operators.append("default_birth_date")
        if rng.random() < chance["dummy_postcode"]:
            seen.postcode, seen.address_line = rng.choice(("NF1 1NF", "NF1 1FA")), "No fixed abode"
            seen.operators.append("dummy_postcode")
        if rng.random() < chance["migration_word"]:
            seen.surname = f"MIG_ERROR_{seen.surname}"
            seen.operators.append("word_in_name")
        supervisions = _supervisions(rng, scene.as_at)
        self.supervised.setdefault(person.person_id, supervisions)
        risks = _risks(rng, scene, family)
        document = _document(rng, person, seen, birth, crn) | {
            "supervisions": supervisions,
            "dynamicRisks": risks,
            "personalContacts": _contacts(rng, family, member),
            "underActiveSupervision": any(s["active"] for s in supervisions),
            "currentRestriction": rng.random() < chance["restricted"],
            "currentExclusion": rng.random() < chance["restricted"] / 2,
        }
        self.persons.append(compact(document))
        self.truth.record(FEED, SYSTEM, crn, person.person_id, seen.operators)
        self._changes(scene, person, crn, supervisions, risks, record)

    def _changes(
        self,
        scene: Scene,
        person: Person,
        crn: str,
        supervisions: list[dict[str, Any]],
        risks: list[dict[str, Any]],
        record: int,
    ) -> None:
        dated = [
            ("probation-case.sentence.created", s["sentence"]["date"], "") for s in supervisions
        ]
        dated += [("probation-case.registration.added", r["startDate"], r["code"]) for r in risks]
        for number, (kind, on, code) in enumerate(dated):
            if on < scene.year_start.isoformat():
                continue
            event = {
                "eventId": f"EM{local_id(person.serial + record * SECOND, KEY)}{number}",
                "eventType": kind,
                "occurredAt": f"{on}T10:{number:02d}:00Z",
                "personReference": {"identifiers": [{"type": "CRN", "value": crn}]},
                "additionalInformation": {"registerTypeCode": code} if code else {},
            }
            self.events.append(compact(event))

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the persons and the events."""
        for table, kind, lines in (
            ("persons", "person", self.persons),
            ("events", "event", self.events),
        ):
            content = "".join(line + "\n" for line in lines).encode()
            landing.put(
                FEED, table, f"probation_EM_{kind}_{stamp(as_at)}_001.ndjson", content, len(lines)
            )


def _document(
    rng: Random, person: Person, seen: Sighting, birth: date | None, crn: str
) -> dict[str, Any]:
    identifiers: dict[str, str] = {"crn": crn}
    if person.serial % 3 == 0 or rng.random() < 0.5:
        identifiers["pnc"] = numbers.pnc_id(person.serial, person.birth.year + 19)
    if rng.random() < 0.35:
        identifiers["prisonerNumber"] = numbers.prison_number(person.serial)
    name = {"forename": seen.given, "surname": seen.surname} | (
        {"middleName": seen.middle} if seen.middle else {}
    )
    document: dict[str, Any] = {
        "identifiers": identifiers,
        "name": name,
        "dateOfBirth": birth.isoformat() if birth else None,
        "gender": {"code": seen.sex},
        "addresses": [
            {
                "fullAddress": f"{seen.address_line}, {seen.address.town}",
                "postcode": seen.postcode,
                "status": {"code": "M"},
            }
        ],
        "contactDetails": {"mobile": seen.phone} if seen.phone else {},
        "communityManager": {
            "name": rng.choice(MANAGERS),
            "team": f"Fenmarch {rng.choice('ABC')}",
            "telephone": f"01632 960{rng.randint(100, 199)}",
        },
    }
    if person.former and rng.random() < 0.5:
        document["previousSurname"] = person.former.surname
    return document


def _supervisions(rng: Random, as_at: date) -> list[dict[str, Any]]:
    found = []
    for number in range(1, rng.choice((1, 1, 1, 2)) + 1):
        on = shift(as_at, -rng.randint(20, 1200))
        custodial = rng.random() < 0.3
        length = rng.randint(180, 900)
        sentence: dict[str, Any] = {
            "description": "Imprisonment" if custodial else "Community order",
            "date": on.isoformat(),
            "custodial": custodial,
        }
        release = shift(on, length // 2)
        if custodial:
            sentence["expectedReleaseDate"] = release.isoformat()
            if release <= as_at:
                sentence["releasedDate"] = release.isoformat()
        found.append(
            {
                "number": number,
                "active": shift(on, length) > as_at,
                "sentence": sentence,
                "mainOffence": {"description": rng.choice(OFFENCES)},
            }
        )
    return found


def _risks(rng: Random, scene: Scene, family: Family) -> list[dict[str, Any]]:
    story = scene.stories[family.family_id]
    dated: dict[str, date] = {}
    for need in story.needs:
        if need.protection and not need.protection.end:
            dated["RCPR"] = need.protection.start
        elif not need.closed and not need.nfa:
            dated["RCCO"] = need.referral
    if rng.random() < 0.35:
        dated[rng.choice(("ADVP", "RCHD", "RMRH", "RHRH", "MAPP"))] = shift(
            scene.as_at, -rng.randint(10, 700)
        )
    return [
        {
            "code": code,
            "description": REGISTERS[code],
            "startDate": on.isoformat(),
            "reviewDate": shift(on, 180).isoformat(),
            "notes": "See file.",
        }
        for code, on in dated.items()
    ]


def _contacts(rng: Random, family: Family, member: Member) -> list[dict[str, Any]]:
    """The people whom the adult names: half of them name each child, without a birth date."""
    others = [
        ("Partner" if m.in_home and member.in_home else "Ex-partner", m.person)
        for m in family.adults
        if m is not member and m.role == "mother"
    ]
    named = [
        ("Child", m.person) for m in family.children if not m.person.unborn and rng.random() < 0.5
    ]
    return [
        {
            "number": n,
            "relationship": relation,
            "name": {"forename": p.name.given, "surname": p.name.surname},
        }
        for n, (relation, p) in enumerate(others + named, start=1)
    ]
