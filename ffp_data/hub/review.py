"""Reviewers' decisions on pairs of records: written once, never changed, only taken back.

Here they are read; ``deciding`` is where they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from ffp_data.hub.errors import InvalidInputError, UnknownRecordError
from ffp_data.hub.models import Decision, Membership
from ffp_data.hub.review_models import ReviewItem, ReviewUndo
from ffp_data.hub.state import Constraints, RecordPair

UNKNOWN_PEOPLE = 2
"""What a decision takes whose question is not known: nobody can say that one person was enough."""


class Verdict(StrEnum):
    """A reviewer's word on two records; "can't tell" binds no run, but the pair was seen."""

    SAME = "same"
    NOT_SAME = "not_same"
    CANT_TELL = "cant_tell"


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts, why and when (a time with its zone)."""

    reviewer: str
    reason: str
    at: datetime

    def __post_init__(self) -> None:
        if not self.reviewer.strip() or not self.reason.strip():
            raise InvalidInputError("a decision needs a reviewer and a reason")
        if self.at.tzinfo is None:
            raise InvalidInputError("the time of a decision needs its zone")


@dataclass(frozen=True, slots=True)
class AskedUndo:
    """Who asked to take a decision back, why and when; another person's answer is not there yet."""

    reviewer: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class PastDecision:
    """A decision with its fate: in force, superseded by a later one, or undone.

    people: how many it took, and takes to undo it; undo: the request that waits for another person.
    """

    decision_id: int
    left_record: str
    right_record: str
    verdict: Verdict
    reviewer: str
    reason: str
    decided_at: datetime
    undone_at: datetime | None
    superseded_by: int | None
    people: int
    undo: AskedUndo | None

    @property
    def is_in_force(self) -> bool:
        return self.undone_at is None and self.superseded_by is None


def records_of(connection: sa.Connection, decision_id: int) -> RecordPair:
    """The two records of a decision; raises InvalidInputError for an unknown one."""
    query = sa.select(Decision.left_record, Decision.right_record)
    row = connection.execute(query.where(Decision.decision_id == decision_id)).one_or_none()
    if row is None:
        raise InvalidInputError(f"decision {decision_id} is unknown or was undone before")
    return row.left_record, row.right_record


def require_known(connection: sa.Connection, records: RecordPair) -> None:
    """Raise UnknownRecordError for a record that no run has brought."""
    for record in records:
        child_of(connection, record)


def load_decisions(connection: sa.Connection) -> tuple[PastDecision, ...]:
    """Every decision ever taken, oldest first."""
    rows = connection.execute(_told()).all()
    latest = {
        (row.left_record, row.right_record): row.decision_id
        for row in rows
        if row.undone_at is None
    }
    return tuple(_past_decision(row, latest) for row in rows)


def _told() -> sa.Select[Any]:
    """Decisions with how many people their question asked for, and the undo that waits."""
    is_open = sa.and_(
        ReviewUndo.decision_id == Decision.decision_id, ReviewUndo.answered_at.is_(None)
    )
    return (
        sa.select(
            Decision.__table__,
            sa.func.coalesce(ReviewItem.readers, UNKNOWN_PEOPLE).label("people"),
            ReviewUndo.asked_by,
            ReviewUndo.reason.label("undo_reason"),
            ReviewUndo.asked_at,
        )
        .outerjoin(ReviewItem, ReviewItem.decision_id == Decision.decision_id)
        .outerjoin(ReviewUndo, is_open)
        .order_by(Decision.decision_id)
    )


def load_constraints(connection: sa.Connection) -> Constraints:
    """The decisions in force: of each pair the latest that was not undone."""
    in_force = [d for d in load_decisions(connection) if d.is_in_force]
    return Constraints(
        same=_pairs_with(in_force, Verdict.SAME),
        not_same=_pairs_with(in_force, Verdict.NOT_SAME),
    )


def _pairs_with(decisions: list[PastDecision], verdict: Verdict) -> frozenset[RecordPair]:
    return frozenset((d.left_record, d.right_record) for d in decisions if d.verdict == verdict)


def _past_decision(row: sa.Row[Any], latest: dict[RecordPair, int]) -> PastDecision:
    newest = latest.get((row.left_record, row.right_record), row.decision_id)
    return PastDecision(
        decision_id=row.decision_id,
        left_record=row.left_record,
        right_record=row.right_record,
        verdict=Verdict(row.verdict),
        reviewer=row.reviewer,
        reason=row.reason,
        decided_at=as_utc(row.decided_at),
        undone_at=as_utc(row.undone_at) if row.undone_at else None,
        superseded_by=newest if newest > row.decision_id else None,
        people=row.people,
        undo=AskedUndo(row.asked_by, row.undo_reason, as_utc(row.asked_at))
        if row.asked_by
        else None,
    )


def as_utc(moment: datetime) -> datetime:
    """The moment in UTC; SQLite gives back the time that was written, but not its zone."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def child_of(connection: sa.Connection, record_key: str) -> str:
    """The identifier that holds a record now; raises UnknownRecordError for one that no run has brought."""
    query = sa.select(Membership.child_id).where(
        Membership.record_key == record_key, Membership.to_seq.is_(None)
    )
    child_id = connection.scalar(query)
    if child_id is None:
        raise UnknownRecordError(f"no run has brought the record {record_key}")
    return child_id
