"""The education welfare team's list of children out of school: educated at home, or missing education.
Drawn from children of school age who are on no roll; a few are on one too, because a school was slow to
tell. Many have no UPN, and one row holds two siblings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic.feed_education import Education
from ffp_data.synthetic.noise import Origin, origin, see
from ffp_data.synthetic.people import Family, Member, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.school_rolls import LAST_COMPULSORY, year_group
from ffp_data.synthetic.writing import Landing, Table, headers, stamp

FEED, SYSTEM = "not_in_school", "ews"
KEY = 44
REASONS = {
    "EHE": ("Philosophical or preferential", "Mental health", "Dissatisfaction with the school", "Not told"),
    "CME": ("Moved, new address not known", "No school place", "Arrived from abroad", "Not told"),
}  # fmt: skip


@dataclass
class NotInSchool:
    """Collects children who are on no roll, then writes the list."""

    truth: Truth
    education: Education
    episodes: Table = field(default_factory=lambda: Table(FEED, "episodes"))

    def add(self, scene: Scene) -> None:
        """Add the children of a unit who are out of school; the register of the unit must be made."""
        rng = scene.rng(FEED)
        on_roll = self.education.on_roll(scene)
        for family in scene.unit.families:
            source = origin(rng, FEED, family.moved_on, scene.as_at)
            for member in family.children:
                kind = _kind(rng, scene, member, member.person.person_id in on_roll)
                if kind:
                    self._episode(rng, scene, family, source, member, kind)

    def _episode(
        self,
        rng: Random,
        scene: Scene,
        family: Family,
        source: Origin,
        member: Member,
        kind: str,
    ) -> None:
        person, record = member.person, f"E{local_id(member.person.serial, KEY)}"
        seen = see(rng, source, member, siblings(family, person))
        start = shift(scene.as_at, -rng.randrange(20, 700 if kind == "EHE" else 120))
        is_over = rng.random() < rates("not_in_school")["over"]
        end = shift(start, rng.randrange(10, 120)) if is_over else None
        carer = next((m.person for m in family.adults if m.in_home), None)
        self.episodes.add(
            record_id=record, upn="" if rng.random() < rates("not_in_school")["no_upn"] else seen.upn,
            nhs_number=seen.nhs if rng.random() < 0.2 else "", forename=seen.given, surname=seen.surname,
            date_of_birth=seen.birth, sex=seen.sex, address_line_1=seen.address_line, postcode=seen.postcode,
            status_type=kind, start_date=max(start, shift(person.birth, 5 * 366)),
            end_date=end if end and end < scene.as_at else None, primary_reason=rng.choice(REASONS[kind]),
            suitable_education_judged=rng.choice(("yes", "yes", "not_yet")) if kind == "EHE" else "no",
            ehc_plan=rng.random() < 0.1,
            last_seen_date=shift(scene.as_at, -rng.randrange(1, 200)) if rng.random() < 0.7 else None,
            parent_name=f"{carer.name.given} {carer.name.surname}" if carer else "",
        )  # fmt: skip
        self.truth.record(FEED, SYSTEM, record, person.person_id, seen.operators)
        if not (end and end < scene.as_at):
            kind = {"CME": "missing_education", "EHE": "home_educated"}[kind]
            self.truth.case(kind, f"{FEED}|{SYSTEM}|{record}", person.person_id, start)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the list, with one row of two siblings that no reader may load."""
        extra = [self._siblings()] if self.episodes.rows else []
        content = self.episodes.csv_bytes("cp1252", "\r\n", extra)
        name = f"not_in_school_999_{stamp(as_at)}_001.csv"
        landing.put(FEED, "episodes", name, content, len(self.episodes.rows) + len(extra))

    def _siblings(self) -> str:
        names = headers(FEED, "episodes")
        values = {
            "record_id": "E90000001", "forename": "Alex and Sam", "surname": "Sample",
            "date_of_birth": "2014-05-06", "status_type": "CME", "start_date": "2025-11-03",
        }  # fmt: skip
        self.truth.fault(FEED, "episodes", "E90000001", "", "siblings_in_one_row", "quarantine")
        return ",".join(values.get(name, "") for name in names)


def _kind(rng: Random, scene: Scene, member: Member, is_on_roll: bool) -> str:
    """EHE, CME, or nothing for a child who is not out of school."""
    person, drawn, chance = member.person, rng.random(), rates("not_in_school")
    group = year_group(person.birth, scene.as_at)
    if person.unborn or person.adopted_away_on or not 1 <= group <= LAST_COMPULSORY:
        return ""
    if is_on_roll:
        return "CME" if drawn < chance["also_on_roll"] else ""
    if drawn < chance["home_educated"]:
        return "EHE"
    return "CME" if drawn < chance["home_educated"] + chance["missing_education"] else ""
