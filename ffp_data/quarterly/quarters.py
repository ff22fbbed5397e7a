"""Quarters of the financial year: `2026-27-Q1` is April to June 2026, which is inferred from the guide's deadlines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_NAME = re.compile(r"(20\d{2})-(\d{2})-Q([1-4])")


class NotAQuarterError(ValueError):
    """The name is that of no quarter; says how one is written."""


@dataclass(frozen=True, order=True)
class Quarter:
    """One quarter; `year` is the calendar year in which its financial year begins."""

    year: int
    number: int

    @classmethod
    def parse(cls, name: str) -> Quarter:
        """The quarter of a name such as 2025-26-Q4. Raises NotAQuarterError."""
        found = _NAME.fullmatch(name.strip())
        if found is None or int(found[2]) != (int(found[1]) + 1) % 100:
            raise NotAQuarterError(
                f"{name!r} is no quarter: write the financial year and the number, such as 2026-27-Q1"
            )
        return cls(int(found[1]), int(found[3]))

    @classmethod
    def of(cls, day: date) -> Quarter:
        """The quarter that a day lies in."""
        year = day.year if day.month >= 4 else day.year - 1
        return cls(year, (day.month - 4) % 12 // 3 + 1)

    @property
    def name(self) -> str:
        return f"{self.year}-{(self.year + 1) % 100:02}-Q{self.number}"

    @property
    def first(self) -> date:
        """Its first day."""
        month = self.number * 3 + 1
        return date(self.year + (month > 12), (month - 1) % 12 + 1, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> Quarter:
        return Quarter(self.year, self.number + 1) if self.number < 4 else Quarter(self.year + 1, 1)

    @property
    def before(self) -> Quarter:
        return Quarter(self.year, self.number - 1) if self.number > 1 else Quarter(self.year - 1, 4)

    def later(self, quarters: int) -> Quarter:
        """The quarter so many later."""
        place = self.year * 4 + self.number - 1 + quarters
        return Quarter(place // 4, place % 4 + 1)

    @property
    def in_words(self) -> str:
        """Such as "January to March 2026 (quarter 4 of 2025-26)"."""
        return f"{self.first:%B} to {self.last:%B %Y} (quarter {self.number} of {self.name[:7]})"
