"""Children's case system as a council with Liquidlogic sends it: a Standard Safeguarding Dataset drop with its manifest, and
extension tables for Family Help, family members, group decisions and multi-agency child protection. Children come with a
contact at the front door; children known to early help only are mostly absent. Some children have two numbers, some babies still
have their record from before birth, and every so often a fault of recording is planted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from random import Random

import yaml

from ffp_data.synthetic import case_rows
from ffp_data.synthetic.care import Need, Story
from ffp_data.synthetic.case_faults import Draft, Planter
from ffp_data.synthetic.case_rows import Rows, Scribe
from ffp_data.synthetic.noise import Origin, Sighting, origin, see
from ffp_data.synthetic.people import Family, Member, Person, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import LOCAL_SPACE, Scene, Truth, local_id, siblings, take_number
from ffp_data.synthetic.school_age import upn_unknown
from ffp_data.synthetic.writing import Landing, Table, table_names

FEED, SYSTEM = "case_system", "systemc"
KEY = 3_141_593
DISABILITIES = ("LD", "BEH", "AUT", "COMM", "MOB", "PC", "HEAR", "VIS", "CON", "INC", "HAND", "DDA")
EARLY_HELP_ONLY = frozenset({"teh_only", "left_with_teh"})
FAULT_SHARE = 0.16
WRONG_BIRTH = "8775Q 8606 8520 8770Q TE018 TE019"
JOBS = ("Social Worker", "Social Worker", "Senior Social Worker", "Family Help Practitioner")
STAFF_NAMES = (
    "Ashby",
    "Bright",
    "Carew",
    "Dunmore",
    "Ellery",
    "Farrow",
    "Garland",
    "Hart",
    "Ingham",
    "Jessop",
    "Kemble",
    "Lacey",
)


@dataclass
class CaseSystem:
    """Collects the rows of all units, then writes the drop."""

    truth: Truth
    tables: dict[str, Table] = field(
        default_factory=lambda: {name: Table(FEED, name) for name in table_names(FEED)}
    )
    planter: Planter = field(default_factory=lambda: Planter(FAULT_SHARE))
    donor: tuple[str, str, str] = (
        "",
        "",
        "",
    )  # number, person and UPN of a child of the census year with no fault

    def add(self, scene: Scene) -> None:
        """Add the families of a unit that are known to the case system."""
        rng, known = scene.rng(FEED), set[str]()
        for family in scene.unit.families:
            story = scene.stories[family.family_id]
            if story.children and not (story.scenario in EARLY_HELP_ONLY and rng.random() < 0.6):
                self._family(rng, scene, family, story, known)

    def _family(
        self, rng: Random, scene: Scene, family: Family, story: Story, known: set[str]
    ) -> None:
        source = origin(rng, FEED, family.moved_on, scene.as_at)
        mood = rng.getrandbits(32)
        present: list[Member] = []
        for member in family.members:
            person = member.person
            if member.role == "child" and person.person_id not in story.children:
                continue
            if member.role == "child":
                self._child(
                    rng,
                    scene,
                    family,
                    source,
                    member,
                    story,
                    mood,
                    first=not any(m.role == "child" for m in present),
                )
            elif rng.random() < (0.95 if member.in_home else 0.7):
                if person.person_id not in known:
                    self._adult(rng, source, member)
                known.add(person.person_id)
            else:
                continue
            present.append(member)
        self._members(scene, family, present)

    def _adult(self, rng: Random, source: Origin, member: Member) -> None:
        seen = see(rng, source, member)
        number = case_number(member.person)
        rows: Rows = {}
        rows["ssd_person"] = [
            _person(number, seen, member.person) | {"pers_is_mother": member.role == "mother"}
        ]
        _address(rows, number, seen, member)
        self._keep(rows)
        self.truth.record(FEED, SYSTEM, number, member.person.person_id, seen.operators)

    def _child(
        self,
        rng: Random,
        scene: Scene,
        family: Family,
        source: Origin,
        member: Member,
        story: Story,
        mood: int,
        first: bool,
    ) -> None:
        person, number, chance = member.person, case_number(member.person), rates("case_system")
        seen = see(rng, source, member, siblings(family, person))
        others = siblings(family, person)
        if others and rng.random() < chance["sibling_nhs_number"]:
            take_number(seen, rng.choice(others), "nhs_number_of_sibling")
        rows: Rows = {}
        row = _person(number, seen, person) | self._identity(rng, scene.as_at, family, person)
        rows["ssd_person"] = [row]
        _address(rows, number, seen, member)
        _identifiers(rng, rows, number, seen, person)
        if not person.unborn:
            _disability(rng, rows, number)
        if seen.birth != person.birth:
            self.truth.fault(
                FEED, "ssd_person", number, person.person_id, "wrong_birth_date", WRONG_BIRTH
            )
        scribe = Scribe(rng, number, scene.as_at, scene.unit.number, rows)
        self._events(scribe, scene, family, story, person, mood, first)
        self._plant(rng, scene, person, rows, row)
        self._keep(rows)
        self.truth.record(FEED, SYSTEM, number, person.person_id, seen.operators)
        if not person.unborn and not person.adopted_away_on:
            self._second_records(rng, scene, family, source, member)

    def _identity(
        self, rng: Random, as_at: date, family: Family, person: Person
    ) -> dict[str, object]:
        if person.unborn:
            mother = next(
                (m.person for m in family.members if m.person.person_id == person.mother_id), person
            )
            return {"pers_forename": "Unborn", "pers_surname": mother.name.surname, "pers_sex": "U", "pers_dob": None,
                    "pers_expected_dob": person.birth, "pers_upn": "", "pers_upn_unknown": "UN1", "pers_single_unique_id": ""}  # fmt: skip
        upn = (
            person.upn
            if person.age(as_at) >= 5 and rng.random() < rates("case_system")["upn_held"]
            else ""
        )
        return {"pers_upn": upn, "pers_upn_unknown": upn_unknown(person, upn, as_at)}

    def _events(
        self,
        s: Scribe,
        scene: Scene,
        family: Family,
        story: Story,
        person: Person,
        mood: int,
        first: bool,
    ) -> None:
        phases = scene.phases(person)
        for number, (on, source) in enumerate(story.contacts):
            case_rows.write_contact(
                s, number, on, source, any(isinstance(p, Need) and p.referral == on for p in phases)
            )
        for number, phase in enumerate(phases):
            if isinstance(phase, Need):
                case_rows.write_need(s, number, phase)
            else:
                case_rows.write_early_help(s, number, phase)
        for number, run in enumerate(case_rows.chains(phases)):
            case_rows.write_family_help(s, family_number(family), number, run, with_plans=first)
        needs = [p for p in phases if isinstance(p, Need)]
        for number, offered in enumerate(story.group_decision):
            need = next(
                (
                    n
                    for n in needs
                    if n.referral <= offered and (n.closed is None or offered <= n.closed)
                ),
                None,
            )
            if need and offered <= scene.as_at:
                case_rows.write_meetings(s, number, offered, need, Random(mood + number))
        care = next((n.care for n in needs if n.care), None)
        if care and person.age(scene.as_at) >= 12 and s.rng.random() < 0.3:
            on = min(shift(care.start, 20), care.end or scene.as_at, scene.as_at)
            s.put("ssd_missing", miss_table_id=f"MI{s.person}", miss_person_id=s.person, miss_missing_episode_start_date=on,
                  miss_missing_episode_type="M", miss_missing_episode_end_date=min(shift(on, 1), scene.as_at), miss_missing_rhi_offered="Y", miss_missing_rhi_accepted="N")  # fmt: skip

    def _plant(
        self, rng: Random, scene: Scene, person: Person, rows: Rows, row: dict[str, object]
    ) -> None:
        draft = Draft(rows, row, person.birth, scene.as_at, scene.year_start, self.donor[2])
        last = draft.referral() or draft.one("ssd_cin_episodes")
        if person.unborn or last is None:
            return
        closed = last["cine_close_date"]
        if isinstance(closed, date) and closed < scene.year_start:
            return
        number = str(row["pers_person_id"])
        fault = self.planter.plant(rng, draft)
        if fault:
            found = [(number, person.person_id)]
            if fault.name == "duplicate_upn":
                found.append(self.donor[:2])
            for source_id, person_id in found:
                self.truth.fault(
                    FEED, fault.table, source_id, person_id, fault.name, fault.explains
                )
        elif row["pers_upn"]:
            self.donor = (number, person.person_id, str(row["pers_upn"]))

    def _second_records(
        self, rng: Random, scene: Scene, family: Family, source: Origin, member: Member
    ) -> None:
        person, chance = member.person, rates("case_system")
        begin = min((p.referral for p in scene.phases(person)), default=scene.as_at)
        if rng.random() < chance["duplicate_child"]:
            seen = see(
                rng,
                origin(rng, FEED, member.moved_on, scene.as_at),
                member,
                siblings(family, person),
            )
            row = _person(case_number(person, 1), seen, person) | {
                "pers_upn": "",
                "pers_upn_unknown": upn_unknown(person, "", scene.as_at),
            }
            row["pers_single_unique_id"] = seen.nhs if rng.random() < 0.4 else ""
            seen.operators.append("duplicate_record")
            self._second(
                rng,
                scene,
                member,
                seen,
                row,
                max(shift(begin, -rng.randint(10, 200)), shift(person.birth, 2)),
                begin,
            )
            self.truth.fault(
                FEED,
                "ssd_person",
                case_number(person, 1),
                person.person_id,
                "duplicate_record",
                "8815 8820",
            )
        known_before = person.birth > begin  # the case began before birth
        if shift(person.birth, 540) > scene.as_at and rng.random() < chance[
            "unborn_not_converted"
        ] * (1.0 if known_before else 0.5):
            seen = see(rng, source, member)
            expected = shift(person.birth, rng.randint(-12, 12))
            row = _person(case_number(person, 1), seen, person) | self._identity(
                rng, scene.as_at, family, _before_birth(person, expected)
            )
            seen.operators.append("unborn_not_converted")
            if any(r[0].endswith(f"|{case_number(person, 1)}") for r in self.truth.records[-2:]):
                return
            self._second(
                rng, scene, member, seen, row, shift(person.birth, -rng.randint(20, 150)), begin
            )
            self.truth.fault(
                FEED,
                "ssd_person",
                case_number(person, 1),
                person.person_id,
                "unborn_not_converted",
                "8525Q 8530Q 8750 8606 TE005",
            )

    def _second(
        self,
        rng: Random,
        scene: Scene,
        member: Member,
        seen: Sighting,
        row: dict[str, object],
        on: date,
        begin: date,
    ) -> None:
        """A second record of a child: a contact, and a referral without further action when it falls before the case."""
        number, rows = str(row["pers_person_id"]), Rows()
        rows["ssd_person"] = [row]
        _address(rows, number, seen, member)
        if row["pers_dob"]:
            _disability(rng, rows, number)
        scribe = Scribe(rng, number, scene.as_at, scene.unit.number, rows)
        on = min(on, scene.as_at)
        refer = on < begin and rng.random() < 0.3
        case_rows.write_contact(scribe, 0, on, "3B", refer)
        if refer:
            case_rows.write_need(scribe, 0, Need(on, "3B", True, "", on, "RC7"))
        self._keep(rows)
        self.truth.record(FEED, SYSTEM, number, member.person.person_id, seen.operators)

    def _members(self, scene: Scene, family: Family, present: list[Member]) -> None:
        fam, rows = family_number(family), Rows()
        mothers = {m.person.person_id for m in present if m.role != "child"}
        for member in present:
            number = case_number(member.person)
            start = (
                family.moved_on
                if family.from_outside
                else max(member.person.birth, date(scene.as_at.year - 6, 1, 1))
            )
            rows.setdefault("xt_family_members", []).append(
                {"fam_id": fam, "person_id": number, "relationship": member.role.replace("_", "-"), "from": None if member.person.unborn else start,
                 "to": family.left_on if member.in_home else None, "lives_in_home": member.in_home}
            )  # fmt: skip
            if member.in_home:
                rows.setdefault("ssd_family", []).append(
                    {
                        "fami_table_id": f"FM{fam}{number}",
                        "fami_family_id": fam,
                        "fami_person_id": number,
                    }
                )
            if member.role == "child" and member.person.mother_id in mothers:
                mother = case_number(family.member(member.person.mother_id).person)
                rows.setdefault("ssd_mother", []).append(
                    {"moth_table_id": f"MO{number}", "moth_person_id": mother, "moth_childs_person_id": number,
                     "moth_childs_dob": None if member.person.unborn else member.person.birth}
                )  # fmt: skip
        self._keep(rows)

    def _keep(self, rows: Rows) -> None:
        for name, found in rows.items():
            for row in found:
                self.tables[name].add(**row)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the drop of the day after the as-at date: a file for each table, and the manifest."""
        for row in _professionals():
            self.tables["ssd_professionals"].add(**row)
        delivered = shift(as_at, 1)
        folder, listed = f"ssd_{delivered:%Y%m%d}", []
        for name, table in self.tables.items():
            digest = landing.put(
                FEED, name, f"{folder}/{name}.csv", table.csv_bytes(), len(table.rows)
            )
            listed.append({"name": name, "rows": len(table.rows), "sha256": digest})
        manifest = {
            "la_code": "999", "case_system": "systemc", "ssd_version": "1.4.5", "extract_started": f"{delivered}T02:00:00Z",
            "extract_finished": f"{delivered}T02:40:00Z", "window_years": 6, "cohort_includes_early_help": False,
            "tables": listed, "signed_off_by": "Head of Performance",
        }  # fmt: skip
        path = landing.root / FEED / folder / "manifest.yaml"
        path.write_text(yaml.safe_dump(manifest, sort_keys=False), "utf-8")


