"""Tables of orders about children (shields, holds, restrictions, decisions to share) and of what was erased.

An order's columns say whom it is about and what it reaches, since builds and look-ups must join on them. Who
gave it and why is closed: under the child's own key, or under a key of the hub where it is about no child.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, DateTime, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ffp_data.hub.models import Base, ChildId, Person

Moment = DateTime(timezone=True)


class Order(Base):
    """One order. Nothing is changed but to lift it.

    child_id: as it was when the order was given, None for an order about a feed or a class (`scope`);
    until: the last day on which it holds, None for no end; after_seq: the last run before it; payload,
    lifting: closed JSON of who gave and who lifted it, and why.
    """

    __tablename__ = "hub_order"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own form

    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), index=True)
    child_id: Mapped[str | None] = mapped_column(ChildId, ForeignKey(Person.child_id), index=True)
    scope: Mapped[str | None] = mapped_column(Text)
    purpose: Mapped[str | None] = mapped_column(Text)
    recipient: Mapped[str | None] = mapped_column(Text)
    until: Mapped[date | None] = mapped_column(Date)
    after_seq: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(Moment)
    lifted_at: Mapped[datetime | None] = mapped_column(Moment)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    lifting: Mapped[bytes | None] = mapped_column(LargeBinary)


class ErasedToken(Base):
    """A source id of somebody erased whose late rows are to stay out, as a keyed hash that stands alone."""

    __tablename__ = "hub_erased_token"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
