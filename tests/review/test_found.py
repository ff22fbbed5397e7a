"""Which pairs come to reviewers, and which do not."""

from __future__ import annotations

import pytest

from ffp_data.hub import Verdict
from ffp_data.hub.grouping import MODEL_AGAINST_DECISION
from ffp_data.hub.safety import MERGE_OF_KNOWN, ONE_NUMBER, TWO_NUMBERS, Clash
from ffp_data.hub.state import Pair
from ffp_data.review.found import Decided, Join, Known, find
from ffp_data.review.rules import ReviewRules

RULES = ReviewRules.read()
LIMITS = {"review": 0.05, "break": 0.5, "join": 0.95}
APART = {"a1": "A", "a2": "A", "b1": "B", "b2": "B"}


def found(**what: object) -> list[tuple[str, str, tuple[str, ...]]]:
    known = Known(**{"child_of": APART, "thresholds": LIMITS, **what})  # type: ignore[arg-type]
    return [(c.left, c.right, c.reasons) for c in find(known, RULES)]


@pytest.mark.parametrize(("probability", "asked"), [(0.04, False), (0.05, True), (0.94, True)])
def test_a_pair_between_the_thresholds_with_two_identifiers_is_asked_about(
    probability: float, asked: bool
) -> None:
    pairs = [Pair("a1", "b1", 1.0, probability)]
    assert found(pairs=pairs) == ([("a1", "b1", ("possible_match",))] if asked else [])


def test_two_identifiers_are_one_question_by_their_likeliest_pair() -> None:
    pairs = [Pair("a1", "b1", 1.0, 0.3), Pair("a1", "b2", 1.0, 0.7), Pair("a2", "b1", 1.0, 0.6)]
    assert found(pairs=pairs) == [("a1", "b2", ("possible_match",))]


def test_a_pair_that_carries_one_identifier_and_joins_is_no_question() -> None:
    assert found(pairs=[Pair("a1", "a2", 9.0, 0.99)], cluster_of=dict.fromkeys(APART, "x")) == []


def test_an_identifier_that_holds_by_habit_is_asked_about() -> None:
    clusters = {"a1": "x", "a2": "y"}
    held = found(pairs=[Pair("a1", "a2", 1.0, 0.7)], cluster_of=clusters)
    assert held == [("a1", "a2", ("held_link",))]


@pytest.mark.parametrize(
    ("veto", "probability", "asked"),
    [
        ("different_nhs_numbers", 0.06, True),
        ("another_first_name", 0.94, False),  # most twins: nothing to ask
        ("another_first_name", 0.96, True),
        ("some_veto_of_another_model", 0.99, False),
    ],
)
def test_a_forbidden_pair_is_asked_about_from_the_likelihood_that_its_veto_says(
    veto: str, probability: float, asked: bool
) -> None:
    pairs = [Pair("a1", "b1", 1.0, probability, veto)]
    assert found(pairs=pairs) == ([("a1", "b1", ("vetoed",))] if asked else [])


def test_a_bridge_that_the_rest_speaks_against_is_asked_about_a_household_is_not() -> None:
    pairs = [Pair("a1", "b1", 5.0, 0.97)]
    assert found(pairs=pairs, cuts={("a1", "b1"): "weak_bridge"}) == [("a1", "b1", ("bridge_cut",))]
    assert found(pairs=pairs, cuts={("a1", "b1"): "household"}) == []


def test_a_join_is_asked_about_when_the_two_parts_hold_by_little_and_nobody_decided_it() -> None:
    weak, strong = Join("a1", "a2", 3.9), Join("b1", "b2", 4.1)
    assert found(joins=[weak, strong]) == [("a1", "a2", ("weak_bridge",))]
    assert found(joins=[Join("a1", "a2", 3.9, is_decided=True)]) == []


def test_the_hubs_own_clashes_are_asked_about() -> None:
    clashes = [
        Clash("a1", "a2", TWO_NUMBERS),
        Clash("a1", "b1", ONE_NUMBER),
        Clash("a2", "b1", MERGE_OF_KNOWN),
    ]
    assert found(clashes=clashes) == [
        ("a1", "a2", ("two_nhs_numbers",)),
        ("a1", "b1", ("shared_nhs_number", "waiting_merge")),
    ]


def test_a_merge_by_the_sender_against_a_known_separation_is_asked_about() -> None:
    apart = [Decided("a1", "b1", Verdict.NOT_SAME)]
    assert found(decisions=apart, sender_merges=[("b1", "a1")]) == [
        ("a1", "b1", ("merge_against_separation",))
    ]
    assert found(decisions=[], sender_merges=[("b1", "a1")]) == []


def test_a_separation_is_contradicted_by_a_pair_that_would_join_the_two() -> None:
    apart, strong = [Decided("a1", "b1", Verdict.NOT_SAME)], Pair("a2", "b2", 9.0, 0.99)
    assert found(decisions=apart, pairs=[strong]) == [("a1", "b1", ("contradicted_decision",))]
    vetoed = strong._replace(veto="another_birth_order")
    assert found(decisions=apart, pairs=[vetoed]) == [("a2", "b2", ("vetoed",))]


def test_a_join_by_decision_is_contradicted_by_what_linkage_met() -> None:
    joined = [Decided("a1", "a2", Verdict.SAME)]
    assert found(decisions=joined, spoken_against=[("a1", "a2")]) == [
        ("a1", "a2", ("contradicted_decision",))
    ]
    assert found(decisions=[], spoken_against=[("a1", "a2")]) == []


def test_the_decided_pair_is_the_question_where_decision_and_model_clash() -> None:
    clash = Clash("a2", "b2", MODEL_AGAINST_DECISION)
    assert found(clashes=[clash], pairs=[Pair("a1", "b1", 1.0, 0.9)]) == [
        ("a2", "b2", ("possible_match", "contradicted_decision"))
    ]


def test_a_record_that_the_run_did_not_bring_is_no_question() -> None:
    assert found(pairs=[Pair("a1", "gone", 1.0, 0.5)], asked=[("a1", "gone")]) == []


def test_somebody_may_ask_about_any_two_records() -> None:
    assert found(asked=[("b1", "a1")]) == [("a1", "b1", ("asked",))]
