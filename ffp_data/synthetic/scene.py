"""What a feed is given for one unit: its people, their stories, the as-at date and a random
stream of the feed's own, so that a change in one feed leaves the others as they were. Also the
book of truth that every feed writes in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic.care import EarlyHelp, Need, Story
from ffp_data.synthetic.noise import Sighting
from ffp_data.synthetic.numbers import scramble, stream
from ffp_data.synthetic.people import Family, Person, Unit, shift, years_before
from ffp_data.synthetic.stories import for_child, part_of

LOCAL_SPACE = 20_000_000
SECOND = 10_000_000  # added to a serial for a second record of the same person


@dataclass
class Truth:
    """Which record is which person, and every fault put in on purpose."""

    records: list[tuple[str, str, str]] = field(default_factory=list)
    faults: list[tuple[str, str, str, str, str, str]] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)
    cases: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def record(
        self, feed: str, system: str, source_id: str, person_id: str, operators: list[str]
    ) -> None:
        """Note a record of a person and the operators that changed it."""
        self.records.append((f"{feed}|{system}|{source_id}", person_id, " ".join(operators)))

    def fault(
        self, feed: str, table: str, source_id: str, person_id: str, fault: str, explains: str
    ) -> None:
        """Note a planted fault; `explains`: rule codes it may trip, conflict:<item>, or the word quarantine."""
        self.faults.append((feed, table, source_id, person_id, fault, explains))
        self.faulty.add(person_id)

    def case(self, kind: str, record: str, person_id: str, since: date, detail: str = "") -> None:
        """Note a case that a list of the programme must find: what, whose record, since when."""
        self.cases.append((kind, record, person_id, since.isoformat(), detail))

    def is_faulty(self, person_id: str) -> bool:
        """True when a fault was planted in a record of the person so far."""
        return person_id in self.faulty


@dataclass(frozen=True)
class Scene:
    """One unit and the stories of its families."""

    unit: Unit
    stories: dict[str, Story]
    seed: int

    @property
    def as_at(self) -> date:
        """The day up to which anything is known."""
        return self.unit.as_at

    @property
    def year_start(self) -> date:
        """The first day of the twelve months that end on the as-at date."""
        return shift(years_before(self.as_at, 1), 1)

    def rng(self, feed: str) -> Random:
        """Return the feed's random stream for this unit."""
        return stream(f"{self.seed}/{self.unit.number}/{feed}")

    def story_of(self, person_id: str) -> Story:
        """Return the story that a child takes part in; an empty one when none."""
        return next((s for s in self.stories.values() if person_id in s.children), Story())

    def phases(self, person: Person) -> list[Need | EarlyHelp]:
        """Return the phases of a child's case as they concern that child."""
        told = self.story_of(person.person_id).phases
        return [for_child(person, phase) for phase in told if part_of(person, phase)]

    def needs(self, person: Person) -> list[Need]:
        """Return a child's episodes of need."""
        return [p for p in self.phases(person) if isinstance(p, Need)]

    def early_help(self, person: Person) -> list[EarlyHelp]:
        """Return a child's periods of targeted early help."""
        return [p for p in self.phases(person) if isinstance(p, EarlyHelp)]

    def in_care(self, person: Person) -> bool:
        """True while the child is looked after on the as-at date."""
        return any(n.care and n.care.end is None for n in self.needs(person))


def siblings(family: Family, person: Person, twins: bool = False) -> list[Person]:
    """Return the other born children of a family; with `twins`, only those of the same birth."""
    others = [
        m.person
        for m in family.children
        if m.person.person_id != person.person_id and not m.person.unborn
    ]
    return (
        [p for p in others if p.twin_group]
        if twins and person.twin_group
        else []
        if twins
        else others
    )


def local_id(serial: int, key: int, record: int = 0) -> int:
    """Return an eight-digit number of a person's record in one system; `record` 1 is a second record."""
    return LOCAL_SPACE + scramble(serial + record * SECOND, LOCAL_SPACE, key)


def take_number(seen: Sighting, other: Person, operator: str) -> None:
    """Put another person's NHS number on a record."""
    seen.nhs = other.nhs
    seen.operators.append(operator)
