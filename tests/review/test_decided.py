"""Nobody is asked twice, unless there is something new."""

from __future__ import annotations

from collections.abc import Mapping

from ffp_data.hub import Verdict
from ffp_data.hub.state import RecordPair
from ffp_data.review.decided import outstanding
from ffp_data.review.found import Candidate, Decided
from ffp_data.review.rules import ReviewRules

RULES = ReviewRules.read()
CHILD_OF = {"a1": "A", "a2": "A", "b1": "B", "b2": "B", "c1": "C"}


def candidate(left: str, right: str, *reasons: str) -> Candidate:
    children = tuple(sorted({CHILD_OF[left], CHILD_OF[right]}))
    return Candidate(left, right, children, reasons or ("possible_match",), 0.5)


def is_asked(
    c: Candidate, *decisions: Decided, alike: Mapping[str, str] | None = None, now: str = "seen"
) -> bool:
    def evidence_of(_: Candidate, __: RecordPair) -> str:
        return now

    return bool(outstanding([c], decisions, CHILD_OF, alike or {}, evidence_of, RULES))


def decided(left: str, right: str, verdict: Verdict, number: int = 1) -> Decided:
    return Decided(left, right, verdict, number, "seen")


def test_an_undecided_pair_is_asked_about() -> None:
    assert is_asked(candidate("a1", "b1"))
    assert is_asked(candidate("a1", "c1"), decided("a1", "b1", Verdict.NOT_SAME))


def test_a_decision_settles_its_pair_and_every_pair_of_the_two_identifiers() -> None:
    for verdict in Verdict:
        assert not is_asked(candidate("a1", "b1"), decided("a1", "b1", verdict))
        assert not is_asked(candidate("a2", "b2"), decided("a1", "b1", verdict))


def test_inside_one_identifier_each_pair_is_a_question_of_its_own() -> None:
    assert not is_asked(candidate("a1", "a2", "weak_bridge"), decided("a1", "a2", Verdict.SAME))
    assert is_asked(candidate("b1", "b2", "weak_bridge"), decided("a1", "a2", Verdict.SAME))


def test_records_that_say_the_same_stand_for_one_another() -> None:
    c = candidate("a2", "c1")
    alike = {"a2": "x", "b1": "x"}
    assert not is_asked(c, decided("b1", "c1", Verdict.NOT_SAME), alike=alike)
    assert is_asked(c, decided("b1", "c1", Verdict.CANT_TELL), alike=alike)


def test_what_decisions_imply_together_is_settled() -> None:
    same, apart = decided("a1", "b1", Verdict.SAME), decided("b1", "c1", Verdict.NOT_SAME, 2)
    assert not is_asked(candidate("a1", "c1"), same, apart)
    assert not is_asked(candidate("a1", "c1"), same, decided("b1", "c1", Verdict.SAME, 2))


def test_cant_tell_comes_back_when_there_is_new_evidence_and_not_before() -> None:
    resting = decided("a1", "b1", Verdict.CANT_TELL)
    assert not is_asked(candidate("a1", "b1"), resting, now="seen")
    assert is_asked(candidate("a1", "b1"), resting, now="a new record")


def test_a_binding_decision_is_asked_again_only_where_something_new_contradicts_it() -> None:
    apart = decided("a1", "b1", Verdict.NOT_SAME)
    clash = candidate("a1", "b1", "contradicted_decision")
    assert not is_asked(candidate("a1", "b1"), apart, now="a new record")
    assert not is_asked(clash, apart, now="seen")
    assert is_asked(clash, apart, now="a new record")


def test_the_newest_decision_counts() -> None:
    old, new = decided("a1", "b1", Verdict.CANT_TELL, 1), decided("a2", "b1", Verdict.NOT_SAME, 2)
    assert not is_asked(candidate("a1", "b1"), old, new, now="a new record")


def test_who_asks_is_answered_whatever_was_decided() -> None:
    assert is_asked(candidate("a1", "b1", "asked"), decided("a1", "b1", Verdict.SAME))
