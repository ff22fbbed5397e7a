"""Kills whole runs with SIGKILL, from the first feed to the last extract, and compares what the next run makes.

    python -m benchmarks.hub.kill_pipeline --kills 20 --children 60

Each trial gets a copy of a home with keys and a landing folder, and no run. A process runs the whole graph on it and
is killed at a random moment; a second one takes the lease over and runs it again. Then the hub (each table),
the tables of the single view and of the returns, and every released file must be those of a run that nobody
disturbed. Identifiers are drawn from a seed, so that equal means equal. Imports are done once, before
the processes fork, so that a trial costs a run and not a start. `--json` writes the figures to
benchmarks/results.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

import assets.definitions  # noqa: F401 - once, before the processes fork
from assets.execute import run_whole_graph
from benchmarks.hub.kill_nine import in_a_process, picture
from ffp_data.cli.run import prepare_home
from ffp_data.home.run import leased
from ffp_data.hub import child_id
from ffp_data.hub.database import create_engine
from ffp_data.hub.models import Lease, Run
from ffp_data.settings import Home, make_demonstration
from ffp_data.synthetic import synthesise
from ffp_data.warehouse import connect
from governance.keys import KeyStore

RESULTS = Path(__file__).parents[1] / "results" / "kill_pipeline.json"
RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # differs between runs, and may
AS_AT = date(2026, 3, 31)
Findings = Mapping[str, str]


def prepare(folder: Path, children: int) -> None:
    """A partnership's deliveries, and a home with keys and settings, before its first run."""
    synthesise(folder / "partnership", children=children, seed=7, as_at=AS_AT)
    home = prepare_home(Home(folder / "home"), None)
    make_demonstration(home)
    KeyStore(home.keys_dir)


def run_graph(home: Path, landing: Path) -> None:
    """The whole graph on a home, in this process, with identifiers from a seed."""
    child_id.secrets = SimpleNamespace(randbits=random.Random(7).getrandbits)
    os.environ |= {"DAGSTER_HOME": str(home / "dagster"), "FFP_HOME": str(home)}
    words = os.open(home / "scratch" / "killed.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(words, 1)
    os.dup2(words, 2)
    run_id = str(uuid4())
    with leased(Home(home), run_id, wait=60):
        outcome = run_whole_graph(home, landing, AS_AT, lambda *_: None, run_id=run_id)
    if not outcome.succeeded:
        raise RuntimeError(outcome.failures)


def findings(home: Home) -> Findings:
    """A digest of each table of the hub and of what people see, and of each released file."""
    found = {f"hub.{name}": digest for name, digest in picture(home.hub_url).items()}
    with connect(home, read_only=True) as con:
        tables = con.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
            "WHERE database_name = current_database() "
            "AND schema_name IN ('identity', 'single_view', 'returns', 'timeliness')"
        ).fetchall()
        for (table,) in tables:
            rows = con.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            text = RUN_ID.sub("run", repr(rows))
            found[table] = hashlib.sha256(text.encode()).hexdigest()
    for file in sorted(path for path in home.out.rglob("*") if path.is_file()):
        found[str(file.relative_to(home.root))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def trial(folder: Path, seconds: float | None) -> tuple[str, Findings, float]:
    """A copy of the home, a run killed after so many seconds, and a run to the end; where it was killed."""
    home, landing = Home(folder / "trial"), folder / "partnership" / "landing"
    shutil.copytree(folder / "home", home.root)
    reached = "not at all"
    started = time.monotonic()
    if seconds is not None:
        status = in_a_process(lambda: run_graph(home.root, landing), seconds)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
        reached = _reached(home)
    ended = os.waitstatus_to_exitcode(in_a_process(lambda: run_graph(home.root, landing)))
    assert ended == 0, (home.scratch / "killed.log").read_text("utf-8")[-3000:]
    took = time.monotonic() - started
    found = findings(home)
    shutil.rmtree(home.root)
    return reached, found, took


def _reached(home: Home) -> str:
    """How far a run had come: before its lease, before or after its commit in the hub, or to the end."""
    engine = create_engine(home.hub_url)
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(Lease.__tablename__):
            return "before the lease"
        leases = connection.execute(sa.select(Lease.ended_at)).all()
        is_applied = connection.scalar(sa.select(Run.seq)) is not None
    engine.dispose()
    if not leases:
        return "before the lease"
    if leases[0].ended_at is not None:
        return "after the end"
    return "after the hub's commit" if is_applied else "before the hub's commit"


def trials(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Kill at random moments; what was killed where. Raises AssertionError at the first difference."""
    _, expected, seconds = trial(folder, None)
    _, again, seconds = trial(folder, None)
    assert again == expected, f"two undisturbed runs differ: {_differing(again, expected)}"
    dice = random.Random(seed)
    killed: Counter[str] = Counter()
    for number in range(kills):
        after = dice.uniform(0, seconds)
        reached, found, _ = trial(folder, after)
        assert found == expected, f"killed after {after:.3f} s: {_differing(found, expected)}"
        killed[reached] += 1
        print(f"{number + 1:4} killed after {after:6.2f} s, {reached}: the same", flush=True)
    return {
        "random moments": dict(killed),
        "seconds of a run": round(seconds, 2),
        "tables and files compared": len(expected),
    }


def _differing(one: Findings, other: Findings) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--children", type=int, default=60)
    options.add_argument("--seed", type=int, default=9)
    options.add_argument("--json", action="store_true", help=f"write {RESULTS.name}")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), asked.children)
        found = trials(Path(folder), asked.kills, asked.seed)
    print(json.dumps(found, indent=2))
    if asked.json:
        RESULTS.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
