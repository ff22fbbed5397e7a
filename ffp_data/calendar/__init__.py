"""Working days of England, with bank holidays as data (``bank_holidays.csv``)."""

from __future__ import annotations

from ffp_data.calendar.working_days import (
    CalendarRangeError,
    add_working_days,
    bank_holidays,
    is_working_day,
    working_day_table,
    working_days_between,
)

__all__ = [
    "CalendarRangeError",
    "add_working_days",
    "bank_holidays",
    "is_working_day",
    "working_day_table",
    "working_days_between",
]
