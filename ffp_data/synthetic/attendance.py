"""Session marks, made for a whole half term at once with numpy. Each pupil has rates of illness,
unexplained absence and lateness; each pair of pupil and week or day has a fixed hash as its chance,
so that a pupil's marks depend on the pupil and the seed alone. Illness comes in spells within a
week, dual-registered pupils are D on the days at the other school, year 11 is on study leave from
June, and most marks without a reason are corrected some days later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.school_terms import HalfTerm

UNKNOWN = ("!", "8")  # local codes seen in a live export
WITHDRAWN = ("H", "J", "Y")  # ended in August 2024
CODES = (
    "/",
    "\\",
    "L",
    "I",
    "M",
    "O",
    "N",
    "U",
    "V",
    "B",
    "C",
    "E",
    "D",
    "S",
    "G",
    *UNKNOWN,
    *WITHDRAWN,
)
INDEX = {code: n for n, code in enumerate(CODES)}
# Shares of sessions for reasons that are alike for all pupils; assumed, near DfE absence statistics.
REASONS = (("M", 0.006), ("V", 0.005), ("B", 0.001), ("C", 0.0008), ("G", 0.003))
EPOCH = date(1970, 1, 1).toordinal()
RECENT_DAYS = 7  # a school has five school days to find the reason of an absence
CORRECTED_AFTER = 4  # days

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CodeIndexes = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A pupil on a roll: the marks between `first` and `last` are made from `seed` and the three rates.

    illness: chance of a spell in a week; unexplained: of a day; late: of a morning.
    """

    urn: str
    pupil_key: str
    person_id: str
    seed: int
    first: date
    last: date
    illness: float
    unexplained: float
    late: float
    registration: str = "C"  # C current, M main, S subsidiary
    leaves_in_june: bool = False


@dataclass(frozen=True)
class Marks:
    """The marks of one half term, ready to write, their corrections, and the rows that hold a bad code."""

    last_day: date
    table: pa.Table
    corrections: pa.Table
    bad: list[
        tuple[str, str, str]
    ]  # pupil id in the feed, person id, unknown_code or withdrawn_code


@dataclass(frozen=True)
class Grid:
    """Pupils by school days: what every chance is drawn over."""

    roll: Sequence[Enrolment]
    dates: Sequence[date]

    @cached_property
    def days(self) -> Ints:
        """Days since 1970, one for each school day."""
        return np.array([d.toordinal() - EPOCH for d in self.dates], dtype=np.int64)

    @cached_property
    def seeds(self) -> npt.NDArray[np.uint64]:
        """One seed for each pupil."""
        return np.array([e.seed for e in self.roll], dtype=np.uint64)

    def column(self, name: str) -> Floats:
        """Return a rate of every pupil as a column."""
        return np.array([getattr(e, name) for e in self.roll])[:, None]

    def chance(self, purpose: int, weekly: bool = False) -> Floats:
        """Return one number in 0..1 for each pupil and day, the same all week when `weekly` (splitmix64)."""
        periods = (self.days + 3) // 7 if weekly else self.days
        salts = periods.astype(np.uint64) * np.uint64(128) + np.uint64(2 * purpose + int(weekly))
        x = self.seeds[:, None] + salts[None, :] * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = (x ^ (x >> np.uint64(31))) >> np.uint64(11)
        return np.asarray(x.astype(np.float64) * 2.0**-53)


def half_term_marks(
    roll: Sequence[Enrolment], terms: Sequence[HalfTerm], as_at: date
) -> Iterator[Marks]:
    """Yield the marks of each half term for the pupils then on roll."""
    for term in terms:
        present = [e for e in roll if e.first <= term.days[-1] and e.last >= term.days[0]]
        if present:
            yield _marks(Grid(present, term.days), as_at)


def session_counts(
    roll: Sequence[Enrolment], terms: Sequence[HalfTerm], as_at: date
) -> list[dict[str, int]]:
    """Return for each enrolment how many sessions of the terms have each code, late corrections made."""
    counts = np.zeros((len(roll), len(CODES)), dtype=np.int64)
    for term in terms:
        grid = Grid(roll, term.days)
        row, day, session = _on_roll(grid)
        code = _codes(grid, as_at.toordinal() - EPOCH)[row, day, session]
        final = _corrected(code, grid.chance(5)[row, day])
        np.add.at(counts, (row, final), 1)
    return [{CODES[n]: int(c) for n, c in enumerate(told) if c} for told in counts]


def _marks(grid: Grid, as_at: date) -> Marks:
    today = as_at.toordinal() - EPOCH
    codes = _codes(grid, today)
    row, day, session = _on_roll(grid)
    code = codes[row, day, session]
    chance = grid.chance(5)[row, day]
    bad = np.flatnonzero(code >= INDEX[UNKNOWN[0]])
    changed = _corrected(code, chance)
    late = np.flatnonzero((changed != code) & (grid.days[day] + CORRECTED_AFTER < today))
    return Marks(
        grid.dates[-1],
        _table(grid, row, day, session, code, chance, 0),
        _table(
            grid, row[late], day[late], session[late], changed[late], chance[late], CORRECTED_AFTER
        ),
        [_fault(grid.roll[row[n]], CODES[code[n]]) for n in bad],
    )


def _codes(grid: Grid, today: int) -> CodeIndexes:
    """Return code indexes, shape (pupils, days, 2)."""
    recent = grid.days >= today - RECENT_DAYS
    no_reason_yet = grid.chance(4) < np.where(recent, 0.8, 0.25)
    gone = np.where(no_reason_yet, INDEX["N"], INDEX["O"])
    away, ill = grid.chance(3) < grid.column("unexplained"), _ill(grid)
    codes = np.empty((len(grid.roll), len(grid.days), 2), dtype=np.int8)
    for session in (0, 1):
        code = _present(grid, session)
        code = np.where(away & (grid.chance(10 + session) < 0.92), gone, code)
        codes[:, :, session] = np.where(ill, INDEX["I"], code)
    _special(grid, codes)
    _plant(grid, codes)
    return codes


