"""Children's case system, as a council with Liquidlogic sends it unless another is asked for: a
Standard Safeguarding Dataset drop with its manifest, and extension tables for Family Help, family
members, group decisions and multi-agency child protection. Children come with a contact at the front
door; children known to early help only are mostly absent. Some children have two numbers, some babies
still have their record from before birth, and now and then a fault of recording is planted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from random import Random

import yaml

from ffp_data.synthetic import case_family_help, case_family_network, case_people, case_rows
from ffp_data.synthetic.care import EarlyHelp, Need, Story
from ffp_data.synthetic.case_dialects import csv_bytes, dress
from ffp_data.synthetic.case_faults import Draft, Planter
from ffp_data.synthetic.case_people import case_number, family_number
from ffp_data.synthetic.case_rows import Rows, Scribe
from ffp_data.synthetic.noise import Origin, Sighting, origin, see
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.people import Family, Member, Person, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, siblings, take_number
from ffp_data.synthetic.school_age import upn_unknown
from ffp_data.synthetic.writing import Landing, Table, headers, table_names

FEED = "case_system"
EARLY_HELP_ONLY = frozenset({"teh_only", "left_with_teh"})
FAULT_SHARE = 0.16  # of the children of the census year, so that a small partnership has each kind
WRONG_BIRTH_DATE = "8775Q 8606 8520 8770Q TE018 TE019"
BABY_DAYS = 540


@dataclass(frozen=True)
class Case:
    """One family's case while its rows are made. mood: a number that the family's children share."""

    rng: Random
    scene: Scene
    family: Family
    story: Story
    source: Origin
    mood: int

    @property
    def network(self) -> case_family_network.Family:
        """The family's number and its stream."""
        return case_family_network.Family(family_number(self.family), self.mood)


def _is_open(need: Need, on: date) -> bool:
    return need.referral <= on and (need.closed is None or on <= need.closed)


def _age(case: Case, person: Person) -> int:
    return 0 if person.unborn else person.age(case.scene.as_at)


