"""Reads and writes of a run in bulk, by SQLAlchemy Core inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from ffp_data.hub.models import (
    ACTIVE,
    FINISHED,
    RETIRED,
    STARTED,
    HubEvent,
    Membership,
    Person,
    Run,
)
from ffp_data.hub.plan import Plan
from ffp_data.hub.state import Retired, State


def load_state(connection: sa.Connection) -> State:
    """Everything that an assignment starts from."""
    is_open = Membership.to_seq.is_(None)
    members = sa.select(Membership.record_key, Membership.child_id).where(is_open)
    issued = sa.select(Person.child_id, Person.issued_seq)
    return State(
        members={key: child_id for key, child_id in connection.execute(members)},
        issued={child_id: seq for child_id, seq in connection.execute(issued)},
        retired=_load_retired(connection),
    )


def _load_retired(connection: sa.Connection) -> dict[str, Retired]:
    records = _records_by_person(
        connection, Membership.child_id == Person.child_id, Membership.to_seq == Person.retired_seq
    )
    hosts = _records_by_person(
        connection,
        Membership.child_id == Person.replaced_by,
        Membership.from_seq < Person.retired_seq,
        sa.or_(Membership.to_seq.is_(None), Membership.to_seq >= Person.retired_seq),
    )
    persons = connection.execute(
        sa.select(Person.child_id, Person.replaced_by, Person.retired_seq).where(
            Person.status == RETIRED
        )
    )
    nothing = frozenset[str]()
    return {
        child_id: Retired(
            successor, seq, records.get(child_id, nothing), hosts.get(child_id, nothing)
        )
        for child_id, successor, seq in persons
        if successor is not None and seq is not None
    }


def _records_by_person(
    connection: sa.Connection, *conditions: sa.ColumnElement[bool]
) -> dict[str, frozenset[str]]:
    """Record keys of memberships that meet the conditions, for each retired identifier."""
    query = (
        sa.select(Person.child_id, Membership.record_key)
        .join(Membership, sa.and_(*conditions))
        .where(Person.status == RETIRED)
    )
    records: dict[str, set[str]] = {}
    for child_id, record_key in connection.execute(query):
        records.setdefault(child_id, set()).add(record_key)
    return {child_id: frozenset(keys) for child_id, keys in records.items()}


def last_run(connection: sa.Connection) -> sa.Row[Any] | None:
    return connection.execute(
        sa.select(Run.__table__).order_by(Run.seq.desc()).limit(1)
    ).one_or_none()


def is_run(connection: sa.Connection, run_id: str) -> bool:
    return connection.scalar(sa.select(Run.seq).where(Run.run_id == run_id)) is not None


def start_run(
    connection: sa.Connection, run_id: str, as_at: date, model_version: str, digest: str
) -> int:
    """Write the run as started and give its number."""
    values = {
        "run_id": run_id,
        "as_at": as_at,
        "model_version": model_version,
        "state": STARTED,
        "input_digest": digest,
    }
    seq: int = connection.scalars(sa.insert(Run).returning(Run.seq), values).one()
    return seq


def finish_run(connection: sa.Connection, seq: int, summary: Mapping[str, Any]) -> None:
    connection.execute(
        sa.update(Run).where(Run.seq == seq).values(state=FINISHED, summary=dict(summary))
    )


def write_plan(connection: sa.Connection, seq: int, as_at: date, plan: Plan) -> None:
    """All rows of a run, in an order that keeps every constraint at each statement."""
    _insert(
        connection,
        Person,
        [{"child_id": c, "issued_seq": seq, "status": ACTIVE} for c in plan.issued],
    )
    _close_memberships(connection, seq, as_at, plan.closed)
    _insert(
        connection,
        Membership,
        [
            {
                "record_key": place.record_key,
                "child_id": place.child_id,
                "from_seq": seq,
                "valid_from": as_at,
                "link_confidence": place.confidence,
            }
            for place in plan.places
        ],
    )
    _update_persons(connection, seq, plan)
    _insert(
        connection,
        HubEvent,
        [
            {
                "kind": event.kind.value,
                "child_id": event.child_id,
                "other_child_id": event.other_child_id,
                "run_seq": seq,
                "reason": str(event.reason),
                "evidence": dict(event.evidence),
            }
            for event in plan.events
        ],
    )


def _close_memberships(
    connection: sa.Connection, seq: int, as_at: date, records: Iterable[str]
) -> None:
    rows = [{"closed": record} for record in records]
    if rows:
        connection.execute(
            sa.update(Membership)
            .where(Membership.record_key == sa.bindparam("closed"), Membership.to_seq.is_(None))
            .values(to_seq=seq, valid_to=as_at)
            .execution_options(synchronize_session=False),
            rows,
        )


def _update_persons(connection: sa.Connection, seq: int, plan: Plan) -> None:
    rows: list[dict[str, Any]] = [
        {"who": c, "status": ACTIVE, "replaced_by": None, "retired_seq": None}
        for c in plan.restored
    ]
    rows += [
        {"who": c, "status": RETIRED, "replaced_by": successor, "retired_seq": seq}
        for c, successor in plan.retired.items()
    ]
    _update(connection, ("status", "replaced_by", "retired_seq"), rows)
    redirected = [{"who": c, "replaced_by": s} for c, s in plan.redirected.items()]
    _update(connection, ("replaced_by",), redirected)


def _update(
    connection: sa.Connection, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    table = Person.metadata.tables[Person.__tablename__]
    if rows:
        connection.execute(
            table.update()
            .where(table.c.child_id == sa.bindparam("who"))
            .values({column: sa.bindparam(column) for column in columns}),
            list(rows),
        )


def _insert(
    connection: sa.Connection,
    model: type[Person | Membership | HubEvent],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    if rows:
        connection.execute(sa.insert(model.__table__), list(rows))  # type: ignore[arg-type]
