"""Tables of the hub. Nothing is updated but to close it; nothing is deleted.

Membership is bitemporal: ``valid_from``/``valid_to`` are as-at dates (when it held in the
world as the runs knew it), ``from_seq``/``to_seq`` are run numbers (when the hub said so).
A partial unique index keeps the first invariant in the database itself: a record has at
most one open membership.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ffp_data.hub.child_id import LENGTH

ChildId = String(LENGTH)
RecordKey = Text()

STARTED, FINISHED = "started", "finished"
ACTIVE, RETIRED = "active", "retired"


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Run(Base):
    """One application of linkage's result. Written and finished in one transaction."""

    __tablename__ = "hub_run"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own form

    seq: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(Text, unique=True)
    as_at: Mapped[date]
    model_version: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(8))
    input_digest: Mapped[str] = mapped_column(String(64))
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class Person(Base):
    """An identifier that was issued: a child's, or an adult's by the same rules."""

    __tablename__ = "hub_person"

    child_id: Mapped[str] = mapped_column(ChildId, primary_key=True)
    issued_seq: Mapped[int] = mapped_column(ForeignKey(Run.seq))
    status: Mapped[str] = mapped_column(String(7))
    replaced_by: Mapped[str | None] = mapped_column(ForeignKey("hub_person.child_id"), index=True)
    retired_seq: Mapped[int | None] = mapped_column(ForeignKey(Run.seq))


class Membership(Base):
    """A record belonged to an identifier from one run up to, and without, another."""

    __tablename__ = "hub_membership"
    __table_args__ = (
        Index(
            "uq_hub_membership_open_record",
            "record_key",
            unique=True,
            sqlite_where=text("to_seq IS NULL"),
            postgresql_where=text("to_seq IS NULL"),
        ),
        Index(None, "child_id"),
        Index(None, "record_key", "from_seq"),
    )

    membership_id: Mapped[int] = mapped_column(primary_key=True)
    record_key: Mapped[str] = mapped_column(RecordKey)
    child_id: Mapped[str] = mapped_column(ForeignKey(Person.child_id))
    from_seq: Mapped[int] = mapped_column(ForeignKey(Run.seq))
    to_seq: Mapped[int | None] = mapped_column(ForeignKey(Run.seq))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    link_confidence: Mapped[float | None]


class Decision(Base):
    """A reviewer's word on two records. The latest that wasn't taken back is in force.

    after_seq, undone_seq: the last run before the decision, and before its undo; rewound_seq: the run
    that took back what the decision had done.
    """

    __tablename__ = "hub_decision"
    __table_args__ = (
        Index(None, "left_record", "right_record"),
        {"sqlite_autoincrement": True},
    )

    decision_id: Mapped[int] = mapped_column(primary_key=True)
    left_record: Mapped[str] = mapped_column(RecordKey)
    right_record: Mapped[str] = mapped_column(RecordKey)
    verdict: Mapped[str] = mapped_column(String(9))
    reviewer: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    after_seq: Mapped[int | None]
    undone_seq: Mapped[int | None]
    rewound_seq: Mapped[int | None]


class HubEvent(Base):
    """One change of an identifier, with the evidence as it then was; seals and erasures stand in `Seal` alone."""

    __tablename__ = "hub_event"
    __table_args__ = (
        Index(None, "child_id"),
        Index(None, "other_child_id"),
        {"sqlite_autoincrement": True},
    )

    event_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    child_id: Mapped[str] = mapped_column(ForeignKey(Person.child_id))
    other_child_id: Mapped[str | None] = mapped_column(ForeignKey(Person.child_id))
    run_seq: Mapped[int | None] = mapped_column(ForeignKey(Run.seq), index=True)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey(Decision.decision_id))
    at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)


class Lease(Base):
    """One grant of the lease; its number is the fencing token, never given twice."""

    __tablename__ = "hub_lease"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own form

    token: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(Text, index=True)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    started: Mapped[str] = mapped_column(Text)
    granted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