def case_number(person: Person, record: int = 0) -> str:
    """Return the case system's number of a person; `record` 1 is the second number of the same person."""
    return str(LOCAL_SPACE + local_id(person.serial, KEY, record))


def family_number(family: Family) -> str:
    """Return the case system's number of a family."""
    return f"FAM{family.family_id[1:]}"


def _before_birth(person: Person, expected: date) -> Person:
    from dataclasses import replace

    return replace(person, unborn=True, birth=expected)


def _person(number: str, seen: Sighting, person: Person) -> dict[str, object]:
    return {
        "pers_person_id": number, "pers_forename": seen.given, "pers_surname": seen.surname, "pers_sex": seen.sex,
        "pers_ethnicity": person.ethnicity, "pers_dob": seen.birth, "pers_single_unique_id": "SSD_SUI" if person.serial % 4 else seen.nhs,
        "pers_upn": "", "pers_upn_unknown": "", "pers_send_flag": "SSD_PH",
    }  # fmt: skip


def _address(rows: Rows, number: str, seen: Sighting, member: Member) -> None:
    """The address as the record has it, and the earlier one when the move is known."""
    known = [(seen.address, seen.postcode, None)]
    if member.before and member.moved_on and seen.address == member.home:
        known.append((member.before, member.before.postcode, member.moved_on))
    for order, (address, postcode, ended) in enumerate(known):
        packed = {"ROOM": "", "FLOOR": "", "FLAT": address.flat, "BUILDING": "", "HOUSE": address.house, "STREET": address.street,
                  "TOWN": address.town, "UPRN": address.uprn if order == 0 else "", "EASTING": "", "NORTHING": ""}  # fmt: skip
        began = (
            member.moved_on
            if ended is None and len(known) > 1
            else shift(member.moved_on or max(member.person.birth, date(2019, 1, 1)), -400)
        )
        rows.setdefault("ssd_address", []).append(
            {"addr_table_id": f"AD{number}{order}", "addr_person_id": number, "addr_address_type": "Main address",
             "addr_address_start_date": began, "addr_address_end_date": ended, "addr_address_postcode": postcode, "addr_address_json": json.dumps(packed)}
        )  # fmt: skip


