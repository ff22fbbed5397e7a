"""The table of what is typed for the quarterly collection. No row is about a child; none is ever changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ffp_data.hub.models import Base


class QuarterlyEntry(Base):
    """One typed value of an item and a quarter; `version` counts from one in each."""

    __tablename__ = "hub_quarterly_entry"
    __table_args__ = (
        UniqueConstraint("item", "quarter", "version", name="uq_hub_quarterly_entry"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(String(8))
    quarter: Mapped[str] = mapped_column(String(10))
    version: Mapped[int]
    value: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
