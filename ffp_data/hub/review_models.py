"""Tables of the review: pairs that wait for a reviewer, what each reviewer said, who has a pair in hand.

They hold record keys and verdicts, no names and no facts about a child: what a reviewer sees of the
two records is in the warehouse, which is encrypted. Nothing is deleted but a reservation.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ffp_data.hub.models import Base, Decision, RecordKey

Moment = DateTime(timezone=True)


class ReviewItem(Base):
    """A question to reviewers: are these two records one person? At most one open for a pair.

    readers: how many different people must agree; evidence: keyed digest of what could be seen of
    the two identifiers when it was last published, without the decisions on the pair itself.
    """

    __tablename__ = "hub_review_item"
    __table_args__ = (
        Index(
            "uq_hub_review_item_open_pair",
            "left_record",
            "right_record",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    item_id: Mapped[int] = mapped_column(primary_key=True)
    left_record: Mapped[str] = mapped_column(RecordKey)
    right_record: Mapped[str] = mapped_column(RecordKey)
    reasons: Mapped[list[Any]] = mapped_column(JSON)
    readers: Mapped[int]
    evidence: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey(Decision.decision_id), index=True)


class ReviewVerdict(Base):
    """What one reviewer said of an item: blind first, then after having seen the evidence."""

    __tablename__ = "hub_review_verdict"
    __table_args__ = (
        Index("uq_hub_review_verdict_item_id_reviewer", "item_id", "reviewer", unique=True),
        {"sqlite_autoincrement": True},
    )

    verdict_id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey(ReviewItem.item_id))
    reviewer: Mapped[str] = mapped_column(Text)
    blind_verdict: Mapped[str] = mapped_column(String(9))
    blind_reason: Mapped[str] = mapped_column(Text)
    blind_at: Mapped[datetime] = mapped_column(Moment)
    final_verdict: Mapped[str | None] = mapped_column(String(9))
    final_reason: Mapped[str | None] = mapped_column(Text)
    final_at: Mapped[datetime | None] = mapped_column(Moment)


class ReviewHold(Base):
    """A pair that one reviewer has in hand until a time."""

    __tablename__ = "hub_review_hold"

    item_id: Mapped[int] = mapped_column(ForeignKey(ReviewItem.item_id), primary_key=True)
    reviewer: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime] = mapped_column(Moment)


class ReviewUndo(Base):
    """That somebody asked to take back a decision of two people, and what another answered; one open at most.

    answer: `undo` or `keep`, as in ``deciding``.
    """

    __tablename__ = "hub_review_undo"
    __table_args__ = (
        Index(
            "uq_hub_review_undo_open_decision",
            "decision_id",
            unique=True,
            sqlite_where=text("answered_at IS NULL"),
            postgresql_where=text("answered_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    undo_id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey(Decision.decision_id))
    asked_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    answered_by: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(String(4))
    answer_reason: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)


class ReviewQuestion(Base):
    """A pair that somebody asked reviewers to look at, though no rule lists it."""

    __tablename__ = "hub_review_question"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own form

    question_id: Mapped[int] = mapped_column(primary_key=True)
    left_record: Mapped[str] = mapped_column(RecordKey)
    right_record: Mapped[str] = mapped_column(RecordKey)
    asked_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(Moment)
