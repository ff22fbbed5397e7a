"""When verdicts bind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.hub import Verdict
from ffp_data.review.settle import settled, standing

S, N, C = Verdict.SAME, Verdict.NOT_SAME, Verdict.CANT_TELL


@pytest.mark.parametrize(
    ("votes", "readers", "outcome"),
    [
        ([], 1, None),
        ([("ann", S)], 1, S),
        ([("ann", S)], 2, None),
        ([("ann", S), ("ann", S)], 2, None),
        ([("ann", S), ("ben", S)], 2, S),
        ([("ann", S), ("ben", N)], 2, None),
        ([("ann", S), ("ben", N), ("cat", N)], 2, N),
        ([("ann", S), ("ben", N), ("cat", C)], 2, None),
        ([("ann", S), ("ben", N), ("cat", C), ("dan", C)], 2, C),
    ],
)
def test_a_verdict_binds_when_enough_different_people_said_it(
    votes: list[tuple[str, Verdict]], readers: int, outcome: Verdict | None
) -> None:
    assert settled(votes, readers) == outcome


@pytest.mark.parametrize(
    ("votes", "readers", "words"),
    [
        ([], 1, "waits for a reviewer"),
        ([], 2, "waits for the first of two reviewers"),
        ([("ann", S)], 2, "waits for a second reviewer"),
        ([("ann", S), ("ben", N)], 2, "2 reviewers do not agree: waits for another"),
    ],
)
def test_what_a_pair_waits_for_is_told(
    votes: list[tuple[str, Verdict]], readers: int, words: str
) -> None:
    assert standing(votes, readers) == words


VOTES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(list(Verdict))), max_size=6)


@given(VOTES)
def test_nobody_alone_settles_a_pair_that_asks_for_two(votes: list[tuple[str, Verdict]]) -> None:
    for reviewer in "abcd":
        assert settled([v for v in votes if v[0] == reviewer], 2) is None


@given(VOTES, st.integers(1, 2))
def test_a_settled_verdict_stays_whatever_is_said_after(
    votes: list[tuple[str, Verdict]], readers: int
) -> None:
    outcomes = [settled(votes[:count], readers) for count in range(len(votes) + 1)]
    first = next((outcome for outcome in outcomes if outcome), None)
    assert outcomes[-1] == first
