"""The households that come with a family: a father's new home with a half-sibling, a neighbour who is
no kin but shares a name, and the adopters of a child."""

from __future__ import annotations

from dataclasses import replace

from ffp_data.synthetic import places
from ffp_data.synthetic.births import Draft, Parents, child
from ffp_data.synthetic.names import Tradition, draw_tradition
from ffp_data.synthetic.people import GROWN, Family, Member, Person, shift, years_before
from ffp_data.synthetic.places import Address

YEAR = 365


def second_household(draft: Draft, tradition: Tradition, father: Member, first: Family) -> Family:
    """Return the home of a father who left: a new partner and a half-sibling of his earlier children."""
    youngest = max(m.person.birth for m in first.children)
    birth = max(shift(draft.as_at, -draft.rng.randint(30, 2500)), shift(youngest, 400))
    birth = min(birth, shift(draft.as_at, -5))
    partner = draft.adult(tradition, "F", shift(birth, -draft.rng.randint(20 * YEAR, 38 * YEAR)))
    parents = Parents(tradition, partner, father.person, father.person.name.surname)
    return _household(f"F{draft.number:06d}B", father.home, parents, child(draft, parents, birth))


def neighbour(draft: Draft, tradition: Tradition, first: Family) -> Family:
    """Return a family next door, no kin, whose child has the name of one of the first family and is near in age."""
    other = first.children[0].person
    beside = places.home(draft.number)
    home = replace(
        beside, flat="", house=str(int(beside.house) + 1), uprn=f"99904{draft.number:07d}"
    )
    birth = min(shift(other.birth, draft.rng.randint(-500, 500)), shift(draft.as_at, -1))
    birth = max(birth, shift(years_before(draft.as_at, GROWN), 1))
    mother = draft.adult(tradition, "F", shift(birth, -draft.rng.randint(20 * YEAR, 40 * YEAR)))
    father_birth = shift(mother.birth, draft.rng.randint(-2000, 1000))
    father = draft.adult(tradition, "M", father_birth, surname=other.name.surname)
    parents = Parents(tradition, mother, father, other.name.surname)
    namesake = replace(
        child(draft, parents, birth),
        sex=other.sex,
        name=other.name,
        former=None,
        renamed_on=None,
        preferred="",
    )
    return _household(f"F{draft.number:06d}N", home, parents, namesake)


def adoption(draft: Draft, first: Family) -> list[Family]:
    """Place the youngest born child for adoption: the old identity closes, a new one lives elsewhere.

    Returns the family and, when there is a child of one to five, its adopters. The new identity has its own
    person, numbers and name, and no field of any feed or of the old person points to it.
    """
    born = [m for m in first.children if not m.person.unborn and not m.person.twin_group]
    young = [m for m in born if 1 <= m.person.age(draft.as_at) <= 5]
    if not young:
        return [first]
    member = young[-1]
    birth = member.person.birth
    on = max(shift(draft.as_at, -draft.rng.randint(20, 330)), shift(birth, 220))
    old = replace(member.person, adopted_away_on=on, former=None, renamed_on=None)
    tradition = draw_tradition(draft.rng)
    mother = draft.adult(tradition, "F", shift(birth, -draft.rng.randint(28 * YEAR, 42 * YEAR)))
    father = draft.adult(tradition, "M", shift(mother.birth, draft.rng.randint(-2000, 1000)))
    parents = Parents(tradition, mother, father, father.name.surname)
    new = replace(
        child(draft, parents, birth),
        sex=old.sex,
        ethnicity=old.ethnicity,
        adopted=True,
        former=None,
        renamed_on=None,
    )
    kept = tuple(replace(m, person=old) if m is member else m for m in first.members)
    home = places.other_home(draft.number * 4 + 2)
    return [replace(first, members=kept), _household(f"F{draft.number:06d}D", home, parents, new)]


def _household(family_id: str, home: Address, parents: Parents, its_child: Person) -> Family:
    members = (
        Member(parents.mother, "mother", home),
        Member(parents.father, "father", home),
        Member(its_child, "child", home),
    )
    return Family(family_id, members)
