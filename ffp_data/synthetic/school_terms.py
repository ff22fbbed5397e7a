"""School terms by rule, from the habits of English councils: autumn from the first Wednesday of
September, half terms around the last Mondays of October and May and the third of February,
Easter from the bank holidays. Also the helper that moves an event of a case to a working day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from ffp_data.calendar import bank_holidays, is_working_day

DAY = timedelta(days=1)


def on_working_day(day: date) -> date:
    """Return `day`, or the next working day."""
    while not is_working_day(day):
        day += DAY
    return day


@cache
def easter(year: int) -> date:
    """Return Easter Sunday; ValueError for a year whose bank holidays are not loaded."""
    for day, name in bank_holidays().items():
        if day.year == year and name == "Good Friday":
            return day + 2 * DAY
    raise ValueError(f"no Good Friday of {year} in the bank holidays")


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday()) % 7)


@dataclass(frozen=True)
class HalfTerm:
    """Half a school term: its school days, in order."""

    name: str
    days: tuple[date, ...]


@cache
def half_terms(academic_year: int) -> tuple[HalfTerm, ...]:
    """Return the six half terms of the school year that begins in September of `academic_year`.

    The first school day of the first five is left out: a training day,
    so that a year has about 190 school days.
    """
    year, after = academic_year, academic_year + 1
    sunday = easter(after)
    early = (sunday.month, sunday.day) <= (4, 10)
    break_up = sunday - timedelta(days=9 if early else 16)
    back = sunday + timedelta(days=8 if early else 2)
    october, may = _on_or_after(date(year, 10, 25), 0), _on_or_after(date(after, 5, 25), 0)
    february = _on_or_after(date(after, 2, 15), 0)
    december = date(year, 12, 20)
    spans = {
        "autumn1": (_on_or_after(date(year, 9, 2), 2), october - 3 * DAY),
        "autumn2": (october + 7 * DAY, december - timedelta(days=(december.weekday() - 4) % 7)),
        "spring1": (_on_or_after(date(after, 1, 4), 0), february - 3 * DAY),
        "spring2": (february + 7 * DAY, break_up),
        "summer1": (back, may - 3 * DAY),
        "summer2": (may + 7 * DAY, _on_or_after(date(after, 7, 18), 1)),
    }
    return tuple(
        HalfTerm(f"{year}-{name}", tuple(_school_days(first, last))[int(name != "summer2") :])
        for name, (first, last) in spans.items()
    )


def _school_days(first: date, last: date) -> Iterator[date]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return (day for day in days if is_working_day(day))


def school_days(start: date, end: date) -> list[HalfTerm]:
    """Return the half terms that touch start..end, cut to those days; both ends count."""
    terms = [term for year in range(start.year - 1, end.year + 1) for term in half_terms(year)]
    cut = (HalfTerm(t.name, tuple(d for d in t.days if start <= d <= end)) for t in terms)
    return [term for term in cut if term.days]
