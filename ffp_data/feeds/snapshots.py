"""What a contract may say of its snapshots: how much one may take away before a person must look."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from ffp_data.strict import Strict


class Guard(Strict):
    """The drop guard of a table; every scope of a snapshot is held to it by itself."""

    max_fall: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.1")
    """Largest share of the rows before that may be gone; 1 lets any number go."""
    min_rows: Annotated[int, Field(ge=1)] = 20
    """A snapshot of fewer rows guards nothing: one family more or less is no fall."""

    def trips(self, before: int, after: int) -> bool:
        """True when `after` rows, where `before` were, are a fall that a person must look at."""
        return before >= self.min_rows and before - after > self.max_fall * before
