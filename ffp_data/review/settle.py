"""When verdicts bind: as soon as so many different people as the pair asks for have said the same.

Where two must agree and don't, a third is asked; the pair stays listed until two agree. Each reviewer
counts once, with the final verdict: the blind one is kept, and binds nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ffp_data.hub.review import Verdict

Vote = tuple[str, Verdict]


def settled(votes: Sequence[Vote], readers: int) -> Verdict | None:
    """The verdict that first had so many readers behind it; votes (reviewer, verdict) in order."""
    counts: Counter[Verdict] = Counter()
    for verdict in _first_votes(votes):
        counts[verdict] += 1
        if counts[verdict] == readers:
            return verdict
    return None


def _first_votes(votes: Sequence[Vote]) -> list[Verdict]:
    said: dict[str, Verdict] = {}
    for reviewer, verdict in votes:
        said.setdefault(reviewer, verdict)
    return list(said.values())


def standing(votes: Sequence[Vote], readers: int) -> str:
    """What an open pair waits for, in words."""
    count = len(_first_votes(votes))
    if count == 0:
        return "waits for a reviewer" if readers == 1 else "waits for the first of two reviewers"
    if count < readers:
        return "waits for a second reviewer"
    return f"{count} reviewers do not agree: waits for another"