def _ill(grid: Grid) -> npt.NDArray[np.bool_]:
    """Return which days are spells of illness: one to five days from a chance weekday."""
    weekday = (grid.days + 3) % 7
    onset = np.floor(grid.chance(1, weekly=True) * 5)
    length = 1 + np.floor(grid.chance(2, weekly=True) ** 2 * 5)
    struck = grid.chance(0, weekly=True) < grid.column("illness")
    return np.asarray(struck & (weekday >= onset) & (weekday < onset + length))


def _present(grid: Grid, session: int) -> CodeIndexes:
    """Return present marks, with lateness and the reasons that all pupils share strewn among them."""
    chance = grid.chance(20 + session)
    code = np.full(chance.shape, INDEX["/\\"[session]], dtype=np.int8)
    late = grid.column("late") * (0.25 if session else 1.0)
    shares = (("L", late), ("U", late / 6), ("E", grid.column("unexplained") * 0.02), *REASONS)
    edge = np.zeros_like(chance)
    for name, share in shares:
        code[(chance >= edge) & (chance < edge + share)] = INDEX[name]
        edge = edge + share
    return code


def _special(grid: Grid, codes: CodeIndexes) -> None:
    """Dual registration and study leave."""
    weekday = (grid.days + 3) % 7
    summer = np.array([d.month in (6, 7) for d in grid.dates])
    for row, enrolment in enumerate(grid.roll):
        if enrolment.registration in "MS":
            elsewhere = (weekday < 2) == (enrolment.registration == "M")
            codes[row, elsewhere, :] = INDEX["D"]
        if enrolment.leaves_in_june:
            codes[row, summer, :] = INDEX["S"]


def _plant(grid: Grid, codes: CodeIndexes) -> None:
    """Plant codes that the feed must set aside: unknown ones in mornings, withdrawn ones in afternoons."""
    chance, share = grid.chance(6), rates("education")
    for session, rate, planted in (
        (0, share["unknown_code"], UNKNOWN),
        (1, share["withdrawn_code"], WITHDRAWN),
    ):
        low = session * 0.5
        for n, code in enumerate(planted):
            width = (
                2 * rate / len(planted)
            )  # the rate is of all sessions, each kind is of one of two
            codes[:, :, session][(chance >= low + n * width) & (chance < low + (n + 1) * width)] = (
                INDEX[code]
            )


def _fault(enrolment: Enrolment, code: str) -> tuple[str, str, str]:
    kind = "unknown_code" if code in UNKNOWN else "withdrawn_code"
    return f"{enrolment.urn}:{enrolment.pupil_key}", enrolment.person_id, kind


def _on_roll(grid: Grid) -> tuple[Ints, Ints, Ints]:
    """Return pupil, day and session of every mark: only days on roll."""
    first = np.array([e.first.toordinal() - EPOCH for e in grid.roll])[:, None]
    last = np.array([e.last.toordinal() - EPOCH for e in grid.roll])[:, None]
    present = (grid.days >= first) & (grid.days <= last)
    row, day, session = np.nonzero(np.repeat(present[:, :, None], 2, axis=2))
    return row, day, session


def _corrected(code: CodeIndexes, chance: Floats) -> CodeIndexes:
    """Return the codes as they stand after the school heard more: most N become I, O or E, a few I become M."""
    share = rates("education")["late_correction"]
    reason = np.select(
        [chance < 5 * share, chance < 9.5 * share], [INDEX["I"], INDEX["O"]], INDEX["E"]
    )
    heard = (code == INDEX["N"]) & (chance < 10 * share)
    mistaken = (code == INDEX["I"]) & (chance < share / 10)
    return np.where(heard, reason, np.where(mistaken, INDEX["M"], code)).astype(np.int8)


def _table(
    grid: Grid, row: Ints, day: Ints, session: Ints, code: CodeIndexes, chance: Floats, later: int
) -> pa.Table:
    """Return the rows to write; `later`: days after the session at which the mark was last changed."""
    arrived_late = np.isin(code, [INDEX["L"], INDEX["U"]])
    minutes = np.where(arrived_late, (chance * 40).astype(np.int64) + 3, 0)
    rung = (chance * 1e6).astype(np.int64) % round(1 / rates("education")["comment"]) == 0
    school = np.array([int(e.urn) % 8 for e in grid.roll])[
        row
    ]  # each school closes its registers at its own time
    times = [
        f"{d + timedelta(days=later)}T{hour}:{5 * m:02d}:00Z"
        for d in grid.dates
        for hour in ("09", "13")
        for m in range(8)
    ]
    columns: dict[str, tuple[Sequence[str], Ints | CodeIndexes]] = {
        "school_urn": ([e.urn for e in grid.roll], row),
        "pupil_key": ([e.pupil_key for e in grid.roll], row),
        "session_date": ([d.isoformat() for d in grid.dates], day),
        "session": (("AM", "PM"), session),
        "attendance_code": (CODES, code),
        "minutes_late": (("", *map(str, range(1, 60))), minutes),
        "comment": (("", "Mum rang the office"), (rung & (later == 0)).astype(np.int64)),
        "last_changed_at": (times, day * 16 + session * 8 + school),
    }
    return pa.table(
        {name: pa.array(v, pa.string()).take(pa.array(i)) for name, (v, i) in columns.items()}
    )
