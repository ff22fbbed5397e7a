"""Prisons: who is held or was released lately, whom each prisoner names as family, and what happened
since the last file. Sentences are those that probation holds for the same people, so that the two feeds
tell one story: some were on remand before, a few are on remand with no sentence at all. Children are
declared at reception or not at all; some have no date of birth, some only a nickname."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from ffp_data.synthetic import numbers
from ffp_data.synthetic.feed_probation import Probation
from ffp_data.synthetic.names import variants
from ffp_data.synthetic.noise import Sighting, origin, see
from ffp_data.synthetic.people import Family, Member, Person, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.writing import Landing, compact, stamp

FEED, SYSTEM = "prison", "nomis"
KEY = 31
PRISON = {"prisonId": "MMR", "prisonName": "HMP Marchmoor"}
PRISON_ADDRESS = ("HMP Marchmoor, Moor Road, Fenwick", "XF99 9HM")
RECEIVED = "prisoner-offender-search.prisoner.received"
RELEASED = "prisoner-offender-search.prisoner.released"
MERGED = "prison-offender-events.prisoner.merged"
KEPT_AFTER_RELEASE = 730  # days
STATES = {  # status, inOutStatus, last movement
    "in": ("ACTIVE IN", "IN", "ADM", "I"),
    "court": ("ACTIVE OUT", "OUT", "CRT", "CA"),
    "out": ("INACTIVE OUT", "OUT", "REL", "CR"),
}


@dataclass(frozen=True)
class Spell:
    """One stay in prison. `sentenced_on` None on remand; `release` may lie ahead, or be unknown."""

    admitted: date
    sentenced_on: date | None
    release: date | None
    released: bool


@dataclass
class Prison:
    """Collects prisoners, contacts and events of all units, then writes the three files."""

    truth: Truth
    probation: Probation
    prisoners: list[str] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def add(self, scene: Scene) -> None:
        """Add the adults of a unit who are or were lately in prison."""
        rng = scene.rng(FEED)
        for _, member in scene.unit.each():
            if member.role == "child":
                continue
            spell = self._spell(rng, scene, member.person)
            if spell:
                self._prisoner(rng, scene, member, spell)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the three files; one contact is an official one, which no agreement covers."""
        official = {"prisonerNumber": "A0000ZZ", "contactId": 19999999, "firstName": "Test", "lastName": "Solicitor",
                    "relationshipTypeCode": "O", "relationshipToPrisonerCode": "OTHER"}  # fmt: skip
        self.truth.fault(FEED, "contacts", "A0000ZZ", "", "official_contact", "quarantine")
        for table, lines in (
            ("prisoners", self.prisoners),
            ("contacts", [*self.contacts, compact(official)]),
            ("events", self.events),
        ):
            content = "".join(line + "\n" for line in lines).encode()
            name = f"prison_{table.removesuffix('s')}_{stamp(as_at)}_001.ndjson"
            landing.put(FEED, table, name, content, len(lines))

    def _spell(self, rng: Random, scene: Scene, person: Person) -> Spell | None:
        """The last stay that is not long over: of a sentence that probation holds, else on remand."""
        chance, as_at = rates("prison"), scene.as_at
        stays = [s["sentence"] for s in self.probation.supervised.get(person.person_id, ())]
        custodial = sorted((s for s in stays if s["custodial"]), key=lambda s: str(s["date"]))
        if custodial:
            last = custodial[-1]
            sentenced = date.fromisoformat(last["date"])
            before = rng.randint(10, 120) if rng.random() < chance["remand_before_sentence"] else 0
            release = date.fromisoformat(last["expectedReleaseDate"])
            long_over = release < shift(as_at, -KEPT_AFTER_RELEASE)
            return (
                None
                if long_over
                else Spell(shift(sentenced, -before), sentenced, release, release <= as_at)
            )
        often = chance["remand"] * (1.8 if person.sex == "M" else 0.2)
        if rng.random() >= often:
            return None
        return Spell(shift(as_at, -rng.randint(3, 150)), None, None, released=False)

    def _prisoner(self, rng: Random, scene: Scene, member: Member, spell: Spell) -> None:
        person, chance = member.person, rates("prison")
        number = numbers.prison_number(person.serial)
        seen = see(rng, origin(rng, FEED, member.moved_on, scene.as_at), member)
        at_court = not spell.released and rng.random() < chance["court_trip"]
        state = "out" if spell.released else "court" if at_court else "in"
        families = [f for f in scene.unit.families if any(m.person is person for m in f.adults)]
        children = [(f, c) for f in families for c in _named_children(f)]
        address = _address(rng, seen)
        document = {
            "prisonerNumber": number,
            "pncNumberCanonicalLong": numbers.pnc_id(person.serial, person.birth.year + 19),
            "firstName": seen.given.upper(), "middleNames": seen.middle.upper(), "lastName": seen.surname.upper(),
            "dateOfBirth": (seen.birth or person.birth).isoformat(),
            "gender": {"M": "Male", "F": "Female"}[person.sex],
            "aliases": _aliases(rng, person),
            "addresses": [{"fullAddress": address[0], "postalCode": address[1], "primaryAddress": True}],
            "numberOfChildren": str(len(children)),
            "safeguardingTelephone": "01632 960199",
            **PRISON, **_custody(spell, state, scene.as_at),
        }  # fmt: skip
        self.prisoners.append(compact(document))
        self.truth.record(FEED, SYSTEM, number, person.person_id, seen.operators)
        self._events(rng, scene, person, spell, at_court)
        self._affected(scene, number, families, spell)
        if rng.random() >= chance["children_never_declared"]:
            for family, child in children:
                self._contact(rng, scene, number, person, family, child)
        self._partner(rng, scene, number, families, member)

    def _affected(self, scene: Scene, number: str, families: list[Family], spell: Spell) -> None:
        """Note whose parent or carer is held, or was released in the last ninety days."""
        if spell.released and spell.release and spell.release < shift(scene.as_at, -90):
            return
        since = spell.release if spell.released and spell.release else spell.admitted
        key, state = f"{FEED}|{SYSTEM}|{number}", "released" if spell.released else "held"
        for child in (c.person for family in families for c in family.children):
            if not child.adopted_away_on:
                self.truth.case("parent_in_prison", key, child.person_id, since, state)

    def _contact(
        self,
        rng: Random,
        scene: Scene,
        number: str,
        prisoner: Person,
        family: Family,
        child: Member,
    ) -> None:
        """A child as the prisoner named it: a record with a date of birth, else only a name."""
        source = origin(rng, FEED, child.moved_on, scene.as_at)
        seen = see(rng, source, child, siblings(family, child.person))
        if rng.random() < rates("prison")["child_only_a_name"]:
            seen.birth = None
            nicknames = variants("nickname", seen.given)
            seen.given = rng.choice(nicknames) if nicknames else seen.given
        kind = _relationship(prisoner, child.person)
        self._write_contact(rng, number, child.person, seen, kind)

    def _partner(
        self, rng: Random, scene: Scene, number: str, families: list[Family], member: Member
    ) -> None:
        """The other parent, with a date of birth where a visit was booked."""
        for other in families[0].adults:
            couple = other.role in ("mother", "father", "step_father") and other is not member
            if not couple or rng.random() >= rates("prison")["partner_named"]:
                continue
            seen = see(rng, origin(rng, FEED, other.moved_on, scene.as_at), other)
            if rng.random() < 0.5:
                seen.birth = None
            self._write_contact(rng, number, other.person, seen, "PART")

    def _write_contact(
        self, rng: Random, number: str, person: Person, seen: Sighting, kind: str
    ) -> None:
        contact = local_id(person.serial, KEY)
        address = rng.random() < 0.6
        document = {
            "prisonerNumber": number, "contactId": contact, "firstName": seen.given, "middleNames": seen.middle,
            "lastName": seen.surname, "dateOfBirth": seen.birth.isoformat() if seen.birth else None,
            "relationshipTypeCode": "S", "relationshipToPrisonerCode": kind, "isRelationshipActive": True,
            "street": seen.address_line if address else "", "postCode": seen.postcode if address else "",
        }  # fmt: skip
        self.contacts.append(compact(document))
        if seen.birth:
            self.truth.record(FEED, SYSTEM, f"{number}:{contact}", person.person_id, seen.operators)
        else:
            self.truth.fault(
                FEED, "contacts", f"{number}:{contact}", person.person_id, "only_a_name", ""
            )

    def _events(
        self, rng: Random, scene: Scene, person: Person, spell: Spell, at_court: bool
    ) -> None:
        number = numbers.prison_number(person.serial)
        told = [(spell.admitted, RECEIVED, "ADMISSION", number)]
        if at_court:  # the fault of reading a release from a court trip
            told.append((scene.as_at, RELEASED, "SENT_TO_COURT", number))
            self.truth.fault(FEED, "prisoners", number, person.person_id, "court_trip", "")
        if spell.release and spell.released:
            told.append((spell.release, RELEASED, "RELEASED", number))
        merged = rng.random() < rates("prison")["merged_number"]
        if merged:  # taken in under a number that was found to be a second one
            old = numbers.prison_number(person.serial, record=1)
            told[0] = (spell.admitted, RECEIVED, "ADMISSION", old)
            told.append((min(shift(spell.admitted, 2), scene.as_at), MERGED, "", number))
            self.truth.fault(FEED, "events", old, person.person_id, "merged_number", "")
        key = local_id(person.serial, KEY)
        for n, (on, kind, reason, whose) in enumerate(told):
            detail = {"reason": reason} if reason else {}
            if kind == MERGED:
                detail = {"removedNomsNumber": numbers.prison_number(person.serial, record=1)}
            event = {
                "eventId": f"PR{key}{n}", "eventType": kind, "occurredAt": f"{on}T09:{n:02d}:00Z",
                "personReference": {"identifiers": [{"type": "NOMS", "value": whose}]},
                "additionalInformation": detail,
            }  # fmt: skip
            self.events.append(compact(event))


