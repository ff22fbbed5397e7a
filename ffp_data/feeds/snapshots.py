"""What a contract may say of its snapshots: how much one may take away before a person must look."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field


class Guard(BaseModel):
    """The drop guard of a table; every scope of a snapshot is held to it by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_fall: Decimal = Field(Decimal("0.1"), ge=0, le=1)
    """Largest share of the rows before that may be gone; 1 lets any number go."""
    min_rows: int = Field(20, ge=1)
    """A snapshot of fewer rows guards nothing: one family more or less is no fall."""

    def trips(self, before: int, after: int) -> bool:
        """True when `after` rows, where `before` were, are a fall that a person must look at."""
        return before >= self.min_rows and before - after > self.max_fall * before
