"""Targeted early help module of the council: persons of the families, and for each child the
episodes, assessments, plans and lead practitioners. Its numbers are its own. Files are cp1252
with British dates, as its report tool writes them. Every twentieth child has a fault of
recording, each of the list in turn; some contradict the case system."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic.care import EarlyHelp
from ffp_data.synthetic.early_help_conflicts import Planter, Told
from ffp_data.synthetic.noise import Origin, origin, see
from ffp_data.synthetic.people import Family, Member, shift
from ffp_data.synthetic.scene import Scene, Truth, local_id, siblings
from ffp_data.synthetic.school_age import upn_unknown
from ffp_data.synthetic.writing import Landing, Table, british, headers, stamp

FEED, SYSTEM = "early_help", "ehm"
KEY = 25
TABLES = ("persons", "episodes", "assessments", "plans", "lead_practitioners")
WORKERS = (
    "Robin Ashby",
    "Chris Dunmore",
    "Ola Peters",
    "Kim Lacey",
    "Dee Walsh",
    "Ravi Nair",
    "Beth Orme",
    "Tom Sayer",
)
DISABILITIES = ("LD", "BEH", "AUT", "COMM", "MOB", "PC", "HEAR", "VIS", "CON", "INC", "HAND", "DDA")
EVERY = 20
FAULTS = {
    "missing_ethnicity": "TE007 4220",
    "missing_disability": "TE008Q 8540",
    "closure_without_reason": "TE011",
    "no_plan": "TE013",
    "no_lead_practitioner": "TE014",
}


@dataclass
class EarlyHelpModule:
    """Collects families in early help, then writes the five files."""

    truth: Truth
    tables: dict[str, Table] = field(
        default_factory=lambda: {name: Table(FEED, name) for name in TABLES}
    )
    children: int = 0
    planter: Planter = field(default_factory=Planter)

    def add(self, scene: Scene) -> None:
        """Add the families of a unit that had targeted early help."""
        rng, made = scene.rng(FEED), set[str]()
        for family in scene.unit.families:
            told = {m.person.person_id: scene.early_help(m.person) for m in family.children}
            if not any(told.values()):
                continue
            source = origin(rng, FEED, family.moved_on, scene.as_at)
            for member in family.members:
                episodes = told.get(member.person.person_id, [])
                absent = not member.in_home and rng.random() < 0.6
                if member.person.person_id in made:
                    continue
                if episodes or (member.role != "child" and not absent):
                    made.add(member.person.person_id)
                    self._member(rng, scene, family, source, member, episodes)

    def _member(
        self,
        rng: Random,
        scene: Scene,
        family: Family,
        source: Origin,
        member: Member,
        episodes: list[EarlyHelp],
    ) -> None:
        number = str(local_id(member.person.serial, KEY))
        fault = self._next_fault(scene, episodes)
        if fault == "closure_without_reason" and not episodes[-1].end:
            fault = "missing_ethnicity"
        columns: dict[str, str] = {}
        if not fault and episodes:
            episodes, columns = self._contradict(scene, member, number, episodes)
        self._person(rng, scene, family, source, member, number, fault, columns)
        for episode in episodes:
            self._episode(family, number, episode, fault if episode is episodes[-1] else "")
        if fault:
            table = "persons" if fault.startswith("missing") else "episodes"
            self.truth.fault(FEED, table, number, member.person.person_id, fault, FAULTS[fault])

    def _contradict(
        self, scene: Scene, member: Member, number: str, episodes: list[EarlyHelp]
    ) -> tuple[list[EarlyHelp], dict[str, str]]:
        """Contradict the case system on a child of the year that both hold, now and then."""
        person = member.person
        needs = tuple(need for need in scene.needs(person) if not need.nfa)
        known = any(n.closed is None or n.closed >= scene.year_start for n in needs)
        told = Told(person, scene.year_start, scene.as_at, tuple(episodes), needs)
        ended = told.last.end
        if not known or person.unborn or (ended and ended < scene.year_start):
            return episodes, {}
        if self.truth.is_faulty(person.person_id):  # one fault would hide the other
            return episodes, {}
        told, conflict = self.planter.plant(told)
        if conflict:
            self.truth.fault(
                FEED, conflict.table, number, person.person_id, conflict.name, conflict.explains
            )
        return list(told.episodes), told.columns

    def _next_fault(self, scene: Scene, episodes: list[EarlyHelp]) -> str:
        if not episodes or (episodes[-1].end and episodes[-1].end < scene.year_start):
            return ""
        self.children += 1
        turn, rest = divmod(self.children, EVERY)
        return list(FAULTS)[turn % len(FAULTS)] if rest == EVERY // 2 else ""

    def _person(
        self,
        rng: Random,
        scene: Scene,
        family: Family,
        source: Origin,
        member: Member,
        number: str,
        fault: str,
        columns: dict[str, str],
    ) -> None:
        person = member.person
        seen = see(rng, source, member, siblings(family, person) if person.is_child else ())
        upn = (
            person.upn
            if person.is_child and person.age(scene.as_at) >= 5 and rng.random() < 0.8
            else ""
        )
        disabilities = (
            "|".join(sorted(set(rng.choices(DISABILITIES, k=rng.choice((1, 2))))))
            if rng.random() < 0.12
            else "NONE"
        )
        row = dict(
            eh_person_id=number, eh_family_id=f"EHF{family.family_id[1:]}",
            relationship_in_family=member.role.replace("_", "-"),
            forename="Unborn" if person.unborn else seen.given, surname=seen.surname, known_as=person.preferred,
            previous_surname=person.former.surname if person.former and rng.random() < 0.5 else "",
            date_of_birth="" if person.unborn else british(seen.birth),
            expected_birth_date=british(person.birth) if person.unborn else "",
            sex="U" if person.unborn else seen.sex,
            nhs_number=seen.nhs if person.is_child and rng.random() < 0.35 else "", upn=upn,
            upn_unknown=upn_unknown(person, upn, scene.as_at) if person.is_child else "",
            ethnicity="" if fault == "missing_ethnicity" else person.ethnicity,
            disabilities="" if fault == "missing_disability" or not person.is_child else disabilities,
            address_line=seen.address_line, postcode=seen.postcode, phone=seen.phone,
        )  # fmt: skip
        self.tables["persons"].add(**(row | columns))
        self.truth.record(FEED, SYSTEM, number, person.person_id, seen.operators)

    def _episode(self, family: Family, number: str, told: EarlyHelp, fault: str) -> None:
        episode = f"TEH{family.family_id[1:]}{told.start:%y%m%d}"
        key = {"teh_episode_id": episode, "eh_person_id": number}
        self.tables["episodes"].add(
            **key, eh_family_id=f"EHF{family.family_id[1:]}", referral_date=british(told.referral),
            referral_source=told.source,
            start_date=british(told.start), end_date=british(told.end),
            closure_reason="" if fault == "closure_without_reason" else told.reason,
            primary_need=told.primary_need, entry_route=told.route,
        )  # fmt: skip
        assessment = told.assessment
        self.tables["assessments"].add(
            **key, assessment_id=f"A{episode}", start_date=british(assessment.start),
            completion_date=british(assessment.done),
            organisation=told.organisation, factors="|".join(assessment.factors),
        )  # fmt: skip
        if fault != "no_plan":
            self.tables["plans"].add(
                **key,
                plan_id=f"P{episode}",
                start_date=british(told.start),
                review_due_date=british(shift(told.start, 84)),
                end_date=british(told.end),
            )
        if fault != "no_lead_practitioner":
            self._leads(key, episode, told)

    def _leads(self, key: dict[str, str], episode: str, told: EarlyHelp) -> None:
        spans = [(told.start, told.second_lead_from or told.end)]
        if told.second_lead_from:
            spans.append((shift(told.second_lead_from, 1), told.end))
        for number, (start, end) in enumerate(spans):
            worker = (told.start.toordinal() + number) % len(WORKERS)
            self.tables["lead_practitioners"].add(
                **key, appointment_id=f"L{episode}{number}", practitioner_name=WORKERS[worker],
                practitioner_phone=f"01632 960{worker + 300:03d}",
                practitioner_email=f"{WORKERS[worker].lower().replace(' ', '.')}@example.com", role=told.role,
                agency=told.agency,
                is_social_work_qualified=told.qualified, start_date=british(start), end_date=british(end),
            )  # fmt: skip

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the five files; one episode has a referral source that no list knows."""
        bad = {
            "teh_episode_id": "TEH000000X",
            "eh_person_id": "19999999",
            "referral_date": british(as_at),
            "referral_source": "99X",
            "start_date": british(as_at),
        }
        self.truth.fault(FEED, "episodes", "19999999", "", "unknown_referral_source", "quarantine")
        extra = {"episodes": [",".join(bad.get(h, "") for h in headers(FEED, "episodes"))]}
        for name, table in self.tables.items():
            lines = extra.get(name, [])
            landing.put(
                FEED,
                name,
                f"eh_{name}_{stamp(as_at)}_001.csv",
                table.csv_bytes("cp1252", "\r\n", lines),
                len(table.rows) + len(lines),
            )
