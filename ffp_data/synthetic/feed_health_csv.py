"""Hospital trust: two flat files. Dates come in three formats in one file, NHS numbers with or
without spaces, a parent's name in one field, and the file is not UTF-8."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic.codes import NHS_ETHNICITY
from ffp_data.synthetic.noise import Origin, Sighting, holding_name, origin, see
from ffp_data.synthetic.people import Family, Member, Person, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings, take_number
from ffp_data.synthetic.writing import Landing, Table, british, headers, stamp

FEED, SYSTEM = "health_csv", "RXG"
KEY = 22
CONTACTS = (("ED_ATTENDANCE", "Hospital", "Emergency department"),
            ("ED_ATTENDANCE", "Hospital", "Emergency department"),
            ("MISSED_APPOINTMENT", "Hospital", "Paediatric outpatients"),
            ("COMMUNITY_PAEDS", "Community", "Paediatrics"),
            ("CAMHS", "Community", "CAMHS liaison"),
            ("CPIS_ACCESS", "Hospital", "Emergency department"))  # fmt: skip
REASONS = (
    "Fall at home",
    "Head injury",
    "Abdominal pain",
    "Breathing difficulty",
    "Self harm",
    "Fracture, forearm",
    "Burn",
    "Assault",
    "Fever",
)


@dataclass
class HealthCsv:
    """Collects the hospital's children and contacts, then writes both files."""

    truth: Truth
    children: Table = field(default_factory=lambda: Table(FEED, "children"))
    contacts: Table = field(default_factory=lambda: Table(FEED, "contacts"))

    def add(self, scene: Scene) -> None:
        """Add the children of a unit who came to the hospital."""
        rng, chance = scene.rng(FEED), rates("health")
        for family in scene.unit.families:
            source = origin(rng, FEED, family.moved_on, scene.as_at)
            for member in family.children:
                known = rng.random() < chance["hospital"] * (
                    1.4 if scene.needs(member.person) else 0.97
                )
                if member.person.unborn or not known:
                    continue
                patient = self._child(rng, scene, family, source, member)
                self._contacts(rng, scene, member.person, patient)
                if rng.random() < chance["duplicate_patient"]:
                    self._child(
                        rng,
                        scene,
                        family,
                        origin(rng, FEED, family.moved_on, scene.as_at),
                        member,
                        record=1,
                    )

    def _child(
        self,
        rng: Random,
        scene: Scene,
        family: Family,
        source: Origin,
        member: Member,
        record: int = 0,
    ) -> str:
        person, chance = member.person, rates("health")
        seen = see(rng, source, member, siblings(family, person))
        holding_name(rng, scene.as_at, family, person, seen)
        twins = siblings(family, person, twins=True)
        if record or rng.random() < 2 * chance["no_nhs_number"]:
            seen.nhs = ""
        elif twins and rng.random() < chance["twin_number"]:
            take_number(seen, twins[0], "nhs_number_of_twin")
        patient = str(local_id(person.serial, KEY, record))
        parent = next(
            (m for m in family.members if m.role in ("mother", "father")), family.members[0]
        )
        self.children.add(
            ORG_ODS=SYSTEM, LOCAL_PATIENT_ID=patient, CHILD_NHS_NUMBER=_spaced(rng, seen.nhs),
            CHILD_FIRST_NAME=seen.given,
            CHILD_LAST_NAME=seen.surname,
            CHILD_PREFERRED_FIRST_NAME=person.preferred if rng.random() < 0.4 else "",
            CHILD_DATE_OF_BIRTH=_written(rng, seen, person), CHILD_GENDER=_gender(rng, seen),
            CHILD_ADDRESS_LINE_1=seen.address_line,
            CHILD_POSTCODE=_postcode(rng, seen), CHILD_SCHOOL_URN="888888" if rng.random() < 0.1 else "",
            PARENT_1_NAME=f"{parent.person.name.given} {parent.person.name.surname}",
            PARENT_1_RELATIONSHIP=rng.choice(("Mother", "mum")) if parent.role == "mother" else "Father",
            PARENT_1_PHONE=parent.person.phone, GP_ODS=f"XF{person.serial % 40 + 100:03d}",
            ETHNIC_CATEGORY=NHS_ETHNICITY[person.ethnicity] if rng.random() < 0.9 else "Z",
        )  # fmt: skip
        self.truth.record(FEED, SYSTEM, patient, person.person_id, seen.operators)
        return patient

    def _contacts(self, rng: Random, scene: Scene, person: Person, patient: str) -> None:
        earliest = max(scene.year_start, person.birth)
        until = person.adopted_away_on or scene.as_at
        if until <= earliest:
            return
        troubled = bool(scene.needs(person))
        for number in range(
            rng.choices(
                (0, 1, 2, 4),
                cum_weights=(0.4, 0.75, 0.9, 1.0) if troubled else (0.65, 0.93, 0.99, 1.0),
            )[0]
        ):
            kind, setting, team = rng.choice(CONTACTS if troubled else CONTACTS[:5])
            on = shift(earliest, rng.randint(0, (until - earliest).days))
            self.contacts.add(
                ORG_ODS=SYSTEM, CONTACT_ID=f"C{patient}{number}", LOCAL_PATIENT_ID=patient, CONTACT_TYPE=kind,
                CONTACT_DATE=british(on) if rng.random() < rates("health")["odd_date_format"] else on,
                SETTING=setting,
                REASON=rng.choice(REASONS), ATTENDED="3" if kind == "MISSED_APPOINTMENT" else "5", TEAM=team,
                SAFEGUARDING_CONCERN=troubled and rng.random() < 0.3,
            )  # fmt: skip

    def write(self, landing: Landing, as_at: date) -> None:
        """Write both files in cp1252 with CRLF; rows of commas only at the end of the children."""
        blank = "," * (len(headers(FEED, "children")) - 1)
        extra = [blank] * round(rates("health")["blank_row"] * len(self.children.rows))
        for _ in extra:
            self.truth.fault(FEED, "children", "", "", "blank_row", "quarantine")
        bad = self._bad_date()
        content = self.children.csv_bytes("cp1252", "\r\n", [*bad, *extra])
        landing.put(
            FEED,
            "children",
            f"health_{SYSTEM}_children_{stamp(as_at)}_001.csv",
            content,
            len(self.children.rows) + len(bad) + len(extra),
        )
        content = self.contacts.csv_bytes("cp1252", "\r\n")
        landing.put(
            FEED,
            "contacts",
            f"health_{SYSTEM}_contacts_{stamp(as_at)}_001.csv",
            content,
            len(self.contacts.rows),
        )

    def _bad_date(self) -> list[str]:
        """A child whose date of birth can't be a date."""
        values = {
            "ORG_ODS": SYSTEM,
            "LOCAL_PATIENT_ID": "19999999",
            "CHILD_FIRST_NAME": "Test",
            "CHILD_LAST_NAME": "Patient",
            "CHILD_DATE_OF_BIRTH": "31/02/2015",
        }
        self.truth.fault(FEED, "children", "19999999", "", "impossible_date", "quarantine")
        return [",".join(values.get(h, "") for h in headers(FEED, "children"))]


def _spaced(rng: Random, number: str) -> str:
    return (
        f"{number[:3]} {number[3:6]} {number[6:]}"
        if number and rng.random() < rates("health")["spaced_number"]
        else number
    )


def _written(rng: Random, seen: Sighting, person: Person) -> str:
    birth = seen.birth or person.birth
    if rng.random() >= rates("health")["odd_date_format"]:
        return birth.isoformat()
    return british(birth) if rng.random() < 0.6 else f"{birth:%Y%m%d}"


def _gender(rng: Random, seen: Sighting) -> str:
    return {"M": rng.choice(("Male", "M")), "F": rng.choice(("Female", "F"))}.get(
        seen.sex, "Not Known"
    )


def _postcode(rng: Random, seen: Sighting) -> str:
    return "ZZ99 3WZ" if rng.random() < rates("health")["pseudo_postcode"] else seen.postcode
