"""First things first, and each place is told in words."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.review.found import Candidate
from ffp_data.review.order import Consequence, Placed, in_order
from ffp_data.review.rules import ReviewRules

RULES = ReviewRules.read()
FACTS = ["protection_plan", "looked_after", "protected", "unborn_or_infant"]


def candidate(name: str, probability: float = 0.5) -> Candidate:
    return Candidate(
        f"{name}1", f"{name}2", (f"{name}A", f"{name}B"), ("possible_match",), probability
    )


def facts(
    *own: str, family: tuple[str, ...] = (), left: str = "e", right: str = "e"
) -> Consequence:
    return Consequence(frozenset(own), frozenset(family), frozenset(left), frozenset(right))


def ordered(**by_name: Consequence) -> list[str]:
    of = {candidate(name): consequence for name, consequence in by_name.items()}
    return [p.candidate.left[:-1] for p in in_order(of, of, RULES)]


def place(consequence: Consequence) -> Placed:
    c = candidate("x")
    [placed] = in_order([c], {c: consequence}, RULES)
    return placed


def test_the_criteria_decide_one_after_the_other() -> None:
    many = "pqrst"
    assert ordered(
        nothing=facts(),
        services=facts(left="ab", right="cd"),
        infant=facts("unborn_or_infant"),
        protected=facts("protected", left=many),
        looked_after=facts("looked_after", left=many),
        plan=facts("protection_plan"),
        plan_and_care=facts("protection_plan", "looked_after"),
    ) == ["plan_and_care", "plan", "looked_after", "protected", "infant", "services", "nothing"]


def test_a_child_goes_before_an_adult_of_whom_a_child_has_the_same_fact() -> None:
    family = facts(family=("protection_plan",))
    assert ordered(parent=family, child=facts("protection_plan")) == ["child", "parent"]
    assert place(family).words == ("a child of the family is on a child protection plan",)


def test_among_equals_the_least_certain_comes_first_then_the_one_that_waits_longest() -> None:
    sure, even, longer = candidate("sure", 0.9), candidate("even", 0.5), candidate("longer", 0.9)
    of = {
        sure: Consequence(waiting_since="2026-02-01"),
        longer: Consequence(waiting_since="2026-01-01"),
        even: Consequence(waiting_since="2026-03-01"),
    }
    assert [p.candidate for p in in_order(of, of, RULES)] == [even, longer, sure]


@pytest.mark.parametrize(
    ("left", "right", "count"), [("e", "e", 0), ("e", "h", 2), ("eh", "e", 1), ("eh", "hp", 3)]
)
def test_services_gain_where_the_other_side_has_one_that_they_lack(
    left: str, right: str, count: int
) -> None:
    assert facts(left=left, right=right).services == count


@pytest.mark.parametrize(
    ("fact", "readers"), [(f, 2 if f in RULES.second_reader else 1) for f in FACTS]
)
def test_two_people_have_to_agree_where_a_child_is_on_a_plan_or_protected(
    fact: str, readers: int
) -> None:
    assert place(facts(fact)).readers == readers
    assert place(facts(family=(fact,))).readers == readers
    assert {"protection_plan", "protected"} <= set(RULES.second_reader)


def test_every_place_is_told_in_words() -> None:
    words = place(facts("protection_plan", "protected", left="ab", right="c")).words
    assert words == (
        "on a child protection plan",
        "must not be located",
        "services that would see, or cease to see, what another knows: 3",
    )


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from(FACTS)), st.sampled_from([0.1, 0.5, 0.9])), max_size=8
    ),
    st.randoms(use_true_random=False),
)
def test_no_order_of_input_shows(
    drawn: list[tuple[set[str], float]], shuffler: random.Random
) -> None:
    of = {candidate(f"c{n}", p): facts(*own) for n, (own, p) in enumerate(drawn)}
    shuffled = list(of)
    shuffler.shuffle(shuffled)
    assert in_order(shuffled, of, RULES) == in_order(of, of, RULES)
