"""Month after month: what is true, what agencies wrote, and what of it has reached the hub.

A delivery is an agency's whole book (a school's, where each delivers for itself). One that is late, or
not made at all, leaves the hub with the agency's last one, as loading does. ``absent`` names feeds
whose records a month's run doesn't bring at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from benchmarks.hub.months.entry import COLUMNS, Row
from benchmarks.hub.months.registers import Register
from benchmarks.hub.months.settings import agencies, months
from benchmarks.hub.months.town import News, Town, persons
from ffp_data.synthetic.numbers import stream

_DATES = ("date_of_birth", "expected_birth_date")


@dataclass(frozen=True)
class Month:
    """What reached the hub by a day. records: COLUMNS; person_of: the truth by record key;
    children: persons under 18 or unborn; late: deliveries that did not come."""

    as_at: date
    records: pa.Table
    person_of: dict[str, str]
    children: frozenset[str]
    news: News
    late: tuple[str, ...]


class MonthlyPartnership:
    """The same number of children, seed and first day give the same months."""

    def __init__(self, children: int, seed: int, first: date) -> None:
        self.seed = seed
        self.town = Town(children, seed, first)
        self.registers = [Register(feed, agency) for feed, agency in agencies().items()]
        self._delivered: dict[tuple[str, str], list[tuple[Row, str]]] = {}
        for register in self.registers:
            rng = stream(f"{seed}/months/{register.feed}/open")
            for household in self.town.households:
                register.open(rng, household, first)

    def first(self) -> Month:
        """Everybody delivers."""
        return self._month(News(), frozenset(), frozenset(), on_time=True)

    def next(
        self, as_at: date, missing: Collection[str] = (), absent: Collection[str] = ()
    ) -> Month:
        """Let the time up to a day pass. missing: feeds that make no delivery; absent: feeds whose
        records are not brought at all."""
        news = self.town.step(as_at)
        for register in self.registers:
            rng = stream(f"{self.seed}/months/{register.feed}/{as_at}")
            register.month(rng, self.town.households, news, as_at)
        return self._month(news, frozenset(missing), frozenset(absent), on_time=False)

    def _month(
        self, news: News, missing: frozenset[str], absent: frozenset[str], on_time: bool
    ) -> Month:
        late: list[str] = []
        for delivery, rows in self._written().items():
            feed, part = delivery
            if not on_time and (feed in missing or self._is_late(feed, part)):
                late.append(f"{feed} {part}".strip())
            else:
                self._delivered[delivery] = rows
        brought = [
            row for key, rows in self._delivered.items() if key[0] not in absent for row in rows
        ]
        as_at = self.town.as_at
        children = frozenset(
            m.person.person_id for _, m in persons(self.town.households) if m.role == "child"
        )
        person_of = {str(row[0]): person_id for row, person_id in brought}
        return Month(
            as_at, table([row for row, _ in brought]), person_of, children, news, tuple(late)
        )

    def _written(self) -> dict[tuple[str, str], list[tuple[Row, str]]]:
        """The books as they are today, by delivery; those that were delivered and are empty now too."""
        books: dict[tuple[str, str], list[tuple[Row, str]]] = {key: [] for key in self._delivered}
        for register in self.registers:
            for entry in register.all():
                books.setdefault((entry.feed, entry.part), []).append(
                    (entry.row(), entry.person_id)
                )
        return books

    def _is_late(self, feed: str, part: str) -> bool:
        rate = months().delivery["school_late" if part else "late"].value
        return stream(f"{self.seed}/late/{feed}/{part}/{self.town.as_at}").random() < rate


def table(rows: list[Row]) -> pa.Table:
    """Rows as an Arrow table of COLUMNS."""
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    types = dict.fromkeys(COLUMNS, pa.string()) | dict.fromkeys(_DATES, pa.date32())
    types |= {"birth_order": pa.int32(), "is_restricted": pa.bool_()}
    arrays = [pa.array(values, types[name]) for name, values in zip(COLUMNS, columns, strict=True)]
    return pa.table(dict(zip(COLUMNS, arrays, strict=True)))


def ends_of_months(first: date, count: int) -> Iterator[date]:
    """The last days of the months after that of ``first``."""
    year, month = first.year, first.month
    for _ in range(count):
        month = month % 12 + 1
        year += month == 1
        following = date(year + (month == 12), month % 12 + 1, 1)
        yield date.fromordinal(following.toordinal() - 1)
