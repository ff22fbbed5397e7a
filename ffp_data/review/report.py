"""Figures of the review: how much waits and why, for how long, and how far people agree; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from ffp_data.hub.review import PastDecision, Verdict
from ffp_data.hub.review_items import Item, Said


@dataclass(frozen=True)
class Agreement:
    """In how many of some cases two verdicts were the same."""

    cases: int
    agreed: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[Verdict, Verdict]]) -> Agreement:
        listed = list(pairs)
        return cls(len(listed), sum(one == other for one, other in listed))

    def as_plain(self) -> dict[str, Any]:
        share = round(self.agreed / self.cases, 4) if self.cases else None
        return {"cases": self.cases, "agreed": self.agreed, "share": share}


def report(
    items: Sequence[Item],
    said: Sequence[Said],
    decisions: Sequence[PastDecision],
    at: datetime,
) -> dict[str, Any]:
    """Everything as plain data; days are whole days, medians None where nothing was counted."""
    open_ = [item for item in items if item.closed_at is None]
    decided = [item for item in items if item.decision_id is not None]
    by_number = {d.decision_id: d for d in decisions}
    taken = [by_number[item.decision_id] for item in decided if item.decision_id is not None]
    return {
        "open": len(open_),
        "open_by_reason": dict(sorted(Counter(r for i in open_ for r in i.reasons).items())),
        "open_for_two_reviewers": sum(item.readers > 1 for item in open_),
        "open_days": _days([(item.opened_at, at) for item in open_]),
        "decided": len(taken),
        "decided_by_verdict": dict(sorted(Counter(d.verdict.value for d in taken).items())),
        "decided_days": _days([(i.opened_at, i.closed_at or at) for i in decided]),
        "fell_away": sum(i.closed_at is not None and i.decision_id is None for i in items),
        "undone": sum(d.undone_at is not None for d in taken),
        "blind_and_final": Agreement.of((s.blind, s.final) for s in said if s.final).as_plain(),
        "first_two_reviewers": Agreement.of(_first_two(said)).as_plain(),
        "first_two_reviewers_blind": Agreement.of(_first_two_blind(said)).as_plain(),
    }


def _days(spans: Sequence[tuple[datetime, datetime]]) -> dict[str, float | None]:
    days = [(end - start).days for start, end in spans]
    return {"median": median(days) if days else None, "most": max(days, default=None)}


def _first_two(said: Iterable[Said]) -> Iterable[tuple[Verdict, Verdict]]:
    final = [(s.item_id, s.final) for s in said if s.final]
    return _in_twos(final)


def _first_two_blind(said: Iterable[Said]) -> Iterable[tuple[Verdict, Verdict]]:
    ordered = sorted((s for s in said if s.final), key=lambda s: s.blind_at)
    return _in_twos([(s.item_id, s.blind) for s in ordered])


def _in_twos(words: Iterable[tuple[int, Verdict]]) -> Iterable[tuple[Verdict, Verdict]]:
    by_item: dict[int, list[Verdict]] = {}
    for item, verdict in words:
        by_item.setdefault(item, []).append(verdict)
    return [(v[0], v[1]) for _, v in sorted(by_item.items()) if len(v) > 1]
