"""Tables of seals: what the filter of late rows knows, which identifiers are spent, and that a seal was.

No row says which child it was, or which tokens are of one: each token is a keyed hash that stands alone.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import JSON, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ffp_data.hub.models import Base


class SealedToken(Base):
    """A source id of a sealed identity, as HMAC-SHA-256 under a key that the hub's database lacks."""

    __tablename__ = "hub_sealed_token"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)


class SpentIdentifier(Base):
    """An identifier that was sealed, likewise: it is never issued again."""

    __tablename__ = "hub_spent"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)


class Seal(Base):
    """That an identity was sealed: the event, which names nobody. ``counts``: what left, by place."""

    __tablename__ = "hub_seal"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own form

    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    sealed_on: Mapped[date]
    sealed_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
