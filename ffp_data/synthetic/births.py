"""Who is born to whom. A draft holds a unit's random stream and serials; children come in maternities
at least ten months apart, some of them twins or triplets, with names that no brother or sister bears."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

from ffp_data.synthetic import numbers
from ffp_data.synthetic.names import Name, Tradition, adult_name, alike, child_name, variants
from ffp_data.synthetic.people import GROWN, SERIALS_PER_UNIT, Person, shift, years_before
from ffp_data.synthetic.rates import rates

CHILDREN_PER_FAMILY = (
    0.44,
    0.83,
    0.95,
    0.985,
    1.0,
)  # cumulative, 1 to 5; ONS families by dependent children
YOUNGEST_MOTHER = 16 * 365  # days


@dataclass
class Draft:
    """What a unit has made so far: its random stream, the next serial, the given names of its children."""

    rng: Random
    number: int
    as_at: date
    serial: int = 0
    given: set[str] = field(default_factory=set)

    def chance(self, rate: float) -> bool:
        """True in a share `rate` of all calls."""
        return self.rng.random() < rate

    def next_serial(self) -> int:
        """Return the next serial of the unit."""
        self.serial += 1
        return self.number * SERIALS_PER_UNIT + self.serial

    def adult(self, tradition: Tradition, sex: str, birth: date, surname: str = "") -> Person:
        """Make a grown-up, with a surname of the tradition unless one is given."""
        serial = self.next_serial()
        name = adult_name(self.rng, tradition, sex)
        return Person(
            f"P{serial:08d}", serial, sex, birth, replace(name, surname=surname or name.surname), tradition.code,
            tradition.ethnicity.draw(self.rng), is_child=False, phone=numbers.phone(self.rng),
        )  # fmt: skip


@dataclass(frozen=True)
class Parents:
    """Who a child is born to and the surname they hand on."""

    tradition: Tradition
    mother: Person
    father: Person
    stem: str


def children(draft: Draft, parents: Parents, newest_at: date, limit: int) -> list[Person]:
    """Return up to `limit` children: maternities newest first, 300 to 1,600 days apart, from the mother's 16th year."""
    rng, chance = draft.rng, rates("family")
    roll = rng.random()
    wanted = min(
        limit, next(n for n, share in enumerate(CHILDREN_PER_FAMILY, start=1) if roll < share)
    )
    first_possible = shift(parents.mother.birth, YOUNGEST_MOTHER)
    made: list[Person] = []
    birth = newest_at
    while (
        len(made) < wanted and birth > years_before(draft.as_at, GROWN) and birth >= first_possible
    ):
        babies = 1
        if birth <= draft.as_at and draft.chance(chance["multiple_maternity"]):
            babies = 3 if draft.chance(chance["triplets_of_multiples"]) else 2
        made += _maternity(draft, parents, birth, min(babies, limit - len(made)))
        birth = shift(birth, -rng.randint(300, 1600))
    return made


def _maternity(draft: Draft, parents: Parents, birth: date, babies: int) -> list[Person]:
    first = child(draft, parents, birth)
    if babies == 1:
        return [first]
    group = f"T{first.serial:08d}"
    made = [replace(first, twin_group=group, birth_order=1)]
    for order in range(2, babies + 1):
        twin = child(draft, parents, birth)
        taken = {p.name.given for p in made if p.sex == twin.sex}
        given = twin.name.given
        if draft.chance(rates("family")["alike_twin_names"]):
            given = alike(draft.rng, parents.tradition, twin.sex, first.name.given)
        while given in taken:
            given = parents.tradition.child[twin.sex].draw(draft.rng)
        name = replace(twin.name, given=given)
        made.append(replace(twin, name=name, preferred="", twin_group=group, birth_order=order))
    return made


def child(draft: Draft, parents: Parents, birth: date) -> Person:
    """Return one child, unborn when the birth lies after the as-at date."""
    rng, chance = draft.rng, rates("family")
    serial = draft.next_serial()
    sex = "M" if rng.random() < 0.512 else "F"
    name = _own_name(draft, parents, sex)
    if sex == "M" and draft.chance(chance["father_and_son_same_name"]):
        name = parents.father.name
    former, renamed_on = _earlier_name(draft, parents, birth, name)
    nicknames = variants("nickname", name.given)
    return Person(
        f"P{serial:08d}", serial, sex, birth, name, parents.tradition.code, parents.tradition.ethnicity.draw(rng),
        former=former, renamed_on=renamed_on,
        preferred=rng.choice(nicknames) if nicknames and draft.chance(0.3) else "",
        mother_id=parents.mother.person_id, father_id=parents.father.person_id, unborn=birth > draft.as_at,
        phone=parents.mother.phone,  # records of a child carry the mother's
    )  # fmt: skip


def _own_name(draft: Draft, parents: Parents, sex: str) -> Name:
    """Return a name that no other child of the unit bears, but for brothers who are all Muhammad."""
    mother, father = parents.mother.name, parents.father.name
    for _ in range(20):
        name = child_name(draft.rng, parents.tradition, sex, mother, father, parents.stem)
        if name.given not in draft.given or name.given == "Muhammad":
            break
    draft.given.add(name.given)
    return name


def _earlier_name(
    draft: Draft, parents: Parents, birth: date, name: Name
) -> tuple[Name | None, date | None]:
    """Return the mother's surname as an earlier one, and the day it was left, for a few children over three."""
    if birth >= years_before(draft.as_at, 3) or not draft.chance(rates("family")["surname_change"]):
        return None, None
    earlier = replace(name, surname=parents.mother.name_on(birth).surname)
    on = shift(draft.as_at, -draft.rng.randint(30, 1000))
    return (earlier, on) if earlier != name else (None, None)
