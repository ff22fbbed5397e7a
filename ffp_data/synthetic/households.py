"""Households first: each unit draws its adults, then maternities at least nine months apart,
then what happened to them (a move, a new surname, a parent elsewhere, a step-parent, a child on
the way, an adoption). Two units never share a random stream, so the first families stay the
same whatever number is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from ffp_data.synthetic import numbers, places
from ffp_data.synthetic.names import (
    Name,
    Tradition,
    adult_name,
    alike,
    child_name,
    draw_tradition,
    feminine,
    lithuanian,
    variants,
)
from ffp_data.synthetic.people import (
    GROWN,
    SERIALS_PER_UNIT,
    Family,
    Member,
    Person,
    Unit,
    shift,
    years_before,
)
from ffp_data.synthetic.places import Address
from ffp_data.synthetic.rates import rates

CHILDREN_PER_FAMILY = (
    0.44,
    0.83,
    0.95,
    0.985,
    1.0,
)  # cumulative, 1 to 5; ONS families by number of dependent children


@dataclass
class Draft:
    """What a unit has made so far: its random stream, the next serial and the tradition of its families."""

    rng: Random
    number: int
    as_at: date
    serial: int = 0

    def chance(self, rate: float) -> bool:
        return self.rng.random() < rate

    def next_serial(self) -> int:
        self.serial += 1
        return self.number * SERIALS_PER_UNIT + self.serial

    def adult(
        self, tradition: Tradition, sex: str, birth: date, name: Name | None = None
    ) -> Person:
        serial = self.next_serial()
        made = name or adult_name(self.rng, tradition, sex)
        ethnicity = tradition.ethnicity.draw(self.rng)
        return Person(
            f"P{serial:08d}",
            serial,
            sex,
            birth,
            made,
            tradition.code,
            ethnicity,
            is_child=False,
            phone=numbers.phone(self.rng),
        )


@dataclass(frozen=True)
class Parents:
    """Who a child is born to and the surname they hand on."""

    tradition: Tradition
    mother: Person
    father: Person | None
    stem: str


def make_unit(rng: Random, number: int, as_at: date, limit: int) -> Unit:
    """Return unit `number` with at most `limit` children (unborn ones count)."""
    draft = Draft(rng, number, as_at)
    tradition = draw_tradition(rng)
    first = _family(draft, tradition, places.home(number), limit, "A")
    families = [first]
    left = limit - len(first.children)
    chance = rates("family")
    absent = next((m for m in first.adults if m.role == "father" and not m.in_home), None)
    if left and absent and draft.chance(chance["father_second_household"] * 4):
        families.append(_second_household(draft, tradition, absent, first))
        left -= 1
    if left and draft.chance(chance["neighbour_same_name"]):
        families.append(_neighbour(draft, tradition, first))
        left -= 1
    if left and draft.chance(chance["adoption"]) and first.children and not first.left_on:
        families = _adoption(draft, families)
    return Unit(number, tuple(families), as_at)


def _family(draft: Draft, tradition: Tradition, home: Address, limit: int, letter: str) -> Family:
    rng, chance = draft.rng, rates("family")
    newest_at = shift(draft.as_at, -rng.randrange(5700))
    if draft.chance(chance["unborn"]):
        newest_at = shift(draft.as_at, rng.randint(1, 190))
    mother_birth = shift(newest_at, -int(rng.triangular(17.5, 44, 29) * 365))
    mother = draft.adult(tradition, "F", mother_birth)
    father = draft.adult(tradition, "M", shift(mother_birth, rng.randint(-3000, 1200)))
    together = draft.chance(chance["two_parents_in_home"])
    married = together and draft.chance(0.65)
    stem = father.name.surname if draft.chance(0.85 if together else 0.55) else mother.name.surname
    if draft.chance(chance["double_barrelled"]) and tradition.rule == "western":
        stem = f"{mother.name.surname}-{father.name.surname}"
    if married and tradition.rule in ("western", "polish", "lithuanian", "sikh"):
        mother = _wife(mother, father, draft)
    parents = Parents(tradition, mother, father, stem)
    children = _children(draft, parents, newest_at, limit)
    children, step = _step_family(draft, tradition, mother, children, together)
    members = [Member(mother, "mother", home)]
    elsewhere = places.other_home(draft.number * 4)
    members.append(Member(father, "father", home if together else elsewhere, in_home=together))
    if step:
        members.append(Member(step, "step_father", home))
    if draft.chance(chance["grandparent_carer"]):
        grandmother = draft.adult(tradition, "F", shift(mother_birth, -rng.randint(7000, 11000)))
        members.append(Member(grandmother, "grandmother", home))
    members += [Member(child, "child", home) for child in children]
    return _moves(draft, Family(f"F{draft.number:06d}{letter}", tuple(members)))


def _wife(mother: Person, father: Person, draft: Draft) -> Person:
    surname = father.name.surname
    if mother.tradition == "polish":
        surname = feminine(surname)
    elif mother.tradition == "lithuanian":
        surname = lithuanian(surname, married=True)
    elif mother.tradition == "sikh" and surname == "Singh":
        surname = "Kaur"
    wed_on = min(shift(mother.birth, draft.rng.randint(7300, 10500)), shift(draft.as_at, -30))
    return replace(
        mother, name=replace(mother.name, surname=surname), former=mother.name, renamed_on=wed_on
    )


def _children(draft: Draft, parents: Parents, newest_at: date, limit: int) -> list[Person]:
    """Maternities newest first, each 300 to 1,600 days before the last, while the mother was 16 or more."""
    rng, chance = draft.rng, rates("family")
    roll = rng.random()
    wanted = min(
        limit, next(n for n, share in enumerate(CHILDREN_PER_FAMILY, start=1) if roll < share)
    )
    made: list[Person] = []
    birth = newest_at
    while (
        len(made) < wanted
        and birth > years_before(draft.as_at, GROWN)
        and birth >= shift(parents.mother.birth, 16 * 365)
    ):
        babies = 1
        if birth <= draft.as_at and draft.chance(chance["multiple_maternity"]):
            babies = 3 if draft.chance(chance["triplets_of_multiples"]) else 2
        made += _maternity(draft, parents, birth, min(babies, limit - len(made)))
        birth = shift(birth, -rng.randint(300, 1600))
    return made


def _maternity(draft: Draft, parents: Parents, birth: date, babies: int) -> list[Person]:
    first = _child(draft, parents, birth)
    if babies < 2:
        return [first]
    group = f"T{first.serial:08d}"
    made = [replace(first, twin_group=group, birth_order=1)]
    for order in range(2, babies + 1):
        twin = _child(draft, parents, birth)
        taken = {p.name.given for p in made if p.sex == twin.sex}
        if twin.name.given in taken or draft.chance(rates("family")["alike_twin_names"]):
            twin = replace(
                twin,
                name=replace(
                    twin.name, given=alike(draft.rng, parents.tradition, twin.sex, first.name.given)
                ),
            )
        while twin.name.given in taken:
            twin = replace(
                twin,
                name=replace(twin.name, given=parents.tradition.child[twin.sex].draw(draft.rng)),
            )
        made.append(replace(twin, twin_group=group, birth_order=order))
    return made


def _child(draft: Draft, parents: Parents, birth: date) -> Person:
    rng, chance = draft.rng, rates("family")
    serial = draft.next_serial()
    sex = "M" if rng.random() < 0.512 else "F"
    father_name = parents.father.name if parents.father else None
    name = child_name(rng, parents.tradition, sex, parents.mother.name, father_name, parents.stem)
    if sex == "M" and father_name and draft.chance(chance["father_and_son_same_name"]):
        name = father_name
    nicknames = variants("nickname", name.given)
    preferred = rng.choice(nicknames) if nicknames and draft.chance(0.3) else ""
    former, renamed_on = None, None
    if years_before(draft.as_at, 3) > birth and draft.chance(chance["surname_change"]):
        former = replace(name, surname=parents.mother.name_on(birth).surname)
        renamed_on = shift(draft.as_at, -rng.randint(30, 1000))
        if former.surname == name.surname:
            former, renamed_on = None, None
    return Person(
        f"P{serial:08d}", serial, sex, birth, name, parents.tradition.code,
        parents.tradition.ethnicity.draw(rng),
        former=former, renamed_on=renamed_on, preferred=preferred, mother_id=parents.mother.person_id,
        father_id=parents.father.person_id if parents.father else "", unborn=birth > draft.as_at, phone="",
    )  # fmt: skip


def _step_family(
    draft: Draft, tradition: Tradition, mother: Person, children: list[Person], together: bool
) -> tuple[list[Person], Person | None]:
    """A new partner of the mother; the youngest child may be his, and bear his surname."""
    if together or not draft.chance(
        rates("family")["step_family"] / (1 - rates("family")["two_parents_in_home"])
    ):
        return children, None
    step = draft.adult(tradition, "M", shift(mother.birth, draft.rng.randint(-2500, 1500)))
    youngest = max(children, key=lambda p: p.birth)
    if len(children) > 1 and not youngest.twin_group and draft.chance(0.5):
        name = child_name(
            draft.rng, tradition, youngest.sex, mother.name, step.name, step.name.surname
        )
        his = replace(
            youngest,
            father_id=step.person_id,
            name=name,
            former=None,
            renamed_on=None,
            preferred="",
        )
        children = [his if p is youngest else p for p in children]
    return children, step


def _moves(draft: Draft, family: Family) -> Family:
    """Move the household in or into the county, or out of it, within the last two years."""
    rng, chance = draft.rng, rates("family")
    if draft.chance(chance["left_area"]):
        left_on = shift(draft.as_at, -rng.randint(20, 330))
        return _moved(family, places.outside_home(draft.number), left_on, leaving=True)
    if not draft.chance(chance["moved_in_two_years"]):
        return family
    moved_on = shift(draft.as_at, -rng.randint(10, 730))
    if draft.chance(chance["came_from_outside"]):
        return replace(
            _moved(family, places.outside_home(draft.number), moved_on), from_outside=True
        )
    old = (
        places.home(abs(draft.number + rng.randint(-60, 60)))
        if draft.chance(0.5)
        else places.other_home(draft.number * 4 + 1)
    )
    return _moved(family, old, moved_on) if old != family.members[0].home else family


def _moved(family: Family, other: Address, on: date, leaving: bool = False) -> Family:
    def relocate(member: Member) -> Member:
        if not member.in_home:
            return member
        before, now = (member.home, other) if leaving else (other, member.home)
        if member.person.unborn or (member.role == "child" and member.person.birth >= on):
            return replace(member, home=now)
        return replace(member, home=now, before=before, moved_on=on)

    return replace(
        family,
        members=tuple(relocate(m) for m in family.members),
        moved_on=on,
        left_on=on if leaving else None,
    )


def _second_household(draft: Draft, tradition: Tradition, father: Member, first: Family) -> Family:
    """The home of a father who left: a new partner and a half-sibling of his earlier children."""
    rng = draft.rng
    partner = draft.adult(tradition, "F", shift(father.person.birth, rng.randint(-1500, 2500)))
    youngest = max(
        m.person.birth for m in first.children if not m.person.unborn or len(first.children) == 1
    )
    latest = shift(draft.as_at, -rng.randint(30, 2500))
    birth = max(latest, min(shift(youngest, 400), shift(draft.as_at, -5)))
    parents = Parents(tradition, partner, father.person, father.person.name.surname)
    child = _child(draft, parents, min(birth, draft.as_at))
    members = (
        Member(partner, "mother", father.home),
        Member(father.person, "father", father.home),
        Member(child, "child", father.home),
    )
    return Family(f"F{draft.number:06d}B", members)


def _neighbour(draft: Draft, tradition: Tradition, first: Family) -> Family:
    """A family next door, no kin, whose child bears the same name as one of the first family and is near in age."""
    rng, other = draft.rng, first.children[0].person
    home = replace(
        places.home(draft.number),
        flat="",
        house=str(int(places.home(draft.number).house) + 1),
        uprn=f"99904{draft.number:07d}",
    )
    birth = min(shift(other.birth, rng.randint(-500, 500)), shift(draft.as_at, -1))
    birth = max(birth, shift(years_before(draft.as_at, 18), 1))
    mother = draft.adult(tradition, "F", shift(birth, -rng.randint(20 * 365, 40 * 365)))
    father = draft.adult(
        tradition,
        "M",
        shift(mother.birth, rng.randint(-2000, 1000)),
        replace(adult_name(rng, tradition, "M"), surname=other.name.surname),
    )
    child = _child(draft, Parents(tradition, mother, father, other.name.surname), birth)
    child = replace(
        child, sex=other.sex, name=other.name, former=None, renamed_on=None, preferred=""
    )
    members = (
        Member(mother, "mother", home),
        Member(father, "father", home),
        Member(child, "child", home),
    )
    return Family(f"F{draft.number:06d}N", members)


def _adoption(draft: Draft, families: Sequence[Family]) -> list[Family]:
    """Place the youngest born child for adoption: the old identity closes, a new one lives elsewhere.

    The new identity has its own person, numbers and name,
    and no field of any feed or of the old person points to it.
    """
    first = families[0]
    young = [
        m
        for m in first.children
        if not m.person.unborn and not m.person.twin_group and 1 <= m.person.age(draft.as_at) <= 5
    ]
    if not young:
        return list(families)
    member = young[-1]
    on = max(shift(draft.as_at, -draft.rng.randint(20, 330)), shift(member.person.birth, 220))
    old = replace(member.person, adopted_away_on=on, former=None, renamed_on=None)
    tradition = draw_tradition(draft.rng)
    mother = draft.adult(
        tradition, "F", shift(member.person.birth, -draft.rng.randint(28 * 365, 42 * 365))
    )
    father = draft.adult(tradition, "M", shift(mother.birth, draft.rng.randint(-2000, 1000)))
    home = places.other_home(draft.number * 4 + 2)
    child = _child(
        draft, Parents(tradition, mother, father, father.name.surname), member.person.birth
    )
    child = replace(
        child, sex=old.sex, ethnicity=old.ethnicity, adopted=True, former=None, renamed_on=None
    )
    kept = tuple(replace(m, person=old) if m is member else m for m in first.members)
    adopters = Family(
        f"F{draft.number:06d}D",
        (
            Member(mother, "mother", home),
            Member(father, "father", home),
            Member(child, "child", home),
        ),
    )
    return [replace(first, members=kept), *families[1:], adopters]
