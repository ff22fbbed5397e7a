"""Households first: each unit draws its adults, their children, and what happened to them (a move,
a step-parent, a parent elsewhere, a second household, an adoption). Two units never share a random
stream, so the first families stay the same whatever number is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

from ffp_data.synthetic import other_households, places
from ffp_data.synthetic.births import Draft, Parents, children
from ffp_data.synthetic.names import Tradition, child_name, draw_tradition, feminine, lithuanian
from ffp_data.synthetic.people import Family, Member, Person, Unit, shift
from ffp_data.synthetic.places import Address
from ffp_data.synthetic.rates import rates

TAKES_HIS_NAME = (
    "western",
    "polish",
    "lithuanian",
    "sikh",
)  # rules by which many wives take the husband's name
FORM_BY_SEX = ("polish", "lithuanian")  # a mother's form of the name is no son's


def make_unit(rng: Random, number: int, as_at: date, limit: int) -> Unit:
    """Return unit `number` with at most `limit` children (unborn ones count, an adopted child once)."""
    draft, chance = Draft(rng, number, as_at), rates("family")
    tradition = draw_tradition(rng)
    first = _family(draft, tradition, places.home(number), limit)
    families = [first]
    left = limit - len(first.children)
    absent = next((m for m in first.adults if m.role == "father" and not m.in_home), None)
    if left and absent and draft.chance(chance["father_second_household"]):
        families.append(other_households.second_household(draft, tradition, absent, first))
        left -= 1
    if left and draft.chance(chance["neighbour_same_name"]):
        families.append(other_households.neighbour(draft, tradition, first))
    if not first.left_on and draft.chance(chance["adoption"]):
        families = [*other_households.adoption(draft, first), *families[1:]]
    return Unit(number, tuple(families), as_at)


def _family(draft: Draft, tradition: Tradition, home: Address, limit: int) -> Family:
    rng, chance = draft.rng, rates("family")
    newest_at = shift(draft.as_at, -rng.randrange(5700))
    if draft.chance(chance["unborn"]):
        newest_at = shift(draft.as_at, rng.randint(1, 190))
    together = draft.chance(chance["two_parents_in_home"])
    parents = _parents(draft, tradition, newest_at, together)
    born = children(draft, parents, newest_at, limit)
    elsewhere = places.other_home(draft.number * 4)
    members = [
        Member(parents.mother, "mother", home),
        Member(parents.father, "father", home if together else elsewhere, in_home=together),
    ]
    if not together and draft.chance(chance["step_family"]):
        step, born = _step_father(draft, parents, born)
        members.append(Member(step, "step_father", home))
    if draft.chance(chance["grandparent_carer"]):
        birth = shift(parents.mother.birth, -rng.randint(7000, 11000))
        members.append(Member(draft.adult(tradition, "F", birth), "grandmother", home))
    members += [Member(one, "child", home) for one in born]
    return _moves(draft, Family(f"F{draft.number:06d}A", tuple(members)))


def _parents(draft: Draft, tradition: Tradition, newest_at: date, together: bool) -> Parents:
    """A mother of 17 to 44 at the youngest birth, a father, and the surname that their children bear."""
    rng, chance = draft.rng, rates("family")
    mother = draft.adult(tradition, "F", shift(newest_at, -int(rng.triangular(17.5, 44, 29) * 365)))
    his = draw_tradition(rng) if tradition.code == "mixed" else tradition
    father = draft.adult(his, "M", shift(mother.birth, int(rng.triangular(-3500, 500, -700))))
    from_father = tradition.rule in FORM_BY_SEX or draft.chance(0.85 if together else 0.55)
    stem = father.name.surname if from_father else mother.name.surname
    if tradition.rule == "western" and draft.chance(chance["double_barrelled"]):
        stem = f"{mother.name.surname}-{father.name.surname}"
    if together and tradition.rule in TAKES_HIS_NAME and draft.chance(0.65):
        mother = _wife(mother, father, draft)
    return Parents(tradition, mother, father, stem)


def _wife(mother: Person, father: Person, draft: Draft) -> Person:
    surname = father.name.surname
    if mother.tradition == "polish":
        surname = feminine(surname)
    elif mother.tradition == "lithuanian":
        surname = lithuanian(surname, married=True)
    elif surname == "Singh":
        surname = "Kaur"
    wed_on = min(shift(mother.birth, draft.rng.randint(7300, 10500)), shift(draft.as_at, -30))
    return replace(
        mother, name=replace(mother.name, surname=surname), former=mother.name, renamed_on=wed_on
    )


def _step_father(draft: Draft, parents: Parents, born: list[Person]) -> tuple[Person, list[Person]]:
    """A new partner of the mother; the youngest of several children may be his, and bear his surname."""
    mother = parents.mother
    step = draft.adult(parents.tradition, "M", shift(mother.birth, draft.rng.randint(-2500, 400)))
    youngest = max(born, key=lambda p: p.birth)
    if len(born) == 1 or youngest.twin_group or draft.chance(0.5):
        return step, born
    surname = step.name.surname
    name = child_name(draft.rng, parents.tradition, youngest.sex, mother.name, step.name, surname)
    name = replace(name, given=youngest.name.given)
    his = replace(youngest, father_id=step.person_id, name=name, former=None, renamed_on=None)
    return step, [his if p is youngest else p for p in born]


def _moves(draft: Draft, family: Family) -> Family:
    """Move the household in or into the county, or out of it, within the last four years."""
    rng, chance = draft.rng, rates("family")
    if draft.chance(chance["left_area"]):
        left_on = shift(draft.as_at, -rng.randint(20, 330))
        return _moved(family, places.outside_home(draft.number), left_on, leaving=True)
    if not draft.chance(chance["moved_in_four_years"]):
        return family
    moved_on = shift(draft.as_at, -rng.randint(10, 1460))
    if draft.chance(chance["came_from_outside"]):
        moved = _moved(family, places.outside_home(draft.number), moved_on)
        return replace(moved, from_outside=True)
    old = places.other_home(draft.number * 4 + 1)
    nearby = abs(draft.number + rng.choice((-1, 1)) * rng.randint(1, 60))
    if (
        draft.chance(0.5) and nearby != draft.number
    ):  # another family of the partnership lives there now
        old = places.home(nearby)
    return _moved(family, old, moved_on)


def _moved(family: Family, other: Address, on: date, leaving: bool = False) -> Family:
    def relocate(member: Member) -> Member:
        if not member.in_home:
            return member
        before, now = (member.home, other) if leaving else (other, member.home)
        if member.role == "child" and member.person.birth >= on:
            return replace(member, home=now)
        return replace(member, home=now, before=before, moved_on=on)

    members = tuple(relocate(m) for m in family.members)
    return replace(family, members=members, moved_on=on, left_on=on if leaving else None)
