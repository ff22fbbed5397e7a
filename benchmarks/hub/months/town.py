"""The people of a partnership month by month, as they truly are: who is expected and born, who moves
within the county, in or out of it, whose parents part, who takes another name. The first month's
people are those of the partnership of one day (households.make_unit); agencies only ever hear of
what happens here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

from benchmarks.hub.months.settings import monthly, months
from ffp_data.synthetic import places
from ffp_data.synthetic.births import Draft, Parents, child
from ffp_data.synthetic.households import make_unit
from ffp_data.synthetic.names import traditions
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.people import GROWN, SERIALS_PER_UNIT, Family, Member, Person, Unit, shift
from ffp_data.synthetic.rates import rates

NO_SURNAME = "-"  # of a tradition without family names
IN_FAMILY = 0.7  # share of new surnames that somebody of the family bears; assumed
EXPECTED_FOR = 150  # days before a birth at which agencies may first write of the child
FIRST_ARRIVAL, FIRST_HOME = (
    80_000,
    1_400_000,
)  # units and homes that come later, so that none is given twice


@dataclass
class Household:
    """A family as it is now; ``members`` by person."""

    family_id: str
    unit: int
    members: dict[str, Member]
    away: bool = False

    @property
    def mother(self) -> Member | None:
        return next((m for m in self.members.values() if m.role == "mother"), None)

    @property
    def children(self) -> list[Person]:
        """Children that are born."""
        return [
            m.person for m in self.members.values() if m.role == "child" and not m.person.unborn
        ]

    def siblings(self, person: Person) -> list[Person]:
        """Other born children."""
        return [p for p in self.children if p.person_id != person.person_id]

    def family(self) -> Family:
        """The same as the makers of records take it."""
        return Family(self.family_id, tuple(self.members.values()))


@dataclass
class News:
    """What happened in a month, for agencies to hear of: families and (family, person)."""

    moved: list[Household] = field(default_factory=list)
    left: list[Household] = field(default_factory=list)
    arrived: list[Household] = field(default_factory=list)
    renamed: list[tuple[Household, str]] = field(default_factory=list)
    expected: list[tuple[Household, str]] = field(default_factory=list)
    born: list[tuple[Household, str]] = field(default_factory=list)


class Town:
    """All families; ``step`` lets a month pass. due: the expected date of each unborn child."""

    def __init__(self, children: int, seed: int, as_at: date) -> None:
        self.seed, self.as_at = seed, as_at
        self.households: list[Household] = []
        self.due: dict[str, date] = {}
        self._serials: dict[int, int] = {}
        self._homes = FIRST_HOME
        self._units = 0
        made = 0
        while made < children:
            unit = self._unit(self._units, children - made)
            made += unit.children
            self._settle(unit)
            self._units += 1
        self._next = FIRST_ARRIVAL + self._units

    def step(self, as_at: date) -> News:
        """Let the time up to a day pass."""
        rng = stream(f"{self.seed}/months/{as_at}")
        days, self.as_at = (as_at - self.as_at).days, as_at
        news = News()
        for household in self.households:
            if not household.away:
                self._month(rng, household, days, news)
        self._arrivals(rng, news)
        return news

    def _unit(self, number: int, limit: int) -> Unit:
        return make_unit(stream(f"{self.seed}/{number}/people"), number, self.as_at, limit)

    def _settle(self, unit: Unit) -> list[Household]:
        """Take a unit's families in; who belongs to two lives with the first."""
        taken: set[str] = set()
        settled = []
        for family in unit.families:
            own = {m.person.person_id: m for m in family.members if m.person.person_id not in taken}
            taken |= own.keys()
            settled.append(
                Household(family.family_id, unit.number, own, family.left_on is not None)
            )
        self._serials[unit.number] = (
            max(m.person.serial for _, m in unit.each()) - unit.number * SERIALS_PER_UNIT
        )
        for household in settled:
            for member in household.members.values():
                if member.person.unborn:
                    self.due[member.person.person_id] = member.person.birth
        self.households += settled
        return settled

    def _month(self, rng: Random, household: Household, days: int, news: News) -> None:
        self._births(rng, household, days, news)
        if rng.random() < monthly("moves_home"):
            self._homes += 1
            self._relocate(household, places.other_home(self._homes))
            news.moved.append(household)
        elif rng.random() < monthly("leaves"):
            self._relocate(household, places.outside_home(household.unit))
            household.away = True
            news.left.append(household)
        elif rng.random() < monthly("parents_part"):
            self._part(household, news)
        self._names(rng, household, days, news)

    def _relocate(self, household: Household, home: places.Address) -> None:
        """Move all who live together."""
        for key, member in household.members.items():
            if member.in_home:
                household.members[key] = replace(member, home=home, before=None, moved_on=None)

    def _part(self, household: Household, news: News) -> None:
        """The father moves out."""
        father = next((m for m in household.members.values() if m.role == "father"), None)
        if father and father.in_home and household.mother:
            self._homes += 1
            home = places.other_home(self._homes)
            key = father.person.person_id
            household.members[key] = replace(
                father, home=home, in_home=False, before=None, moved_on=None
            )
            news.moved.append(household)

    def _births(self, rng: Random, household: Household, days: int, news: News) -> None:
        unborn = [m for m in household.members.values() if m.person.unborn]
        for member in unborn:
            due = self.due[member.person.person_id]
            off = rng.randint(-12, 8) if rng.random() < months().town["late_or_early"].value else 0
            if shift(due, off) <= self.as_at:
                birth = max(shift(due, off), shift(self.as_at, 1 - days))
                person = replace(member.person, unborn=False, birth=birth)
                household.members[person.person_id] = replace(member, person=person)
                news.born.append((household, person.person_id))
        if not unborn and self._may_expect(household) and rng.random() < monthly("birth"):
            self._expect(rng, household, news)

    def _may_expect(self, household: Household) -> bool:
        mother = household.mother
        if not mother or not 17 <= mother.person.age(self.as_at) <= 43:
            return False
        youngest = max((p.birth for p in household.children), default=date.min)
        room = self._serials[household.unit] < SERIALS_PER_UNIT - 4
        return room and (self.as_at - youngest).days > 200

    def _expect(self, rng: Random, household: Household, news: News) -> None:
        """A child, or twins, to be born; named as its brothers and sisters are."""
        number = household.unit
        draft = Draft(
            stream(f"{self.seed}/{number}/born/{self._serials[number]}"), number, self.as_at,
            self._serials[number], {p.name.given for p in household.children},
        )  # fmt: skip
        parents = self._parents(household)
        if not parents:
            return
        due = shift(self.as_at, rng.randint(EXPECTED_FOR - 30, EXPECTED_FOR))
        twins = rng.random() < rates("family")["multiple_maternity"]
        group = f"T{number * SERIALS_PER_UNIT + draft.serial + 1:08d}" if twins else ""
        mother = household.mother
        assert mother is not None, "who has no mother has no parents"
        for order in range(1, 3 if twins else 2):
            person = replace(
                child(draft, parents, due),
                former=None, renamed_on=None, twin_group=group, birth_order=order if twins else None,
            )  # fmt: skip
            household.members[person.person_id] = Member(person, "child", mother.home)
            self.due[person.person_id] = due
            news.expected.append((household, person.person_id))
        self._serials[number] = draft.serial

    def _parents(self, household: Household) -> Parents | None:
        mother = household.mother
        father = next(
            (m for m in household.members.values() if m.role in ("father", "step_father")), None
        )
        if not mother or not father:
            return None
        youngest = max(household.children, key=lambda p: p.birth, default=father.person)
        tradition = traditions()[mother.person.tradition]
        return Parents(tradition, mother.person, father.person, youngest.name.surname)

    def _names(self, rng: Random, household: Household, days: int, news: News) -> None:
        """Another surname: a parent's, or one that marriage brings."""
        for key, member in household.members.items():
            person = member.person
            rate = "child_renamed" if member.role == "child" else "mother_renamed"
            if member.role not in ("child", "mother") or person.unborn:
                continue
            if rng.random() >= monthly(rate):
                continue
            surname = self._other_surname(rng, household, person)
            new = replace(
                person,
                name=replace(person.name, surname=surname),
                former=person.name,
                renamed_on=shift(self.as_at, 1 - days),
            )
            household.members[key] = replace(member, person=new)
            news.renamed.append((household, key))

    def _other_surname(self, rng: Random, household: Household, person: Person) -> str:
        """One of the family's, or one that marriage brings."""
        adults = (m.person for m in household.members.values() if m.role != "child")
        choice = sorted({p.name.surname for p in adults} - {person.name.surname})
        if choice and rng.random() < IN_FAMILY:
            return rng.choice(choice)
        drawn = traditions()[person.tradition].surnames.draw(rng)
        return drawn if drawn != NO_SURNAME else person.name.surname

    def _arrivals(self, rng: Random, news: News) -> None:
        count = len(self.households) * monthly("arrives")
        for _ in range(int(count) + (rng.random() < count % 1)):
            unit = self._unit(self._next, GROWN)
            self._next += 1
            for household in self._settle(unit):
                if not household.away:
                    news.arrived.append(household)


def persons(households: Iterable[Household]) -> Iterable[tuple[Household, Member]]:
    """Each person with their family."""
    return ((household, m) for household in households for m in household.members.values())