def _identifiers(rng: Random, rows: Rows, number: str, seen: Sighting, person: Person) -> None:
    found = []
    if seen.nhs and rng.random() < rates("case_system")["nhs_number_held"]:
        found.append(("NHS Number", seen.nhs))
    if rng.random() < 0.1:
        found.append(("Case Number", "SSD_PH"))
    rows["ssd_linked_identifiers"] = [
        {"link_table_id": f"LI{number}{n}", "link_person_id": number, "link_identifier_type": kind, "link_identifier_value": value,
         "link_valid_from_date": person.birth}
        for n, (kind, value) in enumerate(found)
    ]  # fmt: skip


def _disability(rng: Random, rows: Rows, number: str) -> None:
    codes = (
        sorted(set(rng.choices(DISABILITIES, k=rng.choice((1, 1, 2, 3)))))
        if rng.random() < 0.13
        else ["NONE"]
    )
    rows["ssd_disability"] = [
        {"disa_table_id": f"DI{number}{n}", "disa_person_id": number, "disa_disability_code": c}
        for n, c in enumerate(codes)
    ]


def _professionals() -> list[dict[str, object]]:
    return [
        {"prof_professional_id": f"PR{1001 + n}", "prof_staff_id": f"S{5000 + n}", "prof_professional_name": f"{'ABCDEFGHIJ'[n % 10]} {STAFF_NAMES[n % 12]}",
         "prof_social_worker_registration_no": f"SW9{n:05d}" if n % 4 != 3 else "", "prof_agency_worker_flag": n % 6 == 0,
         "prof_professional_job_title": JOBS[n % 4], "prof_professional_caseload": 12 + n % 9,
         "prof_professional_department": case_rows.TEAMS[n % len(case_rows.TEAMS)], "prof_full_time_equivalency": 1 if n % 5 else 0.6}
        for n in range(case_rows.STAFF)
    ]  # fmt: skip
