"""Reviewers' decisions on pairs of records: written once, never changed, only taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from ffp_data.hub.errors import InvalidInputError, UnknownRecordError
from ffp_data.hub.events import EventKind
from ffp_data.hub.models import Decision, HubEvent, Membership, Run
from ffp_data.hub.state import Constraints, RecordPair


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


@dataclass(frozen=True)
class PastDecision:
    """A decision with its fate: in force, superseded by a later one, or undone."""

    decision_id: int
    left_record: str
    right_record: str
    verdict: Verdict
    reviewer: str
    reason: str
    decided_at: datetime
    undone_at: datetime | None
    superseded_by: int | None

    @property
    def is_in_force(self) -> bool:
        return self.undone_at is None and self.superseded_by is None


def write_decision(connection: sa.Connection, pair: RecordPair, verdict: Verdict, act: Act) -> int:
    """Write a decision and its event; gives its number."""
    left, right = sorted(pair)
    if left == right:
        raise InvalidInputError("a decision needs two different records")
    children = [_child_of(connection, record) for record in (left, right)]
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


def undo_decision(connection: sa.Connection, decision_id: int, act: Act) -> None:
    """Mark a decision as undone and write the event."""
    is_wanted = Decision.decision_id == decision_id
    row = connection.execute(sa.select(Decision.__table__).where(is_wanted)).one_or_none()
    if row is None or row.undone_at is not None:
        raise InvalidInputError(f"decision {decision_id} is unknown or was undone before")
    values = {"undone_at": act.at.astimezone(UTC), "undone_seq": _last_seq(connection)}
    connection.execute(sa.update(Decision).where(is_wanted).values(values))
    children = [_child_of(connection, record) for record in (row.left_record, row.right_record)]
    _write_event(connection, EventKind.UNDONE, children, decision_id, row.verdict, act)


def _last_seq(connection: sa.Connection) -> int:
    """Number of the last run, 0 before the first."""
    return connection.scalar(sa.select(sa.func.max(Run.seq))) or 0


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
        _child_of(connection, record)


def load_decisions(connection: sa.Connection) -> tuple[PastDecision, ...]:
    """Every decision ever taken, oldest first."""
    rows = connection.execute(sa.select(Decision.__table__).order_by(Decision.decision_id)).all()
    latest = {
        (row.left_record, row.right_record): row.decision_id
        for row in rows
        if row.undone_at is None
    }
    return tuple(_past_decision(row, latest) for row in rows)


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
    )


def as_utc(moment: datetime) -> datetime:
    """The moment in UTC; SQLite gives back the time that was written, but not its zone."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _child_of(connection: sa.Connection, record_key: str) -> str:
    query = sa.select(Membership.child_id).where(
        Membership.record_key == record_key, Membership.to_seq.is_(None)
    )
    child_id = connection.scalar(query)
    if child_id is None:
        raise UnknownRecordError(f"no run has brought the record {record_key}")
    return child_id


def _write_event(
    connection: sa.Connection,
    kind: EventKind,
    children: list[str],
    decision_id: int,
    verdict: str,
    act: Act,
) -> None:
    left, right = children
    values = {
        "kind": kind.value,
        "child_id": left,
        "other_child_id": right if right != left else None,
        "decision_id": decision_id,
        "at": act.at.astimezone(UTC),
        "reason": act.reason,
        "evidence": {
            "decision_id": decision_id,
            "verdict": str(verdict),
            "reviewer": act.reviewer,
        },
    }
    connection.execute(sa.insert(HubEvent), [values])
