"""English working days and school terms by rule: bank holidays from the calendar and the date of Easter, terms from the
habits of English councils (autumn from the first Wednesday of September, half terms around the last Mondays of October and
May and the third of February). One-off bank holidays are listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

ONE_OFF = (date(2022, 6, 2), date(2022, 6, 3), date(2022, 9, 19), date(2023, 5, 8))
DAY = timedelta(days=1)


def easter(year: int) -> date:
    """Return Easter Sunday (Gregorian computus of Meeus, Jones and Butcher)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def _last_monday(year: int, month: int) -> date:
    return (
        _on_or_after(date(year, month, 25), 0)
        if month in (5, 8, 10)
        else _on_or_after(date(year, month, 24), 0)
    )


def _substitutes(days: list[date]) -> set[date]:
    taken: set[date] = set()
    for wanted in days:
        day = wanted
        while day.weekday() > 4 or day in taken:
            day += DAY
        taken.add(day)
    return taken


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """Return the bank holidays of England in a year."""
    sunday = easter(year)
    may = date(2020, 5, 8) if year == 2020 else _on_or_after(date(year, 5, 1), 0)
    fixed = [date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)]
    moving = {sunday - 2 * DAY, sunday + DAY, may, _last_monday(year, 8)}
    spring = set() if year == 2022 else {_last_monday(year, 5)}
    return frozenset(_substitutes(fixed) | moving | spring | {d for d in ONE_OFF if d.year == year})


def is_working_day(day: date) -> bool:
    """True on Monday to Friday outside bank holidays."""
    return day.weekday() < 5 and day not in bank_holidays(day.year)


def on_working_day(day: date) -> date:
    """Return `day`, or the next working day."""
    while not is_working_day(day):
        day += DAY
    return day


def add_working_days(day: date, count: int) -> date:
    """Return the date `count` working days after `day`."""
    for _ in range(count):
        day = on_working_day(day + DAY)
    return day


def working_days_between(start: date, end: date) -> int:
    """Count the working days after `start` up to and including `end`."""
    return sum(is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


@dataclass(frozen=True)
class HalfTerm:
    """Half a school term: its school days, in order."""

    name: str
    days: tuple[date, ...]


def half_terms(academic_year: int) -> list[HalfTerm]:
    """Return the six half terms of the school year that begins in September of `academic_year`.

    The first school day of the first five is left out: a training day, so that a year has about 190 school days.
    """
    year, nxt = academic_year, academic_year + 1
    sunday = easter(nxt)
    early = (sunday.month, sunday.day) <= (4, 10)
    break_up = sunday - timedelta(days=9 if early else 16)
    back = sunday + timedelta(days=8 if early else 2)
    october, february, may = (
        _last_monday(year, 10),
        _on_or_after(date(nxt, 2, 15), 0),
        _last_monday(nxt, 5),
    )
    december = date(year, 12, 20)
    spans = {
        "autumn1": (_on_or_after(date(year, 9, 2), 2), october - 3 * DAY),
        "autumn2": (october + 7 * DAY, december - timedelta(days=(december.weekday() - 4) % 7)),
        "spring1": (_on_or_after(date(nxt, 1, 4), 0), february - 3 * DAY),
        "spring2": (february + 7 * DAY, break_up),
        "summer1": (back, may - 3 * DAY),
        "summer2": (may + 7 * DAY, _on_or_after(date(nxt, 7, 18), 1)),
    }
    return [
        HalfTerm(f"{year}-{name}", tuple(_school_days(first, last))[int(name != "summer2") :])
        for name, (first, last) in spans.items()
    ]


def _school_days(first: date, last: date) -> Iterator[date]:
    return (
        d for n in range((last - first).days + 1) if is_working_day(d := first + timedelta(days=n))
    )


def school_days(start: date, end: date) -> list[HalfTerm]:
    """Return the half terms that touch start..end, cut to those days; both ends count."""
    terms = [term for year in range(start.year - 1, end.year + 1) for term in half_terms(year)]
    cut = (HalfTerm(t.name, tuple(d for d in t.days if start <= d <= end)) for t in terms)
    return [term for term in cut if term.days]
