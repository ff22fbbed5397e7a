"""Grades follow the thresholds of the model, a veto, and whether another child is near."""

from __future__ import annotations

import pytest

from ffp_data.lookups.grading import Candidate, grade
from linkage.lookup import Match
from linkage.spec import Thresholds

THRESHOLDS = Thresholds()


def match(record: str, probability: float, veto: str | None = None) -> Match:
    return Match(record, 100 * probability, probability, veto, {"given_name": "exact"})


def graded(*matches: Match) -> dict[str, str]:
    """Grade by child; the first letter of a record is its child."""
    return {c.child_id: c.grade.value for c in _candidates(*matches)}


def _candidates(*matches: Match) -> list[Candidate]:
    return grade(matches, lambda record: record[0] if record[0] != "-" else None, THRESHOLDS)


@pytest.mark.parametrize(
    ("probability", "expected"),
    [(0.95, "certain"), (0.949, "probable"), (0.5, "probable"), (0.499, "possible")],
)
def test_a_child_alone_is_graded_by_the_thresholds(probability: float, expected: str) -> None:
    assert graded(match("a1", probability)) == {"a": expected}


def test_another_child_at_the_review_threshold_takes_certainty_away() -> None:
    assert graded(match("a1", 0.999), match("b1", 0.05)) == {"a": "probable", "b": "possible"}


def test_a_twin_whom_a_veto_keeps_apart_takes_none_away_unless_much_speaks_for_them() -> None:
    assert graded(match("a1", 0.999), match("b1", 0.3, "another_first_name"))["a"] == "certain"
    assert graded(match("a1", 0.999), match("b1", 0.6, "another_first_name"))["a"] == "probable"


def test_several_records_of_one_child_are_no_rivals() -> None:
    assert graded(match("a1", 0.999), match("a2", 0.97), match("a3", 0.2)) == {"a": "certain"}


def test_a_veto_by_any_record_of_the_child_is_told_and_takes_certainty_away() -> None:
    (candidate,) = _candidates(match("a1", 0.999), match("a2", 0.9, "different_nhs_numbers"))
    assert candidate.grade == "probable"
    assert candidate.against == ["two different valid NHS numbers"]
    assert candidate.records == 2


def test_a_child_with_a_veto_alone_is_possible_however_strong() -> None:
    assert graded(match("a1", 0.9999, "different_nhs_numbers")) == {"a": "possible"}


def test_a_record_of_nobody_in_use_is_not_shown() -> None:
    assert graded(match("-1", 0.999)) == {}
