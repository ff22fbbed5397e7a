"""Session marks, made for a whole half term at once with numpy. Each pupil has rates of
illness, unexplained absence and lateness; each (pupil, week or day) has a fixed hash as its
chance, so that a pupil's marks depend on the pupil and the seed alone. Illness comes in spells
within a week, dual-registered pupils are D on the days at the other school, year 11 is on study
leave from June, and a share of the marks is corrected some days later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.school_terms import HalfTerm

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
    "K",
    "-",
    "!",
    "8",
    "H",
    "J",
    "Y",
)
INDEX = {code: n for n, code in enumerate(CODES)}
UNKNOWN = ("!", "8")  # local codes seen in a live export
WITHDRAWN = ("H", "J", "Y")
EPOCH = date(1970, 1, 1).toordinal()

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A pupil on a roll: the marks between `first` and `last` are made from `seed` and the three rates."""

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
    """The marks of one half term as a table ready to write, its corrections, and the rows that hold a bad code."""

    name: str
    last_day: date
    table: pa.Table
    corrections: pa.Table
    bad: list[tuple[str, str, str]]  # pupil id in the feed, person id, code


def uniform(seeds: npt.NDArray[np.uint64], salts: npt.NDArray[np.uint64]) -> Floats:
    """Return one number in 0..1 for each pair of seed and salt (splitmix64), shape (seeds, salts)."""
    x = seeds[:, None] + salts[None, :] * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def half_term_marks(
    roll: Sequence[Enrolment], terms: Sequence[HalfTerm], as_at: date
) -> Iterator[Marks]:
    """Yield the marks of each half term for the pupils then on roll."""
    for term in terms:
        present = [e for e in roll if e.first <= term.days[-1] and e.last >= term.days[0]]
        if present:
            yield _marks(present, term, as_at)


def _day_codes(roll: Sequence[Enrolment], days: Ints, as_at: date) -> npt.NDArray[np.int8]:
    """Return code indexes, shape (pupils, days, 2)."""
    seeds = np.array([e.seed for e in roll], dtype=np.uint64)
    weeks, weekday = (days + 3) // 7, (days + 3) % 7
    salt = days.astype(np.uint64) * np.uint64(64)
    week_salt = weeks.astype(np.uint64) * np.uint64(64) + np.uint64(1)
    rate = {
        name: np.array([getattr(e, name) for e in roll])[:, None]
        for name in ("illness", "unexplained", "late")
    }

    onset = np.floor(uniform(seeds, week_salt + np.uint64(1)) * 5)
    length = 1 + np.floor(uniform(seeds, week_salt + np.uint64(2)) ** 2 * 5)
    ill = (
        (uniform(seeds, week_salt) < rate["illness"])
        & (weekday >= onset)
        & (weekday < onset + length)
    )
    gone = uniform(seeds, salt + np.uint64(10)) < rate["unexplained"]
    open_reason = uniform(seeds, salt + np.uint64(11)) < np.where(
        days >= as_at.toordinal() - EPOCH - 7, 0.8, 0.25
    )

    codes = np.empty((len(roll), len(days), 2), dtype=np.int8)
    for session, present in enumerate(("/", "\\")):
        chance = uniform(seeds, salt + np.uint64(20 + session))
        late = rate["late"] * (1.0 if session == 0 else 0.25)
        code = np.full(chance.shape, INDEX[present], dtype=np.int8)
        edge = np.zeros_like(chance)
        for name, share in (
            ("L", late),
            ("U", late / 6),
            ("M", 0.006),
            ("V", 0.005),
            ("B", 0.001),
            ("C", 0.0008),
            ("G", 0.003),
            ("E", rate["unexplained"] * 0.02),
        ):
            code[(chance >= edge) & (chance < edge + share)] = INDEX[name]
            edge = edge + share
        away = gone & (uniform(seeds, salt + np.uint64(30 + session)) < 0.92)
        code[away] = np.where(open_reason, INDEX["N"], INDEX["O"])[away]
        code[ill] = INDEX["I"]
        codes[:, :, session] = code
    _special(roll, codes, days, weekday)
    return codes


def _special(
    roll: Sequence[Enrolment], codes: npt.NDArray[np.int8], days: Ints, weekday: Ints
) -> None:
    months = np.array([(date.fromordinal(int(d) + EPOCH)).month for d in days])
    for row, enrolment in enumerate(roll):
        if enrolment.registration in "MS":
            elsewhere = (weekday < 2) == (enrolment.registration == "M")
            codes[row, elsewhere, :] = INDEX["D"]
        if enrolment.leaves_in_june:
            codes[row, (months == 6) | (months == 7), :] = INDEX["S"]


