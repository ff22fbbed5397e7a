"""The one door by which a decision comes into force, or is taken back: by as many people as its pair asks for.

Nobody hands a decision in. What each reviewer says is kept by itself (``review_items``); a decision is
written here, when so many different people as the question asks for have said the same, and nothing
else writes one. Where two must agree and don't, a third is asked; the pair stays listed until two
agree. Each reviewer counts once, with the final verdict: the blind one is kept, and binds nothing.
What two people decided, two take back: the first asks, and the decision stands until another answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import sqlalchemy as sa

from ffp_data.hub import review_items
from ffp_data.hub.errors import InvalidInputError
from ffp_data.hub.events import EventKind
from ffp_data.hub.models import Decision, HubEvent, Run
from ffp_data.hub.review import Act, PastDecision, Verdict, child_of, load_decisions
from ffp_data.hub.review_items import ReviewError, Said
from ffp_data.hub.review_models import ReviewUndo
from ffp_data.hub.state import RecordPair

UNDO, KEEP = "undo", "keep"
Vote = tuple[str, Verdict]


@dataclass(frozen=True)
class Outcome:
    """What a final verdict led to: a decision that binds the next run, or a further reviewer."""

    decision: int | None
    verdict: Verdict | None
    standing: str


# Who has to agree


def votes(words: Iterable[Said]) -> list[Vote]:
    """The final verdicts among reviewers' words, in their order."""
    return [(said.reviewer, said.final) for said in words if said.final is not None]


def settled(final: Sequence[Vote], readers: int) -> Verdict | None:
    """The verdict that first had so many readers behind it; (reviewer, verdict) in order; pure."""
    counts: Counter[Verdict] = Counter()
    for verdict in _first_votes(final):
        counts[verdict] += 1
        if counts[verdict] == readers:
            return verdict
    return None


def _first_votes(final: Sequence[Vote]) -> list[Verdict]:
    said: dict[str, Verdict] = {}
    for reviewer, verdict in final:
        said.setdefault(reviewer, verdict)
    return list(said.values())


def standing(final: Sequence[Vote], readers: int) -> str:
    """What an open pair waits for, in words; pure."""
    count = len(_first_votes(final))
    if count == 0:
        return "waits for a reviewer" if readers == 1 else "waits for the first of two reviewers"
    if count < readers:
        return "waits for a second reviewer"
    return f"{count} reviewers do not agree: waits for another"


# Decisions


def decide(connection: sa.Connection, item_id: int, act: Act) -> Outcome:
    """Write the decision on an open item, if enough people have said the same of it; else say what it waits for.

    ``act`` is the last word on it: its reason and time stand with the decision. Raises ReviewError for
    an item that is not open.
    """
    item = review_items.open_item(connection, item_id)
    words = review_items.said_of(connection, [item_id])
    final = votes(words)
    verdict = settled(final, item.readers)
    if verdict is None:
        return Outcome(None, None, standing(final, item.readers))
    agreed = replace(act, reviewer=", ".join(who for who, said in final if said == verdict))
    number = _write(connection, item.pair, verdict, agreed)
    review_items.close(connection, item_id, number, act.at)
    return Outcome(number, verdict, "decided")


def _write(connection: sa.Connection, pair: RecordPair, verdict: Verdict, act: Act) -> int:
    left, right = sorted(pair)
    children = [child_of(connection, record) for record in (left, right)]
    values = {
        "left_record": left,
        "right_record": right,
        "verdict": verdict.value,
        "reviewer": act.reviewer,
        "reason": act.reason,
        "decided_at": act.at.astimezone(UTC),
        "after_seq": _last_seq(connection),
    }
    new = sa.insert(Decision).returning(Decision.decision_id)
    decision_id: int = connection.scalars(new, values).one()
    _write_event(connection, EventKind.DECIDED, children, decision_id, verdict, act)
    return decision_id


# Taking one back


def undo(connection: sa.Connection, decision_id: int, act: Act) -> bool:
    """Take a decision back, or, where it takes two people and nobody has asked yet, ask for that.

    True when it is taken back. Raises InvalidInputError for an unknown decision or one that was undone
    before, ReviewError for who has asked already: the answer is another person's.
    """
    past = _standing_decision(connection, decision_id)
    if past.people > 1:
        if past.undo is None:
            _ask(connection, decision_id, act)
            return False
        if past.undo.reviewer == act.reviewer:
            raise ReviewError(
                f"you have asked to take decision {decision_id} back; it stands until another reviewer "
                f"confirms that: ffp hub undo {decision_id}"
            )
        _answer(connection, decision_id, UNDO, act)
        act = replace(act, reviewer=f"{past.undo.reviewer}, {act.reviewer}")
    _take_back(connection, past, act)
    return True


def keep(connection: sa.Connection, decision_id: int, act: Act) -> None:
    """Refuse the undo that waits, or withdraw one's own: the decision stands. Raises as ``undo``."""
    past = _standing_decision(connection, decision_id)
    if past.undo is None:
        raise ReviewError(f"nobody has asked to take decision {decision_id} back; it stands")
    _answer(connection, decision_id, KEEP, act)


def _standing_decision(connection: sa.Connection, decision_id: int) -> PastDecision:
    found = next((d for d in load_decisions(connection) if d.decision_id == decision_id), None)
    if found is None or found.undone_at is not None:
        raise InvalidInputError(f"decision {decision_id} is unknown or was undone before")
    return found


def _ask(connection: sa.Connection, decision_id: int, act: Act) -> None:
    values = {
        "decision_id": decision_id,
        "asked_by": act.reviewer,
        "reason": act.reason,
        "asked_at": act.at.astimezone(UTC),
    }
    connection.execute(sa.insert(ReviewUndo), [values])


def _answer(connection: sa.Connection, decision_id: int, answer: str, act: Act) -> None:
    is_it = ReviewUndo.decision_id == decision_id, ReviewUndo.answered_at.is_(None)
    values = {
        "answered_by": act.reviewer,
        "answer": answer,
        "answer_reason": act.reason,
        "answered_at": act.at.astimezone(UTC),
    }
    connection.execute(sa.update(ReviewUndo).where(*is_it).values(values))


def _take_back(connection: sa.Connection, past: PastDecision, act: Act) -> None:
    """Mark the decision as undone and write the event."""
    values = {"undone_at": act.at.astimezone(UTC), "undone_seq": _last_seq(connection)}
    is_it = Decision.decision_id == past.decision_id
    connection.execute(sa.update(Decision).where(is_it).values(values))
    children = [child_of(connection, record) for record in (past.left_record, past.right_record)]
    _write_event(connection, EventKind.UNDONE, children, past.decision_id, past.verdict, act)


def _last_seq(connection: sa.Connection) -> int:
    """Number of the last run, 0 before the first."""
    return connection.scalar(sa.select(sa.func.max(Run.seq))) or 0


def _write_event(
    connection: sa.Connection,
    kind: EventKind,
    children: list[str],
    decision_id: int,
    verdict: Verdict,
    act: Act,
) -> None:
    left, right = children
    evidence: dict[str, Any] = {
        "decision_id": decision_id,
        "verdict": verdict.value,
        "reviewer": act.reviewer,
    }
    values = {
        "kind": kind.value,
        "child_id": left,
        "other_child_id": right if right != left else None,
        "decision_id": decision_id,
        "at": act.at.astimezone(UTC),
        "reason": act.reason,
        "evidence": evidence,
    }
    connection.execute(sa.insert(HubEvent), [values])
