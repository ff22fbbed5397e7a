"""Working days of England: Monday to Friday without the bank holidays of England and Wales.

Counting follows DfE's children in need statistics, which have a same-day band before
"1 to 10 days": the start is day 0 and the count runs up to and including the end. A
start or an end on a day off counts as the working day before it. Both rules fall out
of one number for each day, the count of working days up to and including it; a
duration is a difference of two such numbers, here by bisection and in SQL by
``working_day_table``. Council closure days are not bank holidays and don't stop the clock.

``bank_holidays.csv`` holds GOV.UK's list "UK bank holidays", England and Wales, for 2015
to 2027; 2028 to 2030 follow the standing rules of the Banking and Financial Dealings Act
1971 and can still gain days by proclamation. Outside those years an answer would be a
guess, so there is an error instead.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib import resources
from types import MappingProxyType

import pyarrow as pa

_SATURDAY = 5


class CalendarRangeError(ValueError):
    """A date outside the years whose bank holidays are loaded."""

    def __init__(self, day: date) -> None:
        first, last = _bounds()
        super().__init__(
            f"{day} is outside the working-day calendar ({first} to {last}); "
            "add the year's bank holidays to ffp_data/calendar/bank_holidays.csv"
        )


@cache
def bank_holidays() -> Mapping[date, str]:
    """Bank holidays of England and Wales with their names, in order of date."""
    text = resources.files(__package__).joinpath("bank_holidays.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType({date.fromisoformat(row["date"]): row["name"] for row in rows})


def is_working_day(day: date) -> bool:
    """Whether the day counts; raises CalendarRangeError outside the loaded years."""
    _check_range(day)
    return day.weekday() < _SATURDAY and day not in bank_holidays()


def add_working_days(start: date, days: int) -> date:
    """The ``days``-th working day after ``start`` (before it, when negative).

    A start on a day off is first rolled back to the working day before it, so that day 1
    of a weekend referral is Monday. Raises CalendarRangeError when the result is not in
    the loaded years.
    """
    place = _working_days_up_to(start) - 1 + days
    if not 0 <= place < len(_working_days()):
        raise CalendarRangeError(start + timedelta(days=days))
    return _working_days()[place]


def working_days_between(start: date, end: date) -> int:
    """Working days after ``start`` up to and including ``end``; negative when end is earlier."""
    return _working_days_up_to(end) - _working_days_up_to(start)


@cache
def working_day_table() -> pa.Table:
    """Every day of the loaded years, for joins in SQL.

    Columns: day (date32), is_working_day, working_day_number (working days up to and
    including the day; the difference of two is ``working_days_between``), bank_holiday
    (name or null).
    """
    days = _all_days()
    return pa.table(
        {
            "day": pa.array(days, pa.date32()),
            "is_working_day": [is_working_day(day) for day in days],
            "working_day_number": pa.array([_working_days_up_to(d) for d in days], pa.int32()),
            "bank_holiday": pa.array([bank_holidays().get(d) for d in days], pa.string()),
        }
    )


def _working_days_up_to(day: date) -> int:
    _check_range(day)
    return bisect_right(_working_days(), day)


@cache
def _working_days() -> Sequence[date]:
    return tuple(day for day in _all_days() if is_working_day(day))


def _all_days() -> list[date]:
    first, last = _bounds()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@cache
def _bounds() -> tuple[date, date]:
    years = [day.year for day in bank_holidays()]
    return date(min(years), 1, 1), date(max(years), 12, 31)


def _check_range(day: date) -> None:
    first, last = _bounds()
    if not first <= day <= last:
        raise CalendarRangeError(day)
