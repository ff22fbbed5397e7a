"""Whatever happens on the way, the same deliveries end in the same warehouse.

Generated deliveries arrive in any order, cut short, twice, under a contract that is mended later; some
are retracted and all is replayed. What the warehouse holds then (every row of raw, identity and
quarantine, and the books) is compared with a fresh one that met the surviving files in order of time,
and the rows that hold with a plain reading of the rules in Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from ffp_data import feeds
from ffp_data.feeds import books, replay
from ffp_data.feeds.loading import Terms
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, csv_text, file_name, sample_row


def _contract(sexes: list[str], codes: list[str]) -> feeds.Contract:
    """School attendance with few columns, so that many deliveries can be tried."""
    told = CONTRACTS["education_attendance"].model_dump(by_alias=True, mode="json")
    kept = {"school_urn", "pupil_key", "sex", "attendance_code"}
    for table in told["schema"]:
        table["properties"] = [p for p in table["properties"] if p["name"] in kept]
        table |= {"facts": {}, "key": ["school_urn", "pupil_key"]}
        for column in table["properties"]:
            if column["name"] in ("sex", "attendance_code"):
                column["codes"] = sexes if column["name"] == "sex" else codes
                column["codes_at"] = None
    return feeds.Contract.model_validate(told)


FIXED = _contract(["M", "U"], ["/", "I"])
BROKEN = _contract(["M"], ["/"])
"""As before the fix: a code is missing of a column that may be empty, and of one that may not."""

DAYS = tuple(f"2026040{day}T030000Z" for day in (1, 2, 3))

_EVERYTHING = (
    "SELECT * FROM raw.education_attendance__pupils",
    "SELECT * FROM raw.education_attendance__marks",
    "SELECT * FROM identity.education_attendance__pupils",
    "SELECT * FROM quarantine.rows",
    'SELECT * FROM quarantine."values"',
    "SELECT delivery_id, table_name, file_name, delivered_at, rows_delivered, rows_loaded,"
    " rows_quarantined, rows_superseded FROM meta.deliveries WHERE status = 'loaded'",
    "SELECT * EXCLUDE (received_seq) FROM meta.snapshot_scopes",
)


_HELD = {
    "marks": "SELECT split_part(split_part(record_key, '|', 3), ':', 1),"
    " split_part(record_key, ':', 2), attendance_code FROM raw.education_attendance__marks",
    "pupils": "SELECT split_part(split_part(record_key, '|', 3), ':', 1),"
    " split_part(record_key, ':', 2), sex FROM identity.education_attendance__pupils",
}


@dataclass(frozen=True)
class File:
    """A file as an agency could send it. Two of equal rows have equal bytes, and so are one delivery."""

    table: str
    day: int
    part: int
    rows: tuple[tuple[str, str, str], ...]
    """School, pupil, and sex or attendance code."""

    @property
    def name(self) -> str:
        table = FIXED.by_name[self.table]
        return file_name(table, DAYS[self.day]).replace("_001.csv", f"_{self.part:03d}.csv")

    @property
    def text(self) -> str:
        table = FIXED.by_name[self.table]
        value = "sex" if self.table == "pupils" else "attendance_code"
        rows = [
            sample_row(FIXED, table, school_urn=school, pupil_key=pupil) | {value: code}
            for school, pupil, code in self.rows
        ]
        return csv_text(table, rows)

    @property
    def cut(self) -> str:
        """The file as it is while it is still being copied: its last row ends in the middle."""
        return self.text[: self.text.rindex(self.rows[-1][1])]


@dataclass(frozen=True)
class Arrival:
    file: File
    cut_first: bool
    retract_after: int | None
    """How many more files arrive before it is retracted."""
    replay_after: bool


_CODES = {"pupils": ("M", "U", "?"), "marks": ("/", "I", "?")}


def arrivals_of(dice: Random) -> tuple[Arrival, ...]:
    """Files in any order; few contents, so that the same bytes come at several times."""
    tables = dice.choice([("pupils",), ("marks",), ("pupils", "marks")])
    contents = {table: [rows_of(dice, _CODES[table]) for _ in range(4)] for table in tables}
    names = [(table, day, part) for table in tables for day in range(3) for part in (1, 2)]
    return tuple(
        Arrival(
            File(table, day, part, dice.choice(contents[table])),
            cut_first=dice.random() < 0.2,
            retract_after=dice.choice([None, None, None, 0, 1, 2]),
            replay_after=dice.random() < 0.3,
        )
        for table, day, part in dice.sample(names, dice.randint(2, 5))
    )


def rows_of(dice: Random, codes: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    row = (("100001", "100002"), ("a", "b"), codes)
    return tuple(
        (dice.choice(row[0]), dice.choice(row[1]), dice.choice(row[2]))
        for _ in range(dice.randint(1, 3))
    )


@contextmanager
def hub(folder: Path) -> Iterator[Landing]:
    with duckdb.connect(config={"threads": "1"}) as con:
        contracts = {FIXED.id: FIXED}
        feeds.create_empty_raw_tables(con, contracts)
        yield Landing(folder, contracts, con)


def load(landing: Landing, contract: feeds.Contract) -> list[feeds.DeliveryResult]:
    landing.contracts = {contract.id: contract}
    return landing.load()


def retract(landing: Landing, contract: feeds.Contract, file: File) -> None:
    entry = books.find_entry(landing.con, file.name)
    if entry.status != "retracted":
        replay.retract(landing.con, contract, entry, "A. Person", "sent by mistake")
    terms = Terms(known={contract.id: contract})
    assert_read(replay.reload_waiting(landing.con, landing.folder, contract, terms))


def replay_all(landing: Landing, contract: feeds.Contract) -> None:
    terms = Terms(known={contract.id: contract})
    assert_read(replay.replay(landing.con, landing.folder, contract, terms))


def assert_read(again: list[replay.Reloaded]) -> None:
    assert [one.error for one in again if one.error] == []


def assert_reconciled(landing: Landing) -> None:
    told = feeds.reconcile(landing.con, {FIXED.id: FIXED}).to_pylist()
    assert [row for row in told if not row["is_reconciled"]] == []


def content(landing: Landing) -> list[list[tuple[Any, ...]]]:
    return [sorted(landing.query(query), key=repr) for query in _EVERYTHING]


def rows_that_hold(files: list[File]) -> dict[str, set[tuple[str, str, str | None]]]:
    """School, pupil and code of each row that should stand, by the rules in plain words."""
    in_time = sorted(files, key=lambda f: (f.day, f.name))
    marks = {
        (school, pupil): code
        for file in in_time
        if file.table == "marks"
        for school, pupil, code in first_of_each_key(file, {"?"})
    }
    pupils: dict[str, tuple[int, dict[str, str | None]]] = {}
    for file in in_time:
        if file.table != "pupils":
            continue
        for school in {school for school, _, _ in file.rows}:
            day, there = pupils.get(school, (-1, {}))
            own = {
                p: None if code == "?" else code
                for s, p, code in first_of_each_key(file, set())
                if s == school
            }
            pupils[school] = (file.day, there | own if day == file.day else own)
    return {
        "marks": {(school, pupil, code) for (school, pupil), code in marks.items()},
        "pupils": {(s, p, code) for s, (_, there) in pupils.items() for p, code in there.items()},
    }


def first_of_each_key(file: File, bad: set[str]) -> list[tuple[str, str, str]]:
    good = [row for row in file.rows if row[2] not in bad]
    return [row for i, row in enumerate(good) if row[:2] not in {r[:2] for r in good[:i]}]


def meet(landing: Landing, arrivals: tuple[Arrival, ...], fixed_after: int) -> None:
    """All that happens on the way; the contract is mended after so many deliveries."""
    for place, arrival in enumerate(arrivals):
        contract = FIXED if place >= fixed_after else BROKEN
        take_in(landing, arrival, contract)
        for number, earlier in enumerate(arrivals[: place + 1]):
            if earlier.retract_after == place - number:
                retract(landing, contract, earlier.file)
        if arrival.replay_after:
            replay_all(landing, contract)
        assert_reconciled(landing)


def take_in(landing: Landing, arrival: Arrival, contract: feeds.Contract) -> None:
    file = arrival.file
    if arrival.cut_first:
        landing.file(FIXED.id, file.name, file.cut)
        assert [r.status for r in load(landing, contract)] == ["refused"]
    landing.file(FIXED.id, file.name, file.text)
    (result,) = load(landing, contract)
    assert result.status in {"loaded", "duplicate", "retracted"}


@pytest.mark.control("G01")
# Independent dice: hypothesis's own draws come so alike that few files overtake each other.
@given(st.integers(0, 2**32).map(Random))
def test_the_same_deliveries_end_in_the_same_warehouse_however_they_came(
    tmp_path_factory: pytest.TempPathFactory, dice: Random
) -> None:
    arrivals, fixed_after = arrivals_of(dice), dice.randint(0, 5)
    note(f"{arrivals}, the contract fixed after {fixed_after}")
    folder = tmp_path_factory.mktemp("any")
    with hub(folder / "met") as landing:
        meet(landing, arrivals, fixed_after)
        for arrival in (a for a in arrivals if a.retract_after is not None):
            retract(landing, FIXED, arrival.file)
        replay_all(landing, FIXED)
        assert load(landing, FIXED) == []
        assert_reconciled(landing)
        met, held = content(landing), {t: set(landing.query(q)) for t, q in _HELD.items()}
    gone = {a.file.text for a in arrivals if a.retract_after is not None}
    survivors = [a.file for a in arrivals if a.file.text not in gone]
    assert held == rows_that_hold(survivors)
    with hub(folder / "fresh") as landing:
        for file in survivors:
            landing.file(FIXED.id, file.name, file.text)
        load(landing, FIXED)
        assert_reconciled(landing)
        assert content(landing) == met


# ---- drops: a snapshot of several tables at once, of each case system by itself

_DROPS = (
    "SELECT * FROM raw.case_system__ssd_person",
    "SELECT * FROM identity.case_system__ssd_person",
    "SELECT * FROM raw.case_system__ssd_involvements",
    "SELECT delivery_id, table_name, file_name, delivered_at, scope, rows_delivered, rows_loaded,"
    " rows_quarantined, rows_superseded FROM meta.deliveries WHERE status = 'loaded'",
)


def _few_tables() -> feeds.Contract:
    told = CONTRACTS["case_system"].model_dump(by_alias=True, mode="json")
    told["schema"] = [t for t in told["schema"] if t["name"] in ("ssd_person", "ssd_involvements")]
    return feeds.Contract.model_validate(told)


CASES = _few_tables()


@dataclass(frozen=True)
class Drop:
    """A drop of one day. Two of equal people have equal manifests, and so are one delivery."""

    system: str
    day: int
    people: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"ssd_2026040{self.day + 1}_{self.system}"

    def deliver(self, landing: Landing) -> None:
        texts = {
            table.name: csv_text(
                table,
                [
                    sample_row(
                        CASES, table, 1, **{column: f"{column}{one}" for column in table.key}
                    )
                    | {table.record_key[0]: one}
                    for one in self.people
                ],
            )
            for table in CASES.tables
        }
        landing.drop(texts, self.name.removeprefix("ssd_"), case_system=self.system)


@contextmanager
def council(folder: Path) -> Iterator[Landing]:
    with duckdb.connect(config={"threads": "1"}) as con:
        contracts = {CASES.id: CASES}
        feeds.create_empty_raw_tables(con, contracts)
        yield Landing(folder, contracts, con)


def drops_of(dice: Random) -> list[Drop]:
    people = [tuple(sorted(dice.sample("abcd", dice.randint(1, 3)))) for _ in range(3)]
    places = [(system, day) for system in ("systemc", "mosaic") for day in range(3)]
    return [
        Drop(system, day, dice.choice(people))
        for system, day in dice.sample(places, dice.randint(2, 4))
    ]


@pytest.mark.control("G01")
@settings(max_examples=8)
@given(st.integers(0, 2**32).map(Random))
def test_drops_end_in_the_same_warehouse_however_they_came(
    tmp_path_factory: pytest.TempPathFactory, dice: Random
) -> None:
    drops = drops_of(dice)
    wrong = dice.choice([None, *drops])
    note(f"{drops}, retracted {wrong}")
    folder = tmp_path_factory.mktemp("drops")
    with council(folder / "met") as landing:
        for drop in drops:
            drop.deliver(landing)
            assert {r.status for r in landing.load()} <= {"loaded", "duplicate"}
        if wrong:
            entry = books.find_entry(landing.con, wrong.name)
            replay.retract(landing.con, CASES, entry, "A. Person", "the wrong extract")
            terms = Terms(known=landing.contracts)
            assert_read(replay.reload_waiting(landing.con, landing.folder, CASES, terms))
        assert landing.load() == []
        told = feeds.reconcile(landing.con, landing.contracts).to_pylist()
        assert [row for row in told if not row["is_reconciled"]] == []
        met = [sorted(landing.query(query), key=repr) for query in _DROPS]
    gone = (wrong.system, wrong.people) if wrong else None
    survivors = [d for d in drops if (d.system, d.people) != gone]
    newest = {d.system: set(d.people) for d in sorted(survivors, key=lambda d: d.day)}
    keys = {f"case_system|{system}|{one}" for system, people in newest.items() for one in people}
    assert {row[0] for row in met[0]} == keys
    with council(folder / "fresh") as landing:
        for drop in survivors:
            drop.deliver(landing)
        landing.load()
        assert [sorted(landing.query(query), key=repr) for query in _DROPS] == met
