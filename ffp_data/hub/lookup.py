"""What the hub knows, now and at an earlier run or date; all functions only read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from ffp_data.hub.errors import HubError, UnknownIdentifierError
from ffp_data.hub.events import EventKind, PastEvent, Reason
from ffp_data.hub.models import HubEvent, Membership, Person, Run
from ffp_data.hub.review import as_utc

SCHEMA = pa.schema(
    [
        ("record_key", pa.string()),
        ("child_id", pa.string()),
        ("linked_since", pa.date32()),
        ("link_confidence", pa.float64()),
    ]
)


# Made once: a look-up by identifier is so quick that making its query would be a tenth of it.
_SUCCESSOR = sa.select(Person.replaced_by).where(Person.child_id == sa.bindparam("child"))


def current_membership(connection: sa.Connection) -> pa.Table:
    return _membership(connection, Membership.to_seq.is_(None))


def membership_as_of(connection: sa.Connection, when: date | str) -> pa.Table:
    """Membership after a run (its id) or as at a date: after the last run not later than it."""
    seq = _seq_as_at(connection, when) if isinstance(when, date) else _seq_of(connection, when)
    is_open = sa.or_(Membership.to_seq.is_(None), Membership.to_seq > seq)
    return _membership(connection, Membership.from_seq <= seq, is_open)


def holders_of_feeds(connection: sa.Connection, feeds: Collection[str]) -> frozenset[str]:
    """The identifiers that now hold a record of one of these feeds."""
    of_one = [Membership.record_key.startswith(f"{feed}|", autoescape=True) for feed in feeds]
    query = sa.select(Membership.child_id).where(
        Membership.to_seq.is_(None), sa.or_(False, *of_one)
    )
    return frozenset(connection.scalars(query))


def _membership(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> pa.Table:
    query = sa.select(
        Membership.record_key,
        Membership.child_id,
        Membership.valid_from,
        Membership.link_confidence,
    ).where(*conditions)
    # Sorted here, since databases sort text by their own collations.
    rows = sorted(connection.execute(query), key=lambda row: row.record_key)
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], SCHEMA)


def _seq_of(connection: sa.Connection, run_id: str) -> int:
    seq = connection.scalar(sa.select(Run.seq).where(Run.run_id == run_id))
    if seq is None:
        raise HubError(f"the hub has no run {run_id}")
    return seq


def _seq_as_at(connection: sa.Connection, day: date) -> int:
    return connection.scalar(sa.select(sa.func.max(Run.seq)).where(Run.as_at <= day)) or 0


def resolve(connection: sa.Connection, child_id: str) -> str:
    """The identifier in use at the end of the chain of replacements."""
    while True:
        row = connection.execute(_SUCCESSOR, {"child": child_id}).one_or_none()
        if row is None:
            raise UnknownIdentifierError(f"{child_id} was never issued by this hub")
        if row.replaced_by is None:
            return child_id
        child_id = row.replaced_by


def history(connection: sa.Connection, child_id: str) -> tuple[PastEvent, ...]:
    """Every event that names the identifier, oldest first."""
    query = (
        sa.select(HubEvent.__table__, Run.run_id, Run.as_at, Run.model_version)
        .outerjoin(Run, Run.seq == HubEvent.run_seq)
        .where(sa.or_(HubEvent.child_id == child_id, HubEvent.other_child_id == child_id))
        .order_by(HubEvent.event_id)
    )
    return tuple(_past_event(row) for row in connection.execute(query))


def parted_by_reviewers(connection: sa.Connection) -> frozenset[str]:
    """Records of every split and move that a reviewer's "not the same" made."""
    query = sa.select(HubEvent.evidence).where(
        HubEvent.kind.in_([EventKind.SPLIT.value, EventKind.MOVED.value]),
        HubEvent.reason == Reason.DECISION.value,
    )
    told = connection.scalars(query)
    return frozenset(record for evidence in told for record in evidence.get("records", ()))


def _past_event(row: sa.Row[Any]) -> PastEvent:
    return PastEvent(
        kind=EventKind(row.kind),
        child_id=row.child_id,
        other_child_id=row.other_child_id,
        reason=row.reason,
        evidence=row.evidence,
        run_id=row.run_id,
        as_at=row.as_at,
        model_version=row.model_version,
        at=as_utc(row.at) if row.at else None,
    )
