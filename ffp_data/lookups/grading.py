"""From scored records to candidates: certain, probable or possible, with the evidence in words.

The grades are the thresholds of the live model. *Certain*: at or above the joining threshold, nothing
forbids it, and no other child is near. *Probable*: at or above the breaking threshold, nothing forbids it.
*Possible*: everything else at or above the review threshold. Another child is near when it could itself
be the one (at or above review, nothing against it), or has much for it (at or above break) even against a
veto: of twins and of mixed-up numbers both are shown, and neither is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from linkage.lookup import Match
from linkage.spec import Thresholds

SHOWN = 20
"""The most candidates in one answer."""


class Grade(StrEnum):
    """How sure it is that a candidate is the child who was looked for."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"


class Candidate(BaseModel):
    """A child who may be the one, by the identifier in use."""

    model_config = ConfigDict(frozen=True)

    child_id: str = Field(description="The consistent identifier in use today.")
    grade: Grade
    probability: float = Field(description="That the best record of the child is the one given.")
    weight: float = Field(
        description="The same as log2 of the odds, as the runs of the hub weigh it."
    )
    records: int = Field(description="How many records of the child were found.")
    evidence: list[str] = Field(description="What agrees and what does not, in words; no values.")
    against: list[str] = Field(description="What forbids a join by itself, in words.")


class Answer(BaseModel):
    """The candidates, best first, and what they rest on."""

    model_config = ConfigDict(frozen=True)

    candidates: list[Candidate]
    more: int = Field(description="Candidates beyond those that are shown; give more to narrow it.")
    model: str = Field(
        description="Name, version and digest of the linkage model that weighed them."
    )
    run: str = Field(description="The run whose records were searched.")
    as_at: str = Field(description="The day that run speaks for.")


def grade(
    matches: Iterable[Match], child_of: Callable[[str], str | None], thresholds: Thresholds
) -> list[Candidate]:
    """Candidates, best first. `child_of` gives a record's child in use, None for one not to be shown."""
    by_child: dict[str, list[Match]] = {}
    for match in matches:
        if (child_id := child_of(match.record_id)) is not None:
            by_child.setdefault(child_id, []).append(match)
    best = {child: _best(found) for child, found in by_child.items()}
    near = {child for child, one in best.items() if _is_near(one, by_child[child], thresholds)}
    candidates = [
        _candidate(child, one, by_child[child], bool(near - {child}), thresholds)
        for child, one in best.items()
    ]
    return sorted(candidates, key=lambda c: (_ORDER.index(c.grade), -c.weight, c.child_id))


_ORDER = tuple(Grade)


def _best(matches: list[Match]) -> Match:
    """The strongest record that nothing forbids, else the strongest."""
    return min(matches, key=lambda m: (m.veto is not None, -m.weight, m.record_id))


def _is_near(best: Match, matches: list[Match], thresholds: Thresholds) -> bool:
    if best.veto is None and best.probability >= thresholds.review:
        return True
    return any(match.probability >= thresholds.break_ for match in matches)


def _candidate(
    child_id: str, best: Match, matches: list[Match], has_rival: bool, thresholds: Thresholds
) -> Candidate:
    against = sorted({match.veto for match in matches if match.veto})
    if best.veto or best.probability < thresholds.break_:
        found = Grade.POSSIBLE
    elif best.probability < thresholds.join or against or has_rival:
        found = Grade.PROBABLE
    else:
        found = Grade.CERTAIN
    return Candidate(
        child_id=child_id,
        grade=found,
        probability=round(best.probability, 9),
        weight=round(best.weight, 6),
        records=len(matches),
        evidence=[evidence_in_words(name, level) for name, level in best.levels.items()],
        against=[str(_words()["vetoes"].get(veto, veto)) for veto in against],
    )


def evidence_in_words(comparison: str, level: str) -> str:
    words = _words()
    name = words["comparisons"].get(comparison, comparison.replace("_", " "))
    return f"{name}: {words['levels'].get(level, level.replace('_', ' '))}"


@cache
def _words() -> dict[str, dict[str, Any]]:
    text = resources.files(__package__).joinpath("words.yaml").read_text("utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded
