"""Finds the ledger's events about a child, or of a user, without reading the whole ledger.

The index says for each reference at which byte of the ledger an event with it stands, for a release in
which of its tables the child was, and for each act or look of a user on which day it was. It is built
from the ledger alone, only ever as far as the newest
checkpoint, line by line with the chain of hashes checked, and remembers the head that it was built to: if
the ledger does not hold that head at that place any more, or the index does not open, it is thrown away and
built anew. Nothing is answered from it: an answer is read from the ledger's line, whose hash is checked
again. It holds references and places, encrypted under the key of what is made for look-ups.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import numpy as np
import pyarrow as pa

from ffp_data.serving import store
from ffp_data.settings import Home
from ffp_data.warehouse import attach, shared_engine
from governance.canonical import sha256_hex
from governance.ledger import EVENTS_FILE, Checkpoint, Ledger, LedgerDamagedError
from governance.ledger_lines import GENESIS, claimed_hash, last_line, parts_of
from governance.subject_lists import FOLDER, REFERENCE, read_list

_BATCH = 500_000
_TABLES = """
CREATE TABLE IF NOT EXISTS found (high UBIGINT, low UBIGINT, place BIGINT, number BIGINT, tables UBIGINT);
CREATE TABLE IF NOT EXISTS releases (place BIGINT, number BIGINT);
CREATE TABLE IF NOT EXISTS runs (run_id VARCHAR, number BIGINT);
CREATE TABLE IF NOT EXISTS looks (who VARCHAR, day VARCHAR, place BIGINT, number BIGINT);
CREATE TABLE IF NOT EXISTS built (count BIGINT, size BIGINT, head VARCHAR);
"""
_NAMES = ("found", "releases", "runs", "looks", "built")
_NUMBERS = count(1)
"""Each opening has a name of its own in the engine, since other homes' indexes may be open in it."""


@dataclass(frozen=True)
class Found:
    """An event about a reference; ``tables``: a bit for each table of a release, in the list's order."""

    reference: str
    place: int
    number: int
    tables: int


