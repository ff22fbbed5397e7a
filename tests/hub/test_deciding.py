"""When verdicts bind, and that nothing goes round the place where that is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ffp_data
from ffp_data.hub import Verdict
from ffp_data.hub.deciding import settled, standing

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


def test_no_other_module_of_the_product_writes_a_decision() -> None:
    """Whoever wrote one elsewhere would go round the second reviewer."""
    package = Path(ffp_data.__file__).parent
    words = re.compile(r"(insert|update|delete)\(\s*Decision\b|\bhub_decision\b")
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if words.search(path.read_text(encoding="utf-8")) and "migrations" not in path.parts
    }
    # models: the table; rewind: that a run has taken back what was undone
    assert found == {"hub/deciding.py", "hub/models.py", "hub/rewind.py"}
