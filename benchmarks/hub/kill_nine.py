"""Kills a run of the hub with SIGKILL, again and again, and looks whether anybody could tell.

    python -m benchmarks.hub.kill_nine --kills 200        # SQLite and PostgreSQL, about four minutes

A hub of invented records has three runs and two decisions behind it. A copy of it gets a fourth run, in
a process of its own that is killed: before and after each SQL statement and each commit, and then at
random moments. A second process takes the lease over and makes the run again. What the hub then holds
(export, events, every table) must be, byte for byte, what the undisturbed run left in another copy.
Identifiers are drawn from a seed here, so that equal means equal; the lease alone may differ, and must
tell of the takeover. `--json` writes the figures to benchmarks/results.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from benchmarks.hub import postgres
from ffp_data.hub import Hub, Verdict, deciding, lease, review_items
from ffp_data.hub.child_id import from_bits
from ffp_data.hub.database import create_engine, writing
from ffp_data.hub.models import Base, Lease, Run
from ffp_data.hub.review import Act
from ffp_data.hub.review_items import Wanted

RESULTS = Path(__file__).parents[1] / "results" / "kill_nine.json"
RECORDS = 400
END = "after the end"
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


# The story: what the hub went through before, and the run that is killed.


def clusters(month: int) -> pa.Table:
    """Linkage's clusters of a month: some people merge, split or swap a record, some are new."""
    dice = random.Random(month)
    known = RECORDS + 25 * month
    cluster = {n: n // 3 for n in range(known)}
    for n in dice.sample(range(known), k=known // 8):
        cluster[n] = dice.randrange(known // 3)
    return pa.table(
        {
            "record_id": [f"r{n:05}" for n in cluster],
            "cluster_id": [f"c{c}" for c in cluster.values()],
        }
    )


def apply(hub: Hub, month: int) -> None:
    """The run of a month; the same identifiers are drawn each time that it is made."""
    day = date(2026, month, 28)
    hub.apply_run(f"month-{month}", day, "model-1", clusters(month), allow_large_change=True)


def seeded_hub(url: str, month: int, token: int | None = None) -> Hub:
    bits = random.Random(month).getrandbits
    return Hub.open(url, lambda: from_bits(bits), token)


def tell_the_past(url: str) -> None:
    """Three months and two decisions that bind the fourth."""
    for month in (1, 2, 3):
        with seeded_hub(url, month) as hub:
            apply(hub, month)
    decided = {("r00001", "r00100"): Verdict.SAME, ("r00003", "r00004"): Verdict.NOT_SAME}
    wanted = [Wanted(*pair, ("asked",), 1, "evidence") for pair in decided]
    act = Act("r", "papers seen", NOON)
    engine = create_engine(url)
    with writing(engine) as connection:
        for pair, item in review_items.publish(connection, wanted, NOON).items():
            review_items.write_blind(connection, item.item_id, decided[pair], act)
            review_items.write_final(connection, item.item_id, decided[pair], act)
            deciding.decide(connection, item.item_id, act)
    engine.dispose()


def take_the_run(url: str, lease_of: str) -> None:
    """What a process of a run does in the hub: lease, run, and the lease back."""
    with lease.hold(url, lease_of, wait=30) as held, seeded_hub(url, 4, held.token) as hub:
        apply(hub, 4)


# Databases: one that holds the past, and a copy of it for each kill.


class Bench(Protocol):
    """Copies of a hub that holds the past."""

    def copy(self) -> str: ...

    def drop(self, url: str) -> None: ...


class Sqlite:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        tell_the_past(f"sqlite:///{folder / 'past.db'}")

    def copy(self) -> str:
        self.number += 1
        shutil.copy(self.folder / "past.db", self.folder / f"{self.number}.db")
        return f"sqlite:///{self.folder / f'{self.number}.db'}"

    def drop(self, url: str) -> None:
        for file in self.folder.glob(f"{Path(url).name}*"):
            file.unlink()


class Postgres:
    def __init__(self, server: str) -> None:
        self.server = sa.engine.make_url(server)
        self.number = 0
        self.past = f"past_{uuid4().hex}"
        self._execute(f"CREATE DATABASE {self.past}")
        tell_the_past(self._url(self.past))

    def copy(self) -> str:
        self.number += 1
        name = f"{self.past}_{self.number}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {self.past}")
        return self._url(name)

    def drop(self, url: str) -> None:
        self._execute(f"DROP DATABASE {sa.engine.make_url(url).database} WITH (FORCE)")

    def _url(self, database: str) -> str:
        return self.server.set(database=database).render_as_string(hide_password=False)

    def _execute(self, sql: str) -> None:
        engine = sa.create_engine(self.server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(sql)
        engine.dispose()


# Killing: a child process runs, and dies at a moment.


def in_a_process(work: Callable[[], None], kill_after: float | None = None) -> int:
    """Fork, work, and perhaps kill; the child's wait status comes back."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def at_each_point(step: Callable[[], None]) -> None:
    """Call `step` before and after each statement and commit of every engine, from now on."""
    for moment in ("before_cursor_execute", "after_cursor_execute"):
        sa.event.listen(sa.engine.Engine, moment, lambda *_: step())
    for dialect in (PGDialect_psycopg2, SQLiteDialect_pysqlite):
        dialect.do_commit = _told(dialect.do_commit, step)


def _told(commit: Callable[[Any, Any], None], step: Callable[[], None]) -> Any:
    def committing(dialect: Any, connection: Any) -> None:
        step()
        commit(dialect, connection)
        step()

    return committing


def dies_at(point: int) -> Callable[[], None]:
    """A step that ends the process when it is taken for the point-th time, counted from 0."""
    left = iter(range(point))

    def step() -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


# Looking: what a hub holds, apart from the numbers that a database may skip.


BY_THE_CLOCK = {"opened_at", "closed_at"}
"""When a question for reviewers was put and taken back: the one thing that a run takes from the clock."""


def picture(url: str) -> dict[str, str]:
    """A digest of the export and of each table; rows of a run tell which one it was, by its place."""
    engine = create_engine(url)
    with Hub(engine) as hub, engine.connect() as connection:
        runs = dict(connection.execute(sa.select(Run.seq, Run.run_id).order_by(Run.seq)).all())
        shown = {"export": hub.membership().select(["record_key", "child_id"]).to_pylist()}
        for table in Base.metadata.sorted_tables:
            if table.name != Lease.__tablename__:
                shown[table.name] = list(_rows(connection, table, runs))
    return {name: _digest(rows, runs.values()) for name, rows in shown.items()}


def _rows(
    connection: sa.Connection, table: sa.Table, runs: dict[int, str]
) -> Iterator[dict[str, Any]]:
    is_number = isinstance(next(iter(table.primary_key)).type, sa.Integer)
    order = list(table.primary_key)
    for row in connection.execute(sa.select(table).order_by(*order)).mappings():
        told = {
            column.name: runs[row[column]] if row[column] and _is_run(column) else row[column]
            for column in table.columns
            if not (is_number and column.primary_key) and column.name not in BY_THE_CLOCK
        }
        yield told


def _is_run(column: sa.Column[Any]) -> bool:
    return any(key.column is Run.__table__.c.seq for key in column.foreign_keys)


def _digest(rows: list[Any], run_ids: Iterable[str]) -> str:
    text = json.dumps(rows, default=str, sort_keys=True)
    for place, run_id in enumerate(run_ids):
        text = text.replace(run_id, f"run {place}")
    return hashlib.sha256(text.encode()).hexdigest()


# The trials.


@dataclass(frozen=True)
class Undisturbed:
    """The run as it is when nobody kills it: what it leaves, and its seconds."""

    picture: dict[str, str]
    seconds: float


def undisturbed(bench: Bench) -> Undisturbed:
    with copy_of(bench) as url:
        started = time.monotonic()
        assert os.waitstatus_to_exitcode(in_a_process(lambda: take_the_run(url, "first"))) == 0
        seconds = time.monotonic() - started
        return Undisturbed(picture(url), seconds)


@contextmanager
def copy_of(bench: Bench) -> Iterator[str]:
    url = bench.copy()
    try:
        yield url
    finally:
        bench.drop(url)


def kill_at_points(bench: Bench, expected: Undisturbed, every: int = 1) -> Iterator[str]:
    """Kill a run at each of its points, or at every n-th, until one comes to its end."""
    for point in count(step=every):
        with copy_of(bench) as url:

            def work(url: str = url, point: int = point) -> None:
                at_each_point(dies_at(point))
                take_the_run(url, "killed")

            status = in_a_process(work)
            yield _finish(url, status, expected)
        if status == 0:
            return


def kill_after(bench: Bench, expected: Undisturbed, seconds: float) -> str:
    with copy_of(bench) as url:
        status = in_a_process(lambda: take_the_run(url, "killed"), seconds)
        return _finish(url, status, expected)


def _finish(url: str, status: int, expected: Undisturbed) -> str:
    """Make the run again in a second process; how far the first had come, in a word.

    Raises AssertionError when anything but the lease tells that there were two.
    """
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    reached = _reached(url)
    assert os.waitstatus_to_exitcode(in_a_process(lambda: take_the_run(url, "second"))) == 0
    found = picture(url)
    assert found == expected.picture, [n for n in found if found[n] != expected.picture[n]]
    return reached


def _reached(url: str) -> str:
    engine = create_engine(url)
    with engine.connect() as connection:
        is_applied = connection.scalar(sa.select(Run.seq).where(Run.run_id == "month-4"))
        leases = connection.execute(sa.select(Lease.ended_at)).all()
    engine.dispose()
    if not leases:
        return "before the lease"
    if not is_applied:
        return "before the run's commit"
    return "after the run's commit" if leases[-1].ended_at is None else END


def trials(bench: Bench, kills: int, seed: int = 9) -> dict[str, Any]:
    """Kill at every point and at `kills` random moments; what was killed where, by count."""
    expected = undisturbed(bench)
    dice = random.Random(seed)
    points = Counter(kill_at_points(bench, expected))
    moments: Counter[str] = Counter()
    while moments.total() < kills:
        reached = kill_after(bench, expected, dice.uniform(0, expected.seconds))
        moments.update([reached] if reached != END else [])  # that one was quicker than its killer
    return {
        "points": dict(points),
        "random moments": dict(moments),
        "seconds of the run": round(expected.seconds, 3),
        "export": expected.picture["export"][:16],
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--kills", type=int, default=200, help="random moments on each database")
    options.add_argument("--seed", type=int, default=9)
    options.add_argument("--json", action="store_true", help=f"write {RESULTS.name}")
    asked = options.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder, postgres.server() as server:
        for bench in (Sqlite(Path(folder)), Postgres(server)):
            name = type(bench).__name__.lower()
            found[name] = trials(bench, asked.kills, asked.seed)
            print(name, json.dumps(found[name], indent=2), flush=True)
    if asked.json:
        RESULTS.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