def _plant(roll: Sequence[Enrolment], codes: npt.NDArray[np.int8], days: Ints) -> None:
    seeds = np.array([e.seed for e in roll], dtype=np.uint64)
    chance = uniform(seeds, days.astype(np.uint64) * np.uint64(64) + np.uint64(40))
    unknown, withdrawn = (
        2 * rates("education")["unknown_code"],
        2 * rates("education")["withdrawn_code"],
    )  # one session of two
    pick = (days % 3).astype(np.int64)
    for n, code in enumerate(UNKNOWN):
        codes[:, :, 0][(chance < unknown) & (pick % 2 == n)[None, :]] = INDEX[code]
    for n, code in enumerate(WITHDRAWN):
        codes[:, :, 1][(chance > 1 - withdrawn) & (pick == n)[None, :]] = INDEX[code]


def _marks(roll: Sequence[Enrolment], term: HalfTerm, as_at: date) -> Marks:
    days = np.array([d.toordinal() - EPOCH for d in term.days], dtype=np.int64)
    codes = _day_codes(roll, days, as_at)
    _plant(roll, codes, days)
    first = np.array([e.first.toordinal() - EPOCH for e in roll])[:, None]
    last = np.array([e.last.toordinal() - EPOCH for e in roll])[:, None]
    on_roll = np.repeat(((days >= first) & (days <= last))[:, :, None], 2, axis=2)
    row, day, session = np.nonzero(on_roll)
    code = codes[row, day, session]
    chance = uniform(
        np.array([e.seed for e in roll], dtype=np.uint64),
        days.astype(np.uint64) * np.uint64(64) + np.uint64(50),
    )
    table = _table(roll, term.days, row, day, session, code, chance[row, day], 0)
    kept = np.isin(code, [INDEX[c] for c in (*UNKNOWN, *WITHDRAWN)])
    bad = [
        (f"{roll[r].urn}:{roll[r].pupil_key}", roll[r].person_id, CODES[c])
        for r, c in zip(row[kept], code[kept], strict=True)
    ]
    changed = _corrected(code, chance[row, day])
    pick = (changed != code) & (days[day] < as_at.toordinal() - EPOCH - 4)
    corrections = _table(
        roll,
        term.days,
        row[pick],
        day[pick],
        session[pick],
        changed[pick],
        chance[row, day][pick],
        4,
    )
    return Marks(term.name, term.days[-1], table, corrections, bad)


def _corrected(code: npt.NDArray[np.int8], chance: Floats) -> npt.NDArray[np.int8]:
    """Return the codes as they stand after the school heard more: most N become I, O or E, a few I become M."""
    share = rates("education")["late_correction"]
    late_n = (code == INDEX["N"]) & (chance < 10 * share)
    now = np.where(
        late_n,
        np.where(
            chance < 5 * share, INDEX["I"], np.where(chance < 9.5 * share, INDEX["O"], INDEX["E"])
        ),
        code,
    )
    return np.where((code == INDEX["I"]) & (chance < share / 10), INDEX["M"], now).astype(np.int8)


def _table(
    roll: Sequence[Enrolment],
    days: Sequence[date],
    row: Ints,
    day: Ints,
    session: Ints,
    code: npt.NDArray[np.int8],
    chance: Floats,
    later: int,
) -> pa.Table:
    """Return the rows to write; `later`: days after the session at which the mark was last changed."""
    minutes = np.where(
        np.isin(code, [INDEX["L"], INDEX["U"]]), (chance * 40).astype(np.int64) + 3, 0
    )
    times = [
        f"{d + timedelta(days=later)}T{hour}:{5 * m:02d}:00Z"
        for d in days
        for hour in ("09", "13")
        for m in range(8)
    ]
    school = np.array([int(e.urn) % 8 for e in roll])[row]
    remark = (
        (chance * 1e6).astype(np.int64) % 2000 == 0
        if later == 0
        else np.zeros(len(row), dtype=bool)
    )

    def text(values: Sequence[str], index: Ints) -> pa.Array:
        return pa.array(values, pa.string()).take(pa.array(index))

    return pa.table(
        {
            "school_urn": text([e.urn for e in roll], row),
            "pupil_key": text([e.pupil_key for e in roll], row),
            "session_date": text([d.isoformat() for d in days], day),
            "session": text(["AM", "PM"], session),
            "attendance_code": text(CODES, code.astype(np.int64)),
            "minutes_late": text(["", *map(str, range(1, 60))], minutes),
            "comment": text(["", "Mum rang the office"], remark.astype(np.int64)),
            "last_changed_at": text(times, day * 16 + session * 8 + school),
        }
    )
