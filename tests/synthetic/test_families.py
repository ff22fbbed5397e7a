"""Families are true: whatever the seed, nobody is born to a child or to the dead past, and households hold together."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ffp_data.synthetic.households import make_unit
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.people import SERIALS_PER_UNIT, Person, Unit, age_at
from tests.synthetic.conftest import AS_AT, Made

SEEDS = st.integers(0, 10**6)


def units(seed: int, count: int = 40) -> list[Unit]:
    return [make_unit(stream(f"{seed}/{n}/people"), n, AS_AT, 99) for n in range(count)]


def people(unit: Unit) -> dict[str, Person]:
    return {person_id: member.person for person_id, (_, member) in unit.members.items()}


@given(SEEDS)
def test_parents_are_in_the_family_and_old_enough(seed: int) -> None:
    for unit in units(seed):
        known = people(unit)
        for person in known.values():
            if not person.is_child:
                continue
            mother, father = known[person.mother_id], known[person.father_id]
            assert mother.sex == "F"
            assert father.sex == "M"
            assert 15 <= age_at(mother.birth, person.birth) <= 46
            assert age_at(father.birth, person.birth) >= 14


@given(SEEDS)
def test_siblings_are_twins_or_at_least_nine_months_apart(seed: int) -> None:
    for unit in units(seed):
        by_mother: dict[str, list[Person]] = {}
        for person in people(unit).values():
            by_mother.setdefault(person.mother_id, []).append(person)
        by_mother.pop("")  # the grown-ups
        for born in by_mother.values():
            for one in born:
                for other in born:
                    same_birth = one.twin_group and one.twin_group == other.twin_group
                    apart = abs((one.birth - other.birth).days)
                    assert one is other or (apart == 0 if same_birth else apart > 270)


@given(SEEDS)
def test_twins_differ_in_name_or_sex_and_have_an_order_of_birth(seed: int) -> None:
    for unit in units(seed):
        groups: dict[str, list[Person]] = {}
        for person in people(unit).values():
            if person.twin_group:
                groups.setdefault(person.twin_group, []).append(person)
        for group in groups.values():
            assert len(group) in (2, 3)
            assert len({(p.name.given, p.sex) for p in group}) == len(group)
            assert sorted(p.birth_order or 0 for p in group) == list(range(1, len(group) + 1))


@given(SEEDS)
def test_children_are_under_eighteen_and_only_the_unborn_are_born_later(seed: int) -> None:
    for unit in units(seed):
        for person in people(unit).values():
            if person.is_child:
                assert person.age(AS_AT) < 18
                assert person.unborn == (person.birth > AS_AT)
                assert person.birth < AS_AT + timedelta(days=280)
            else:
                assert person.age(AS_AT) >= 16


@given(SEEDS)
def test_serials_stay_inside_their_unit_so_numbers_are_never_shared(seed: int) -> None:
    for unit in units(seed):
        serials = [p.serial for p in people(unit).values()]
        assert len(set(serials)) == len(serials)
        assert {serial // SERIALS_PER_UNIT for serial in serials} == {unit.number}


@given(SEEDS)
def test_an_adopted_child_is_two_people_with_nothing_in_common_but_birth_and_sex(seed: int) -> None:
    for unit in units(seed, 120):
        old = [p for p in people(unit).values() if p.adopted_away_on]
        new = [p for p in people(unit).values() if p.adopted]
        assert len(old) == len(new) <= 1
        for before, after in zip(old, new, strict=True):
            assert (before.birth, before.sex) == (after.birth, after.sex)
            assert before.nhs != after.nhs
            assert before.upn != after.upn
            assert before.mother_id != after.mother_id
            assert before.name != after.name
            homes = [unit.members[p.person_id][1].home for p in (before, after)]
            assert homes[0].postcode != homes[1].postcode


def test_the_partnership_has_each_kind_of_family_that_linkage_must_tell_apart(made: Made) -> None:
    persons = made.truth("persons")
    children = [p for p in persons if p["is_child"] == "1"]
    mothers: dict[str, set[str]] = {}
    for child in children:
        mothers.setdefault(child["mother_id"], set()).add(child["father_id"])
    fathers: dict[str, set[str]] = {}
    for child in children:
        fathers.setdefault(child["father_id"], set()).add(child["mother_id"])
    assert sum(len(f) > 1 for f in mothers.values()) >= 5, "half-siblings by the mother"
    assert sum(len(m) > 1 for m in fathers.values()) >= 5, (
        "half-siblings by the father, at two addresses"
    )
    assert sum(p["twin_group"] != "" for p in children) >= 20
    assert sum(p["unborn"] == "1" for p in children) >= 5
    assert sum(p["looked_after"] == "1" for p in children) >= 5
    assert {p["adopted"] for p in children} == {"", "old", "new"}
    assert len({p["name_tradition"] for p in children}) >= 15
    assert any(h["in_area"] == "0" for h in made.truth("households"))


def test_about_seven_in_ten_children_are_of_school_age(made: Made) -> None:
    ages = [
        AS_AT.year - int(p["birth_date"][:4]) - (p["birth_date"][5:] > AS_AT.isoformat()[5:])
        for p in made.truth("persons")
        if p["is_child"] == "1"
    ]
    assert 0.64 < sum(age >= 5 for age in ages) / len(ages) < 0.78
