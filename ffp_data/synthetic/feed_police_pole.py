"""The neighbouring force's document of the day: incidents over the county boundary, with the children
whom they concern, their parents, homes and telephones as linked resources. Most are about families of
whom somebody lives or lived there. Names come as lists, dates of birth are sometimes unknown, one
person is merged into another now and then, and one incident has a type that no list knows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from ffp_data.synthetic.feed_police import EXPLOITATION, doorstep
from ffp_data.synthetic.noise import Sighting, origin, see
from ffp_data.synthetic.people import GROWN, Family, Member, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.writing import Landing, stamp

FEED, SYSTEM = "police_pole", "57"
KEY = 29
GENDERS = {"F": "GNDR_0001", "M": "GNDR_0003"}
LINKS = {
    "childSubject": "subjects",
    "childInHousehold": "household_children",
    "detainee": "detained",
}
KINDS = {"person": "persons", "location": "locations", "telephone": "telephones"}
ABOUT_CHILDREN = ("PPN_CHILD", "PPN_CHILD", "MISSING_EPISODE", "EXPLOITATION_RISK")

Resource = dict[str, Any]


@dataclass
class PolicePole:
    """Collects the resources of all units, then writes the document."""

    truth: Truth
    incidents: list[Resource] = field(default_factory=list)
    included: list[Resource] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, scene: Scene) -> None:
        """Add the events of a unit's families."""
        desk = Desk(self, scene.rng(FEED), scene)
        for family in scene.unit.families:
            ties = any(m.home.outside or (m.before and m.before.outside) for m in family.members)
            chance = rates("police")[
                "neighbouring_force_with_ties" if ties else "neighbouring_force"
            ]
            if desk.rng.random() < chance and not family.left_on:
                desk.incident(family)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the document; its last incident is of a type that no list knows."""
        strange = _incident("57-E00000000", "TRAFFIC_STOP", as_at, {}, {})
        self.truth.fault(FEED, "incidents", strange["id"], "", "unknown_event_type", "quarantine")
        document = {"data": [*self.incidents, strange], "included": self.included}
        text = json.dumps(document, ensure_ascii=False, indent=1)
        name = f"police_{SYSTEM}_sdm_{stamp(as_at)}_001.json"
        landing.put(FEED, "incidents", name, text.encode(), len(document["data"]))
        for table, rows in self.rows.items():
            landing.add_rows(FEED, table, rows)

    def include(self, kind: str, number: str, relationships: Resource, **attributes: Any) -> None:
        """Add a person, or what belongs to one."""
        resource = {"id": number, "type": kind, "attributes": attributes}
        self.included.append(resource | ({"relationships": relationships} if relationships else {}))
        self.count(KINDS[kind])

    def count(self, table: str) -> None:
        """Note one more row of a table."""
        self.rows[table] = self.rows.get(table, 0) + 1


@dataclass
class Desk:
    """Writes one unit's incidents; keeps who is known already."""

    force: PolicePole
    rng: Random
    scene: Scene
    known: set[str] = field(default_factory=set)

    def incident(self, family: Family) -> None:
        """One event: at a household, or about one child."""
        start = self.scene.year_start
        on = shift(start, self.rng.randrange((self.scene.as_at - start).days + 1))
        children = [m for m in family.children if m.person.birth <= on and not m.person.adopted]
        children = [m for m in children if not m.person.adopted_away_on]
        if not children:
            return
        if self.rng.random() < 0.6:
            self._household(children, on)
        else:
            self._about(self.rng.choice(children), on)

    def _household(self, children: list[Member], on: date) -> None:
        seen = self.rng.random() < 0.7
        links = [self._link(child, {"childPresent": seen}) for child in children]
        number = self._write("DA_INCIDENT", on, {"childInHousehold": links})
        of_age = [
            link for child, link in zip(children, links, strict=True) if child.person.age(on) >= 4
        ]
        if of_age and self.rng.random() < rates("police")["encompass_copy"]:
            self._write("OP_ENCOMPASS", on, {"childInHousehold": of_age}, same=number)

    def _about(self, child: Member, on: date) -> None:
        link = self._link(child, {})
        if child.person.age(on) < 12:
            self._write("PPN_CHILD", on, {"childSubject": [link]})
        elif self.rng.random() < 0.2:
            self._write("CUSTODY_CHILD", on, {"detainee": [link]})
        else:
            kind = self.rng.choice(ABOUT_CHILDREN)
            feared = self.rng.choice(EXPLOITATION)
            said = {"exploitationType": feared} if kind == "EXPLOITATION_RISK" else {}
            self._write(kind, on, {"childSubject": [link]}, **said)

    def _write(
        self, kind: str, on: date, roles: dict[str, list[Resource]], same: str = "", **more: Any
    ) -> str:
        number = f"57-E{len(self.force.incidents) + 1:08d}"
        more |= {"occurrenceReference": f"HP/{(same or number)[-8:]}/{on:%y}"}
        more |= {"incidentDescription": self.rng.choice(("", "Officers spoke with all present."))}
        self.force.incidents.append(_incident(number, kind, on, roles, more))
        for role, links in roles.items():
            for _ in links:
                self.force.count(LINKS[role])
        return number

    def _link(self, child: Member, meta: Resource) -> Resource:
        number = self._known(child)
        return {"id": number, "type": "person"} | ({"meta": meta} if meta else {})

    def _known(self, child: Member) -> str:
        """The number of the person; made at the first event, with home and telephone."""
        person = child.person
        number = f"57-P{local_id(person.serial, KEY)}"
        if number not in self.known:
            self.known.add(number)
            family, _ = self.scene.unit.members[person.person_id]
            source = origin(self.rng, FEED, child.moved_on, self.scene.as_at)
            seen = see(self.rng, source, child, siblings(family, person))
            self._include(child, number, seen)
            if self.rng.random() < rates("police")["second_nominal"]:
                self._merged(child, number)
        return number

    def _merged(self, child: Member, into: str) -> None:
        """A second record of the child, found out and merged; it has no event of its own any more."""
        source = origin(self.rng, FEED, child.moved_on, self.scene.as_at)
        number = f"57-P{local_id(child.person.serial, KEY, 1)}"
        self._include(child, number, see(self.rng, source, child), mergedInto=into)

    def _include(self, child: Member, number: str, seen: Sighting, **more: Any) -> None:
        birth, age = doorstep(self.rng, seen), child.person.age(self.scene.as_at)
        told = {"dateOfBirth": birth.isoformat()} if birth else _about_so_old(age)
        self.force.include(
            "person", number, {}, givenName=[seen.given], middleName=seen.middle.split()[:1], surname=seen.surname,
            **told, gender=GENDERS.get(seen.sex, "GNDR_0001"), under18=age < GROWN, addressProtected=False, **more,
        )  # fmt: skip
        owner = {"data": [{"id": number, "type": "person"}]}
        if seen.postcode:
            self.force.include(
                "location", number.replace("P", "L"), {"currentAddress": owner},
                addressLine1=seen.address_line, postcode=seen.postcode,
            )  # fmt: skip
        if seen.phone:
            phone = number.replace("P", "T")
            self.force.include(
                "telephone", phone, {"personalTelephone": owner}, telephoneNumber=seen.phone
            )
        self.force.truth.record(FEED, SYSTEM, number, child.person.person_id, seen.operators)


def _about_so_old(age: int) -> Resource:
    """What is told of a person whose date of birth nobody knew; the key is spelt as in the model."""
    return {
        "dateofBirthKnown": False,
        "approximateAgeFrom": max(0, age - 2),
        "approximateAgeTo": age + 2,
    }


def _incident(
    number: str, kind: str, on: date, roles: dict[str, list[Resource]], more: Resource
) -> Resource:
    day = {"dateFrom": on.isoformat(), "dateTo": on.isoformat()}
    return {
        "id": number,
        "type": "incident",
        "attributes": {"eventType": kind, "incidentStartDateTime": day, **more},
        "relationships": {role: {"data": links} for role, links in roles.items()},
    }