def _named_children(family: Family) -> Iterator[Member]:
    """Children whom a parent may name: born, and of no adoption."""
    for child in family.children:
        person = child.person
        if not (person.unborn or person.adopted or person.adopted_away_on):
            yield child


def _relationship(prisoner: Person, child: Person) -> str:
    daughter = child.sex == "F"
    if prisoner.person_id in (child.mother_id, child.father_id):
        return "DAU" if daughter else "SON"
    return "SDAU" if daughter else "SSON"


def _custody(spell: Spell, state: str, as_at: date) -> dict[str, Any]:
    """Where the prisoner is and when release is planned; it is confirmed in the last month only."""
    status, in_out, movement, reason = STATES[state]
    release = spell.release
    firm = release is not None and release <= shift(as_at, 30)
    return {
        "status": status, "inOutStatus": in_out, "lastMovementTypeCode": movement, "lastMovementReasonCode": reason,
        "legalStatus": "SENTENCED" if spell.sentenced_on else "REMAND",
        "lastAdmissionDate": spell.admitted.isoformat(),
        "sentenceStartDate": spell.sentenced_on.isoformat() if spell.sentenced_on else None,
        "releaseDate": release.isoformat() if release else None,
        "confirmedReleaseDate": release.isoformat() if release and firm else None,
    }  # fmt: skip


def _aliases(rng: Random, person: Person) -> list[dict[str, str]]:
    if not person.former or rng.random() < 0.5:
        return []
    return [{"firstName": person.former.given.upper(), "lastName": person.former.surname.upper()}]


def _address(rng: Random, seen: Sighting) -> tuple[str, str]:
    """The home given at reception; of some the prison's own address, or none."""
    if rng.random() >= rates("prison")["no_home_address"]:
        return f"{seen.address_line}, {seen.address.town}", seen.postcode
    seen.operators.append("no_home_address")
    return rng.choice((PRISON_ADDRESS, ("", ""), ("No fixed abode", "NF1 1NF")))
