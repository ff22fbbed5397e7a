from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data import calendar

IN_RANGE = st.dates(date(2016, 1, 1), date(2029, 12, 31))

# GOV.UK, "UK bank holidays", England and Wales: years with a moved or an extra day, and
# one of each kind of substitute at Christmas and New Year.
PUBLISHED = {
    2020: "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28",
    2021: "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28",
    2022: "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27",
    2023: "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26",
    2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
    2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
}


@pytest.mark.parametrize("year", PUBLISHED)
def test_a_year_has_the_published_bank_holidays(year: int) -> None:
    loaded = [day.strftime("%m-%d") for day in calendar.bank_holidays() if day.year == year]
    assert " ".join(loaded) == PUBLISHED[year]


def test_every_ordinary_year_has_eight_bank_holidays_on_weekdays() -> None:
    years = [day.year for day in calendar.bank_holidays()]
    assert {y: years.count(y) for y in range(2015, 2031)} == {
        y: {2022: 10, 2023: 9}.get(y, 8) for y in range(2015, 2031)
    }
    assert all(day.weekday() < 5 for day in calendar.bank_holidays())


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        pytest.param("2026-04-01", 45, "2026-06-09", id="crosses Easter and two May holidays"),
        pytest.param("2026-04-01", 15, "2026-04-24", id="crosses Easter"),
        pytest.param("2026-03-28", 15, "2026-04-21", id="starts on a Saturday"),
        pytest.param("2026-04-03", 1, "2026-04-07", id="starts on Good Friday"),
        pytest.param("2026-12-23", 1, "2026-12-24", id="next day"),
        pytest.param("2026-12-24", 10, "2027-01-12", id="Christmas and a substitute day"),
        pytest.param("2026-03-31", -45, "2026-01-27", id="backwards"),
    ],
)
def test_a_due_date_is_counted_from_day_zero(start: str, days: int, due: str) -> None:
    first = date.fromisoformat(start)
    assert calendar.add_working_days(first, days) == date.fromisoformat(due)
    if days > 0:
        assert calendar.working_days_between(first, date.fromisoformat(due)) == days


def test_a_same_day_finish_takes_no_working_day() -> None:
    assert calendar.working_days_between(date(2026, 4, 1), date(2026, 4, 1)) == 0


def test_easter_counts_as_one_step_from_thursday_to_tuesday() -> None:
    assert calendar.working_days_between(date(2026, 4, 2), date(2026, 4, 7)) == 1


@given(start=IN_RANGE, days=st.integers(-200, 200))
def test_adding_agrees_with_numpy(start: date, days: int) -> None:
    holidays = np.array(list(calendar.bank_holidays()), dtype="datetime64[D]")
    expected = np.busday_offset(np.datetime64(start), days, roll="backward", holidays=holidays)
    assert calendar.add_working_days(start, days) == expected.astype(date)


@given(start=IN_RANGE, end=IN_RANGE)
def test_between_agrees_with_a_count_of_the_days(start: date, end: date) -> None:
    low, high = sorted((start, end))
    days = (low + timedelta(days=n) for n in range(1, (high - low).days + 1))
    count = sum(calendar.is_working_day(day) for day in days)
    assert calendar.working_days_between(low, high) == count
    assert calendar.working_days_between(high, low) == -count


def test_the_table_gives_the_same_durations_in_sql() -> None:
    con = duckdb.connect()
    con.register("working_day", calendar.working_day_table())
    pairs = [(date(2026, 3, 28), date(2026, 4, 21)), (date(2020, 5, 7), date(2020, 5, 11))]
    for start, end in pairs:
        [(days,)] = con.execute(
            "SELECT b.working_day_number - a.working_day_number FROM working_day a, working_day b"
            " WHERE a.day = ? AND b.day = ?",
            [start, end],
        ).fetchall()
        assert days == calendar.working_days_between(start, end)


@pytest.mark.parametrize("day", [date(2014, 12, 31), date(2031, 1, 1)])
def test_a_year_without_loaded_holidays_is_refused_not_guessed(day: date) -> None:
    with pytest.raises(calendar.CalendarRangeError, match=r"bank_holidays\.csv"):
        calendar.is_working_day(day)
    with pytest.raises(calendar.CalendarRangeError):
        calendar.working_days_between(day, date(2026, 1, 1))


def test_a_due_date_beyond_the_loaded_years_is_refused() -> None:
    with pytest.raises(calendar.CalendarRangeError):
        calendar.add_working_days(date(2030, 12, 20), 45)