class DisclosureIndex:
    """The index of one home's ledger; one process at a time works with it."""

    def __init__(self, home: Home, ledger: Ledger) -> None:
        """Nothing is opened yet."""
        self._home, self._ledger = home, ledger
        self._folder = home.serving / "disclosures"
        self._file = self._folder / "index.duckdb"

    @contextmanager
    def opened(self) -> Iterator[Answers]:
        """The index as of the newest checkpoint. Raises LedgerDamagedError, SubjectListError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / ".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self._connected() as con:
                newest = self._ledger.last_checkpoint()
                if newest is not None:
                    _Builder(con, self._ledger).build_to(newest)
                yield Answers(con, self._ledger, newest)

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        con, name = shared_engine().cursor(), f"index_{next(_NUMBERS)}"
        try:
            self._attach(con, name)
            con.execute(f"USE {name}")
            is_whole = len(_present(con)) == len(_NAMES)  # else it is new, or of an older version
            con.execute(_TABLES)
            if not is_whole or not _agrees(con, self._ledger):
                for table in _NAMES:
                    con.execute(f"DELETE FROM {table}")
            yield con
        finally:
            con.close()  # with it goes what was begun and not committed
            with closing(shared_engine().cursor()) as other:
                other.execute(f"DETACH DATABASE IF EXISTS {name}")

    def _attach(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        key = store.key_of(self._home)
        try:
            attach(con, self._file, name, key)
        except (duckdb.Error, ValueError):  # cut, of another version or under a former key
            for path in self._folder.glob(f"{self._file.name}*"):
                path.unlink()
            attach(con, self._file, name, key)
        self._file.chmod(0o600)


def _present(con: duckdb.DuckDBPyConnection) -> set[str]:
    rows = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
    )
    return {name for (name,) in rows.fetchall()}


def _agrees(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> bool:
    """Whether the ledger still holds the head that the index was built to."""
    built = con.execute("SELECT size, head FROM built").fetchone()
    if built is None:
        return True
    with _events_file(ledger).open("rb") as handle:
        return bool(claimed_hash(last_line(handle, built[0])) == built[1])


@dataclass
class _Rows:
    """Entries that are not in the index yet."""

    found: list[tuple[bytes, int, int]] = field(default_factory=list)
    lists: list[pa.Table] = field(default_factory=list)
    releases: list[tuple[int, int]] = field(default_factory=list)
    runs: list[tuple[str, int]] = field(default_factory=list)
    looks: list[tuple[str, str, int, int]] = field(default_factory=list)


class _Builder:
    """Adds the events of the ledger from where the index ends to a checkpoint, in one transaction."""

    def __init__(self, con: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
        self._con, self._ledger, self._rows = con, ledger, _Rows()

    def build_to(self, newest: Checkpoint) -> None:
        built = self._con.execute("SELECT count, size, head FROM built").fetchone()
        count, place, head = built or (0, 0, GENESIS)
        if count == newest.count:
            return
        self._con.begin()
        with _events_file(self._ledger).open("rb") as handle:
            handle.seek(place)
            while place < newest.size:
                line = handle.readline()
                count, head = count + 1, _chained(line, head, count + 1)
                self._add(line, place)
                place += len(line)
        if (place, head) != (newest.size, newest.head):
            self._con.rollback()
            raise LedgerDamagedError(
                f"{_events_file(self._ledger)}: does not end as its checkpoint says; run: ffp ledger verify"
            )
        self._flush()
        self._con.execute("DELETE FROM built")
        self._con.execute("INSERT INTO built VALUES (?, ?, ?)", [count, place, head])
        self._con.commit()

    def _add(self, line: bytes, place: int) -> None:
        event = self._ledger.opened(json.loads(line)["event"])
        kind, number, facts = event["kind"], event["number"], event["facts"]
        rows = self._rows
        for reference in facts.get("subjects") or ():
            rows.found.append((bytes.fromhex(reference), place, number))
        if kind == "released":
            rows.releases.append((place, number))
            if said := facts.get("subject_list"):
                self._add_list(said, place, number)
        if kind == "identifiers_assigned":
            rows.runs.append((facts["run_id"], number))
        if who := facts.get("who"):
            rows.looks.append((who, time_of(event)[:10], place, number))
        if len(rows.looks) + len(rows.found) + sum(each.num_rows for each in rows.lists) >= _BATCH:
            self._flush()

    def _add_list(self, said: Mapping[str, Any], place: int, number: int) -> None:
        table = read_list(self._ledger.directory / FOLDER, said)
        bits = np.zeros(table.num_rows, np.uint64)
        for bit, relation in enumerate(table.column_names[1:]):
            bits |= table[relation].to_numpy().astype(np.uint64) << np.uint64(bit)
        raw = b"".join(table[REFERENCE].to_pylist())
        self._rows.lists.append(_table(raw, place, number, bits))

    def _flush(self) -> None:
        rows = self._rows
        raw = b"".join(reference for reference, _, _ in rows.found)
        places = np.array([place for _, place, _ in rows.found], np.int64)
        numbers = np.array([number for _, _, number in rows.found], np.int64)
        reads = _table(raw, places, numbers, np.zeros(len(rows.found), np.uint64))
        for name, table in (
            ("looks", _looks(rows.looks)),
            *(("found", t) for t in (reads, *rows.lists)),
        ):
            self._con.register("rows_in", table)
            self._con.execute(f"INSERT INTO {name} SELECT * FROM rows_in")
            self._con.unregister("rows_in")
        for name, listed in (("releases", rows.releases), ("runs", rows.runs)):
            if listed:
                self._con.executemany(f"INSERT INTO {name} VALUES (?, ?)", listed)
        self._rows = _Rows()


def time_of(event: Mapping[str, Any]) -> str:
    """When it was: a look may have waited in a journal before it came into the ledger."""
    return str(event["facts"].get("read_at") or event["at"])


def _looks(found: Sequence[tuple[str, str, int, int]]) -> pa.Table:
    columns = [list(each) for each in zip(*found, strict=True)] or [[], [], [], []]
    kinds = (pa.string(), pa.string(), pa.int64(), pa.int64())
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    return pa.table(arrays, ["who", "day", "place", "number"])


def _table(raw: bytes, place: Any, number: Any, tables: Any) -> pa.Table:
    """Entries of references that stand one after the other in ``raw``."""
    halves = np.frombuffer(raw, ">u8").reshape(-1, 2).astype(np.uint64)
    every = np.ones(len(halves), np.int64)
    return pa.table(
        {
            "high": halves[:, 0],
            "low": halves[:, 1],
            "place": every * place,
            "number": every * number,
            "tables": tables,
        }
    )


def _chained(line: bytes, head: str, number: int) -> str:
    """The hash of a line that follows ``head``. Raises LedgerDamagedError."""
    parts = parts_of(line)
    if parts is None or parts[2] != head or sha256_hex(head.encode() + parts[0]) != parts[1]:
        raise LedgerDamagedError(
            f"event {number} of the ledger was changed; run: ffp ledger verify"
        )
    return parts[1]


@dataclass(frozen=True)
class Looks:
    """Which looks are wanted: of a user, between two days (ISO, both included), among events; a page of them."""

    who: str | None = None
    since: str = ""
    until: str = ""
    numbers: Sequence[int] | None = None
    most: int = 50
    after: int = 0


@dataclass(frozen=True)
class Answers:
    """What the index finds, read from the ledger. ``newest``: how far the answer goes."""

    con: duckdb.DuckDBPyConnection
    ledger: Ledger
    newest: Checkpoint | None

    def about(self, references: Sequence[str]) -> list[Found]:
        """Every event about any of these references, in the ledger's order."""
        wanted = [(each, *_halves(each)) for each in references]
        listed = pa.table(
            {
                "reference": pa.array([each for each, _, _ in wanted], pa.string()),
                "high": pa.array([high for _, high, _ in wanted], pa.uint64()),
                "low": pa.array([low for _, _, low in wanted], pa.uint64()),
            }
        )
        self.con.register("wanted", listed)
        rows = self.con.execute(
            "SELECT DISTINCT reference, place, number, tables FROM found JOIN wanted USING (high, low)"
            " ORDER BY number, reference"
        ).fetchall()
        self.con.unregister("wanted")
        return [Found(*row) for row in rows]

    def looks(self, wanted: Looks) -> tuple[int, list[int]]:
        """How many looks there are of a kind, and the places of one page of them, the newest first."""
        where, values = ["true"], list[object]()
        if wanted.who is not None:
            where, values = [*where, "who = ?"], [*values, wanted.who]
        if wanted.since:
            where, values = [*where, "day >= ?"], [*values, wanted.since]
        if wanted.until:
            where, values = [*where, "day <= ?"], [*values, wanted.until]
        if wanted.numbers is not None:
            self.con.register("among", pa.table({"number": pa.array(wanted.numbers, pa.int64())}))
            where.append("number IN (SELECT number FROM among)")
        body = f"FROM looks WHERE {' AND '.join(where)}"
        (count,) = self.con.execute(f"SELECT count(*) {body}", values).fetchone() or (0,)
        page = f"SELECT place {body} ORDER BY number DESC LIMIT {wanted.most:d} OFFSET {wanted.after:d}"
        return count, [place for (place,) in self.con.execute(page, values).fetchall()]

    def users(self) -> list[str]:
        """Everybody who ever looked or acted, by the name that the ledger has."""
        return [
            who
            for (who,) in self.con.execute("SELECT DISTINCT who FROM looks ORDER BY who").fetchall()
        ]

    def releases(self) -> Iterator[dict[str, Any]]:
        """Every release's event, oldest first."""
        places = self.con.execute("SELECT place FROM releases ORDER BY number").fetchall()
        return self.events(place for (place,) in places)

    def run_numbers(self) -> dict[str, int]:
        """The event by which each run told that identifiers were assigned."""
        rows = self.con.execute("SELECT run_id, max(number) FROM runs GROUP BY run_id").fetchall()
        return dict(rows)

    def events(self, places: Iterator[int]) -> Iterator[dict[str, Any]]:
        """The events at these places, each checked against the hash of its line."""
        with _events_file(self.ledger).open("rb") as handle:
            for place in places:
                yield _event_at(handle, place, self.ledger)


def _event_at(handle: BinaryIO, place: int, ledger: Ledger) -> dict[str, Any]:
    handle.seek(place)
    parts = parts_of(line := handle.readline())
    if parts is None or sha256_hex(parts[2].encode() + parts[0]) != parts[1]:
        raise LedgerDamagedError(
            f"a line of the ledger was changed (byte {place}); run: ffp ledger verify"
        )
    return ledger.opened(json.loads(line)["event"])


def _halves(reference: str) -> tuple[int, int]:
    return int(reference[:16], 16), int(reference[16:], 16)


def _events_file(ledger: Ledger) -> Path:
    return ledger.directory / EVENTS_FILE
