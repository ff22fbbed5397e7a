"""The agencies' books: who has a record where, what they hear of, and what becomes of their records.

A family has one origin in each agency (in a hurry or not, all in capitals or not), as in ``noise``.
News of a move reaches an agency for the whole family or not at all that month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

from benchmarks.hub.months.entry import Clerk, Entry
from benchmarks.hub.months.settings import Agency, chance, monthly
from benchmarks.hub.months.town import Household, News
from ffp_data.synthetic.noise import Origin, Sighting, origin
from ffp_data.synthetic.people import Member
from ffp_data.synthetic.places import schools_near
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import local_id
from ffp_data.synthetic.school_rolls import LAST, LAST_COMPULSORY, LAST_PRIMARY, year_group

UNBORN_FEEDS = ("case_system", "police_safeguarding")
LATE_DAYS = 92  # a holding name that lasts longer is often forgotten


def _blank(member: Member) -> Sighting:
    home = member.home
    return Sighting("", "", "", None, "", home, "", "", "", "", "", "")


@dataclass
class Register:
    """The books of one agency. entries: by family; known: families that it works with."""

    feed: str
    agency: Agency
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    origins: dict[str, Origin] = field(default_factory=dict)
    schools: dict[str, tuple[str, str]] = field(default_factory=dict)
    states: dict[str, bool] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def all(self) -> Iterator[Entry]:
        """Every record."""
        for entries in self.entries.values():
            yield from entries

    # The first day

    def open(self, rng: Random, household: Household, as_at: date) -> None:
        """Write what the agency knows of a family when it first delivers, or when the family comes."""
        clerk = Clerk(rng, self.feed, self.agency, as_at)
        agency = self.agency
        if household.away:
            return
        family_known = agency.by == "family" and rng.random() < agency.families
        if family_known:
            self.known.add(household.family_id)
        for member in list(household.members.values()):
            if self._knows(rng, household, member, as_at):
                self._enter(clerk, household, member)

    def _knows(self, rng: Random, household: Household, member: Member, as_at: date) -> bool:
        agency, role = self.agency, member.role
        if member.person.unborn:
            return self.feed in UNBORN_FEEDS and household.family_id in self.known
        match agency.by:
            case "school":
                return role == "child" and self._on_roll(rng, member, as_at)
            case "child":
                return rng.random() < (
                    agency.children
                    if role == "child"
                    else agency.mothers
                    if role == "mother"
                    else 0
                )
            case "family":
                return household.family_id in self.known and rng.random() < agency.member
            case _:
                return role in ("mother", "father") and rng.random() < agency.parents

    def _on_roll(self, rng: Random, member: Member, as_at: date) -> bool:
        """At a state school; whether a child is, is drawn once."""
        key = member.person.person_id
        if key not in self.states:
            self.states[key] = rng.random() < rates("education")["state_school"]
        group = year_group(member.person.birth, as_at)
        last = LAST if member.person.serial % 2 else LAST_COMPULSORY
        return self.states[key] and 0 <= group <= last

    # Records

    def _enter(self, clerk: Clerk, household: Household, member: Member) -> Entry:
        """A new record of a person."""
        person = member.person
        number = self.counts.get(person.person_id, 0)
        self.counts[person.person_id] = number + 1
        source_id, part = str(local_id(person.serial, self.agency.key)), ""
        if number:
            source_id = f"{source_id}-{number}"
        if self.agency.by == "school":
            part = self._school(clerk, member)
            source_id = f"{part}:{source_id}"
        entry = Entry(
            self.feed,
            self.agency.system,
            source_id,
            part,
            person.person_id,
            "child",
            _blank(member),
        )
        clerk.write(entry, household, member, self._origin(clerk, household))
        self.entries.setdefault(household.family_id, []).append(entry)
        return entry

    def _school(self, clerk: Clerk, member: Member) -> str:
        primary = year_group(member.person.birth, clerk.as_at) <= LAST_PRIMARY
        phase = "primary" if primary else "secondary"
        school = clerk.rng.choice(schools_near(member.home.town, phase))
        self.schools[member.person.person_id] = (school.urn, phase)
        return school.urn

    def _origin(self, clerk: Clerk, household: Household) -> Origin:
        """The family's origin here; what it hears from now on is of today."""
        found = self.origins.get(household.family_id)
        if found is None:
            moved = next(
                (m.moved_on for m in household.members.values() if m.in_home and m.before), None
            )
            found = origin(clerk.rng, self.feed, moved, clerk.as_at)
            self.origins[household.family_id] = found
            return found
        return replace(found, address_on=clerk.as_at, name_on=clerk.as_at)

    # A month

    def month(self, rng: Random, households: list[Household], news: News, as_at: date) -> None:
        """What the agency learns in a month, and what it does with its records."""
        clerk = Clerk(rng, self.feed, self.agency, as_at)
        self._note(news)
        for household in news.arrived:
            self.open(rng, household, as_at)
        for household in households:
            entries = self.entries.get(household.family_id)
            if entries:
                self._keep(clerk, household, entries)
            if not household.away:
                self._newcomers(clerk, household)
        for household, person_id in news.born:
            self._birth(clerk, household, person_id)

    def _note(self, news: News) -> None:
        """Mark the records that the news make old."""
        for household in [*news.moved, *news.left]:
            for entry in self.entries.get(household.family_id, ()):
                member = household.members[entry.person_id]
                if entry.seen.address != member.home:
                    entry.old_address = entry.old_address or 1
        for household, person_id in news.renamed:
            for entry in self.entries.get(household.family_id, ()):
                if entry.person_id == person_id:
                    entry.old_name = entry.old_name or 1

    def _keep(self, clerk: Clerk, household: Household, entries: list[Entry]) -> None:
        """A family's records for a month; those who left are heard of no more."""
        rng, source = clerk.rng, self._origin(clerk, household)
        waiting = max((e.old_address for e in entries), default=0)
        hears_of_move = not household.away and self._hears(rng, "move", waiting)
        for entry in list(entries):
            if entry.closed:
                continue
            member = household.members[entry.person_id]
            if entry.old_address and hears_of_move:
                clerk.heard_of_move(entry, member, source)
            if entry.old_name and self._hears(rng, "name", entry.old_name):
                clerk.heard_of_name(entry, member, source)
            entry.old_address += entry.old_address > 0
            entry.old_name += entry.old_name > 0
            self._tend(clerk, household, entry, member, source)
        self._find_twice(rng, entries)
        if household.away and self.agency.by == "school" and rng.random() < chance("dropped"):
            self.entries[household.family_id] = []

    def _hears(self, rng: Random, what: str, waiting: int) -> bool:
        return waiting > 0 and rng.random() < chance(
            f"{what}_heard_{'at_once' if waiting == 1 else 'later'}"
        )

    def _tend(
        self, clerk: Clerk, household: Household, entry: Entry, member: Member, source: Origin
    ) -> None:
        """What may happen to one record in a month."""
        rng, person = clerk.rng, member.person
        if person.unborn:
            return
        if entry.holding:
            late = (clerk.as_at - person.birth).days > LATE_DAYS
            if rng.random() < chance("name_registered_late" if late else "name_registered"):
                clerk.mend(entry, household, member, source)
            return
        if entry.slips and rng.random() < chance("slip_mended"):
            clerk.mend(entry, household, member, source)
        self._numbers(clerk, household, entry, member)
        roll = rng.random()
        if roll < chance("written_anew"):
            clerk.write(entry, household, member, source)
        elif roll < chance("written_anew") + chance("written_twice") and not entry.part:
            self._enter(clerk, household, member)

    def _find_twice(self, rng: Random, entries: list[Entry]) -> None:
        """Merge a second record of one person into the first, when the agency finds it."""
        first: dict[str, Entry] = {}
        for entry in entries:
            if entry.closed or entry.part:
                continue
            kept = first.setdefault(entry.person_id, entry)
            if kept is not entry and rng.random() < chance("twice_found"):
                entry.replaced_by, entry.closed = kept.key, True

    def _numbers(self, clerk: Clerk, household: Household, entry: Entry, member: Member) -> None:
        rng, agency, person, seen = clerk.rng, self.agency, member.person, entry.seen
        if entry.wrong_number:
            if rng.random() < chance("number_mended"):
                seen.nhs, entry.wrong_number = person.nhs, False
        elif seen.nhs:
            if rng.random() < chance("number_mistaken") and (others := household.siblings(person)):
                seen.nhs, entry.wrong_number = rng.choice(others).nhs, True
        elif agency.nhs and rng.random() < chance("number_traced") * agency.nhs:
            seen.nhs = person.nhs
        of_age = member.role == "child" and person.age(clerk.as_at) >= 4
        if of_age and not seen.upn and rng.random() < chance("number_traced") * agency.upn:
            seen.upn = person.upn

    # Who comes new

    def _newcomers(self, clerk: Clerk, household: Household) -> None:
        here = {e.person_id for e in self.entries.get(household.family_id, ()) if not e.closed}
        if self.agency.by == "school":
            self._rolls(clerk, household)
        elif self.agency.by == "family":
            self._families(clerk, household, here)
        else:
            self._persons(clerk, household, here)

    def _families(self, clerk: Clerk, household: Household, here: set[str]) -> None:
        if household.family_id in self.known:
            self._join(clerk, household, here)
        elif clerk.rng.random() < self.agency.new:
            self.known.add(household.family_id)
            for member in list(household.members.values()):
                if self._knows(clerk.rng, household, member, clerk.as_at):
                    self._enter(clerk, household, member)

    def _persons(self, clerk: Clerk, household: Household, here: set[str]) -> None:
        """Children, or parents, who come one by one."""
        agency = self.agency
        roles = ("child",) if agency.by == "child" else ("mother", "father")
        rate = agency.new * (agency.children if agency.by == "child" else 1)
        for member in list(household.members.values()):
            new = member.role in roles and member.person.person_id not in here
            if new and not member.person.unborn and clerk.rng.random() < rate:
                self._enter(clerk, household, member)

    def _join(self, clerk: Clerk, household: Household, here: set[str]) -> None:
        """Children, unborn ones too, of a family that the agency works with and who are not on its books."""
        for member in list(household.members.values()):
            new = member.role == "child" and member.person.person_id not in here
            noticed = new and clerk.rng.random() < chance("child_noticed")
            if noticed and self._knows(clerk.rng, household, member, clerk.as_at):
                self._enter(clerk, household, member)

    def _birth(self, clerk: Clerk, household: Household, person_id: str) -> None:
        """A birth: health knows at once; a record of the unborn child is converted, or another made."""
        member = household.members[person_id]
        entries = self.entries.get(household.family_id, [])
        before = [e for e in entries if e.person_id == person_id and e.expected]
        if self.feed == "health_fhir" and clerk.rng.random() < self.agency.children:
            self._enter(clerk, household, member)
        for entry in before:
            if clerk.rng.random() < chance("birth_entered"):
                clerk.write(entry, household, member, self._origin(clerk, household))
            else:
                entry.closed = True
                self._enter(clerk, household, member)

    def _rolls(self, clerk: Clerk, household: Household) -> None:
        """Children start school, change it, or leave; the old roll keeps its row for the year."""
        rng = clerk.rng
        for member in list(household.members.values()):
            person = member.person
            if member.role != "child" or person.unborn:
                continue
            now = self.schools.get(person.person_id)
            if not self._on_roll(rng, member, clerk.as_at):
                continue
            phase = (
                "primary" if year_group(person.birth, clerk.as_at) <= LAST_PRIMARY else "secondary"
            )
            if now and now[1] == phase and rng.random() >= monthly("changes_school"):
                continue
            for entry in self.entries.get(household.family_id, ()):
                if entry.person_id == person.person_id:
                    entry.closed = True
            self._enter(clerk, household, member)
