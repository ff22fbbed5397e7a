"""People, families and the units they are made in. A unit is everything that one number makes:
a family, and now and then the second household of a father, a neighbour who shares a name, or
the adopters of a child. Truth is told here and only here; feeds see people through `noise`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from ffp_data.synthetic import numbers
from ffp_data.synthetic.names import Name
from ffp_data.synthetic.places import Address

SERIALS_PER_UNIT = 32
GROWN = 18


def years_before(day: date, years: int) -> date:
    """Return the same day some years earlier (28 February for the 29th)."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def age_at(birth: date, day: date) -> int:
    """Return completed years of age; negative before birth."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


@dataclass(frozen=True, slots=True)
class Person:
    """One person as they truly are. `birth` of an unborn child is the expected date."""

    person_id: str
    serial: int
    sex: str
    birth: date
    name: Name
    tradition: str
    ethnicity: str
    is_child: bool = True
    former: Name | None = None  # the name before `renamed_on`
    renamed_on: date | None = None
    preferred: str = ""
    mother_id: str = ""
    father_id: str = ""
    twin_group: str = ""
    birth_order: int | None = None
    unborn: bool = False
    adopted: bool = False  # a new identity after adoption
    adopted_away_on: date | None = None  # an old identity, closed that day
    phone: str = ""

    @property
    def nhs(self) -> str:
        """NHS number; an unborn child's is not issued yet, so no feed may use it."""
        return numbers.nhs_number(self.serial)

    @property
    def upn(self) -> str:
        """UPN as first issued, in the autumn of the year the child turned four."""
        return numbers.upn(self.serial, 1 + self.serial % 3, self.birth.year + 4)

    def name_on(self, day: date) -> Name:
        """Return the name borne on a day."""
        return (
            self.former if self.former and self.renamed_on and day < self.renamed_on else self.name
        )

    def age(self, day: date) -> int:
        """Return completed years of age."""
        return age_at(self.birth, day)


@dataclass(frozen=True, slots=True)
class Member:
    """A person's place in a family: role, home, and whether that is the family's home."""

    person: Person
    role: str  # mother, father, step_father, step_mother, grandmother, foster_carer, child
    home: Address
    in_home: bool = True
    before: Address | None = None  # where they lived before `moved_on`
    moved_on: date | None = None

    def address_on(self, day: date) -> Address:
        """Return where the person lived on a day."""
        return self.before if self.before and self.moved_on and day < self.moved_on else self.home


@dataclass(frozen=True)
class Family:
    """A household with the parents who live elsewhere. A person may belong to two families."""

    family_id: str
    members: tuple[Member, ...]
    moved_on: date | None = None
    from_outside: bool = False
    left_on: date | None = None

    @cached_property
    def children(self) -> tuple[Member, ...]:
        """Children, unborn ones included, eldest first."""
        return tuple(
            sorted(
                (m for m in self.members if m.role == "child"),
                key=lambda m: (m.person.birth, m.person.person_id),
            )
        )

    @cached_property
    def adults(self) -> tuple[Member, ...]:
        """Grown-up members, in or out of the home."""
        return tuple(m for m in self.members if m.role != "child")

    def member(self, person_id: str) -> Member:
        """Return the member who is this person; KeyError when none is."""
        for member in self.members:
            if member.person.person_id == person_id:
                return member
        raise KeyError(person_id)


@dataclass(frozen=True)
class Unit:
    """All that one number makes."""

    number: int
    families: tuple[Family, ...]
    as_at: date

    @cached_property
    def members(self) -> dict[str, tuple[Family, Member]]:
        """Each person once, with the family of their first mention."""
        found: dict[str, tuple[Family, Member]] = {}
        for family in self.families:
            for member in family.members:
                found.setdefault(member.person.person_id, (family, member))
        return found

    @property
    def children(self) -> int:
        """How many children there are; a child who was adopted counts once, as who they are now."""
        return sum(m.person.is_child and not m.person.adopted_away_on for _, m in self.each())

    def each(self) -> Iterator[tuple[Family, Member]]:
        """Yield each person once."""
        yield from self.members.values()


def household_id(address: Address) -> str:
    """Return the identifier of the household at an address: those who share a home share it."""
    return f"H{address.uprn[4:]}"


def shift(day: date, days: int) -> date:
    """Return `day` plus some days."""
    return day + timedelta(days=days)
