"""Youth justice service: children of 10 to 17 with whom it works, half of them in prevention or
diversion, and each piece of work. A child of another area may be supervised here, and an outcome may
stand under a value that was abolished years ago."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic import numbers
from ffp_data.synthetic.noise import origin, see
from ffp_data.synthetic.people import GROWN, Family, Member, Person, shift, years_before
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.writing import Landing, Table, stamp

FEED, SYSTEM = "youth_justice", "yjs"
KEY = 32
YOUNGEST = 10  # the age of criminal responsibility
WORK = {
    "PREVENTION": ("",),
    "DIVERSION": ("OUTCOME_22", "COMMUNITY_RESOLUTION", "YOUTH_CAUTION"),
    "COURT_ORDER": ("REFERRAL_ORDER", "YOUTH_REHABILITATION_ORDER"),
    "RESETTLEMENT": ("DETENTION_AND_TRAINING_ORDER",),
}
WORKERS = ("Kim Ashdown", "Lou Barrow", "Dee Calder", "Ray Dunmore")


@dataclass
class YouthJustice:
    """Collects children and interventions, then writes both files."""

    truth: Truth
    persons: Table = field(default_factory=lambda: Table(FEED, "persons"))
    interventions: Table = field(default_factory=lambda: Table(FEED, "interventions"))

    def add(self, scene: Scene) -> None:
        """Add the children of a unit who are or were with the service in the last two years."""
        rng, chance = scene.rng(FEED), rates("youth_justice")
        for family in scene.unit.families:
            for member in family.children:
                person = member.person
                case = bool(scene.needs(person))
                often = chance["child_with_case"] if case else chance["child"]
                known = rng.random() < often * (1.5 if person.sex == "M" else 0.5)
                hidden = person.unborn or person.adopted or person.adopted_away_on
                if known and not hidden and YOUNGEST <= person.age(scene.as_at) < GROWN:
                    self._child(rng, scene, family, member)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write both files."""
        for table in (self.persons, self.interventions):
            name = f"yjs_999_{table.name}_{stamp(as_at)}_001.csv"
            landing.put(FEED, table.name, name, table.csv_bytes("utf-8", "\r\n"), len(table.rows))

    def _child(self, rng: Random, scene: Scene, family: Family, member: Member) -> None:
        person, chance = member.person, rates("youth_justice")
        source = origin(rng, FEED, member.moved_on, scene.as_at)
        seen = see(rng, source, member, siblings(family, person))
        number = f"Y{local_id(person.serial, KEY)}"
        elsewhere = member.home.outside or rng.random() < chance["child_of_another_area"]
        offended = rng.random() >= chance["prevention_only"]
        self.persons.add(
            yjs_person_id=number, local_status="Other" if elsewhere else "Local",
            originating_person_id=f"H{person.serial}" if elsewhere else "",
            pnc_id=numbers.pnc_id(person.serial, person.birth.year + 12) if offended and rng.random() < 0.4 else "",
            nhs_number=seen.nhs if rng.random() < chance["nhs_number_held"] else "",
            upn=seen.upn if rng.random() < chance["upn_held"] else "",
            forename=seen.given, surname=seen.surname, date_of_birth=seen.birth, sex=seen.sex,
            ethnicity=person.ethnicity, postcode=seen.postcode,
            rosh=rng.choice(("Low", "Low", "Medium", "High")), school_status="Mainstream", ete_hours=25,
        )  # fmt: skip
        self.truth.record(FEED, SYSTEM, number, person.person_id, seen.operators)
        for n in range(1, rng.choice((1, 1, 1, 2)) + 1):
            self._intervention(rng, scene, person, number, n, offended)

    def _intervention(
        self, rng: Random, scene: Scene, person: Person, number: str, n: int, offended: bool
    ) -> None:
        """One piece of work; the first of the last two years at the earliest, and from the tenth birthday on."""
        tenth = years_before(person.birth, -YOUNGEST)
        start = max(shift(scene.as_at, -rng.randint(5, 600)), tenth)
        end = shift(start, rng.randint(80, 300))
        kind = rng.choice(("DIVERSION", "DIVERSION", "COURT_ORDER")) if offended else "PREVENTION"
        custody = kind == "COURT_ORDER" and rng.random() < rates("youth_justice")["custody"]
        kind = "RESETTLEMENT" if custody else kind
        left = shift(start, rng.randint(60, 120))
        outcome = rng.choice(WORK[kind])
        if outcome and rng.random() < rates("youth_justice")["abolished_outcome"]:
            outcome = "REPRIMAND"
            self.truth.fault(
                FEED, "interventions", number, person.person_id, "abolished_outcome", "code_not_valid_on_date"
            )  # fmt: skip
        self.interventions.add(
            yjs_person_id=number, intervention_number=n, intervention_type=kind, intervention_start=start,
            intervention_end=end if end <= scene.as_at else None,
            offence_date=shift(start, -rng.randint(10, 90)) if offended else None,
            offence_code="47" if offended else "", seriousness=rng.randint(1, 5) if offended else None,
            hearing_date=start if kind in ("COURT_ORDER", "RESETTLEMENT") else None,
            outcome_date=start if outcome else None, legal_outcome=outcome,
            remand_status="SENTENCE" if custody else "", custody_start=start if custody else None,
            custody_end=left if custody and left <= scene.as_at else None,
            worker_name=rng.choice(WORKERS), worker_phone=f"01632 960{rng.randint(200, 299)}",
            team="Youth Justice Fenmarch",
        )  # fmt: skip