@dataclass
class CaseSystem:
    """Collects the rows of all units, then writes the drop."""

    truth: Truth
    system: str = "systemc"
    tables: dict[str, Table] = field(
        default_factory=lambda: {name: Table(FEED, name) for name in table_names(FEED)}
    )
    planter: Planter = field(default_factory=lambda: Planter(FAULT_SHARE))
    donor: tuple[str, str, str] = (
        "",
        "",
        "",
    )  # number, person and UPN of a child of the year with no fault

    def add(self, scene: Scene) -> None:
        """Add the families of a unit that are known to the case system."""
        rng, known = scene.rng(FEED), set[str]()
        for family in scene.unit.families:
            story = scene.stories[family.family_id]
            helped_only = story.scenario in EARLY_HELP_ONLY and rng.random() < 0.6
            if story.children and not helped_only:
                source = origin(rng, FEED, family.moved_on, scene.as_at)
                self._family(Case(rng, scene, family, story, source, rng.getrandbits(32)), known)

    def _family(self, case: Case, known: set[str]) -> None:
        present: list[Member] = []
        for member in case.family.members:
            person_id = member.person.person_id
            if member.role == "child":
                if person_id not in case.story.children:
                    continue
                self._child(case, member, first=not any(m.role == "child" for m in present))
            else:
                if case.rng.random() > (0.95 if member.in_home else 0.7):
                    continue
                if person_id not in known:
                    self._adult(case, member)
                known.add(person_id)
            present.append(member)
        self._parents_offered(case, present)
        self._keep(case_people.family_rows(case.family, present))

    def _parents_offered(self, case: Case, present: list[Member]) -> None:
        """What the adults at home were offered when an enquiry about one of the children started."""
        adults = [case_number(m.person) for m in present if m.role != "child" and m.in_home]
        enquiries = [
            (f"ENRE{case_number(member.person)}{number}", phase.enquiry.start)
            for member in present
            if member.role == "child"
            for number, phase in enumerate(case.scene.phases(member.person))
            if isinstance(phase, Need) and phase.enquiry
        ]
        self._keep(case_family_network.parent_offers(case.network, enquiries, adults))

    def _adult(self, case: Case, member: Member) -> None:
        seen = see(case.rng, case.source, member)
        number = case_number(member.person)
        row = case_people.person_row(number, seen, member.person)
        row["pers_is_mother"] = member.role == "mother"
        self._record(member, seen, Rows(ssd_person=[row]), number)

    def _child(self, case: Case, member: Member, first: bool) -> None:
        rng, person, number = case.rng, member.person, case_number(member.person)
        others = siblings(case.family, person)
        seen = see(rng, case.source, member, others)
        if others and rng.random() < rates("case_system")["sibling_nhs_number"]:
            take_number(seen, rng.choice(others), "nhs_number_of_sibling")
        row = case_people.person_row(number, seen, person)
        rows = Rows(ssd_person=[row])
        if person.unborn:
            row |= case_people.unborn_columns(case.family, person, person.birth)
        else:
            row |= case_people.pupil_columns(rng, person, case.scene.as_at)
            case_people.add_disability(rng, rows, number)
            case_people.add_nhs_number(rng, rows, number, seen, person)
        self._events(
            Scribe(
                rng,
                number,
                case.scene.as_at,
                case.scene.unit.number,
                rows,
                _age(case, person),
                self.system,
            ),
            case,
            person,
            first,
        )
        self._plant(case, person, rows, row)
        self._record(member, seen, rows, number)
        if seen.birth != person.birth:
            self.truth.fault(
                FEED, "ssd_person", number, person.person_id, "wrong_birth_date", WRONG_BIRTH_DATE
            )
        if not person.unborn and not person.adopted_away_on:
            self._second_record(case, member)

    def _events(self, s: Scribe, case: Case, person: Person, first: bool) -> None:
        phases = case.scene.phases(person)
        referrals = {p.referral for p in phases if isinstance(p, Need)}
        for number, (on, source) in enumerate(case.story.contacts):
            case_rows.write_contact(s, number, on, source, on in referrals)
        for number, phase in enumerate(phases):
            if isinstance(phase, Need):
                case_rows.write_need(s, number, phase)
            else:
                case_rows.write_early_help(s, number, phase)
        for number, run in enumerate(case_family_help.chains(phases)):
            case_family_help.write_family_help(
                s, family_number(case.family), number, run, with_plans=first
            )
        self._network(s, case, person, phases)
        needs = [p for p in phases if isinstance(p, Need)]
        care = next((n.care for n in needs if n.care), None)
        if care and person.age(s.as_at) >= 12 and s.rng.random() < 0.3:
            case_family_help.write_missing(s, care)

    def _network(
        self, s: Scribe, case: Case, person: Person, phases: list[Need | EarlyHelp]
    ) -> None:
        """Group decisions in the need that was open on each day of a decision, and the team's part."""
        needs = {n: p for n, p in enumerate(phases) if isinstance(p, Need)}
        for offered in case.story.group_decision:
            need = next((n for n in needs.values() if _is_open(n, offered)), None)
            if need:
                case_family_network.write_network(
                    s, self.truth, person.person_id, case.network, need, offered
                )
        for number, need in needs.items():
            case_family_network.write_team(s, case.network, number, need)

    def _plant(self, case: Case, person: Person, rows: Rows, row: dict[str, object]) -> None:
        scene = case.scene
        helped = tuple(help.start for help in scene.early_help(person))
        draft = Draft(rows, row, person.birth, scene.as_at, scene.year_start, self.donor[2], helped)
        last = draft.referral() or draft.one("ssd_cin_episodes")
        if person.unborn or last is None:
            return
        closed = last["cine_close_date"]
        if isinstance(closed, date) and closed < scene.year_start:
            return
        number = str(row["pers_person_id"])
        fault = self.planter.plant(case.rng, draft)
        if fault:
            both = [
                (number, person.person_id),
                *([self.donor[:2]] if fault.name == "duplicate_upn" else []),
            ]
            for source_id, person_id in both:
                self.truth.fault(
                    FEED, fault.table, source_id, person_id, fault.name, fault.explains
                )
        elif row["pers_upn"]:
            self.donor = (number, person.person_id, str(row["pers_upn"]))

    def _second_record(self, case: Case, member: Member) -> None:
        """A second number for a few children, or the record from before birth that nobody closed."""
        rng, person, chance = case.rng, member.person, rates("case_system")
        begin = min((p.referral for p in case.scene.phases(person)), default=case.scene.as_at)
        if rng.random() < chance["duplicate_child"]:
            self._duplicate(case, member, begin)
            return
        share = chance["unborn_not_converted"] * (1.0 if person.birth > begin else 0.5)
        if shift(person.birth, BABY_DAYS) > case.scene.as_at and rng.random() < share:
            self._left_from_before_birth(case, member, begin)

    def _duplicate(self, case: Case, member: Member, begin: date) -> None:
        rng, person = case.rng, member.person
        source = origin(rng, FEED, member.moved_on, case.scene.as_at)
        seen = see(rng, source, member, siblings(case.family, person))
        row = case_people.person_row(case_number(person, 1), seen, person)
        row |= case_people.pupil_columns(rng, person, case.scene.as_at) | {"pers_upn": ""}
        row["pers_upn_unknown"] = upn_unknown(person, "", case.scene.as_at)
        seen.operators.append("duplicate_record")
        on = max(shift(begin, -rng.randint(10, 200)), shift(person.birth, 2))
        self._second(case, member, seen, row, on, begin)
        explains = "8815 8820" if seen.birth == person.birth else f"8815 8820 {WRONG_BIRTH_DATE}"
        self.truth.fault(
            FEED,
            "ssd_person",
            case_number(person, 1),
            person.person_id,
            "duplicate_record",
            explains,
        )

    def _left_from_before_birth(self, case: Case, member: Member, begin: date) -> None:
        rng, person = case.rng, member.person
        seen = see(rng, case.source, member)
        expected = shift(person.birth, rng.randint(-12, 12))
        row = case_people.person_row(case_number(person, 1), seen, person)
        row |= case_people.unborn_columns(case.family, person, expected)
        seen.operators.append("unborn_not_converted")
        self._second(case, member, seen, row, shift(person.birth, -rng.randint(20, 150)), begin)
        number, explains = case_number(person, 1), "8525Q 8530Q 8750 8606 TE005"
        self.truth.fault(
            FEED, "ssd_person", number, person.person_id, "unborn_not_converted", explains
        )

    def _second(
        self,
        case: Case,
        member: Member,
        seen: Sighting,
        row: dict[str, object],
        on: date,
        begin: date,
    ) -> None:
        """Write a second record: a contact, and a referral without further action when before the case."""
        number, rows = str(row["pers_person_id"]), Rows(ssd_person=[row])
        if row["pers_dob"]:
            case_people.add_disability(case.rng, rows, number)
        scribe = Scribe(case.rng, number, case.scene.as_at, case.scene.unit.number, rows)
        on = min(on, case.scene.as_at)
        referred = on < begin and case.rng.random() < 0.3
        case_rows.write_contact(scribe, 0, on, "3B", referred)
        if referred:
            case_rows.write_need(scribe, 0, Need(on, "3B", True, "", on, "RC7"))
        self._record(member, seen, rows, number)

    def _record(self, member: Member, seen: Sighting, rows: Rows, number: str) -> None:
        case_people.add_address(rows, number, seen, member)
        self._keep(rows)
        self.truth.record(FEED, self.system, number, member.person.person_id, seen.operators)

    def _keep(self, rows: Rows) -> None:
        for name, found in rows.items():
            for row in found:
                self.tables[name].add(**row)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the drop of the day after the as-at date: a file for each table, and the manifest."""
        for row in case_people.workers():
            self.tables["ssd_professionals"].add(**row)
        for row in case_family_network.practitioners():
            self.tables["xt_practitioners"].add(**row)
        delivered = shift(as_at, 1)
        folder, listed = f"ssd_{delivered:%Y%m%d}", []
        for name, content, rows in self._files(delivered):
            digest = landing.put(FEED, name, f"{folder}/{name}.csv", content, rows)
            listed.append({"name": name, "rows": rows, "sha256": digest})
        manifest = {
            "la_code": "999", "case_system": self.system, "ssd_version": "1.4.5",
            "extract_started": f"{delivered}T02:00:00Z", "extract_finished": f"{delivered}T02:40:00Z",
            "window_years": 6, "cohort_includes_early_help": False, "tables": listed,
            "signed_off_by": "Head of Performance",
        }  # fmt: skip
        path = landing.root / FEED / folder / "manifest.yaml"
        path.write_text(yaml.safe_dump(manifest, sort_keys=False), "utf-8")

    def _files(self, delivered: date) -> Iterator[tuple[str, bytes, int]]:
        """Name, content and rows of each file of the drop, in the order of its manifest."""
        if self.system == "systemc":
            for name, table in self.tables.items():
                yield name, table.csv_bytes(), len(table.rows)
            return
        plain = {
            name: [dict(zip(headers(FEED, name), row, strict=True)) for row in table.rows]
            for name, table in self.tables.items()
        }
        rng = stream(f"{self.system}/{FEED}")
        header_of = partial(headers, FEED)
        dressed = dress(self.system, plain, rng, delivered.isoformat(), header_of)
        for name, (header, rows) in dressed.items():
            yield name, csv_bytes(rows, header), len(rows)
