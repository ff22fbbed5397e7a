"""Look-ups while a run writes: how long people and systems wait, with 300,000 records.

    python benchmarks/hub/lookups.py                       300,000 records, 8 readers, a minute at least
    python benchmarks/hub/lookups.py --records 3000 --seconds 10
    python benchmarks/hub/lookups.py --run-in /sys/fs/cgroup/cpu/run     the runs in a control group of their own

A home is made as a run leaves it (benchmarks/hub/home.py). Then `ffp api` serves it in a process of its own;
readers, each a process with one connection, ask at a set pace (half of them by identifier, half by what is
known of a child, with slips of the pen), and every read is ledgered. Meanwhile another process makes one
daily run after another, as `ffp run --background` does: 5,000 records change, all are linked, the hub assigns, a
snapshot is published, and the service changes over. Counted are the times that readers saw, errors, and
whether the ledger holds exactly the reads that were answered. The result goes to benchmarks/results/hub_lookups.json.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.hub.home import FIRST, make_run, synthetic_records  # noqa: E402
from benchmarks.hub.machine import machine  # noqa: E402
from ffp_data.access import Access  # noqa: E402
from ffp_data.priority import give_way  # noqa: E402
from ffp_data.serving import load  # noqa: E402
from ffp_data.settings import Home  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "hub_lookups.json"
LIMITS = {"resolve": 5.0, "identify": 50.0}  # milliseconds at the 95th percentile
CHANGED = 5_000
CHANGING_OVER = (
    10  # seconds in which the service loads the last snapshot, and is asked all the same
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass
class Asked:
    """What one reader saw: milliseconds by kind, errors, and how late it was by its own pace."""

    times: dict[str, list[float]] = field(default_factory=lambda: {k: [] for k in LIMITS})
    errors: list[str] = field(default_factory=list)
    missed: int = 0


def questions(people: pa.Table, number: int, seed: int) -> list[tuple[str, Any]]:
    """Identifiers to resolve and what is known of children, by turns."""
    rng = Random(seed)
    picked = people.take([rng.randrange(len(people)) for _ in range(number)]).to_pylist()
    asked: list[tuple[str, Any]] = []
    for person in picked:
        asked.append(("resolve", person["child_id"]))
        known = {
            "given_name": person["given_name"], "family_name": person["surname"],
            "birth_date": str(person["date_of_birth"]), "postcode": person["postcode"],
        }  # fmt: skip
        if person["date_of_birth"] and person["given_name"] and person["surname"]:
            asked.append(("identify", {k: v for k, v in _slipped(known, rng).items() if v}))
    return asked


def _slipped(known: dict[str, Any], rng: Random) -> dict[str, Any]:
    """As somebody types it: every third time with a wrong letter, every fifth without a postcode."""
    if rng.random() < 1 / 3:
        name = known["family_name"]
        at = rng.randrange(len(name))
        known["family_name"] = name[:at] + rng.choice(_LETTERS) + name[at + 1 :]
    if rng.random() < 1 / 5:
        known["postcode"] = None
    return known


class Connection:
    """One connection on which questions that are ready to be sent go one after another.

    A bare socket: an HTTP library of Python's takes as long as the service to write and to read them.
    """

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"

    def written(self, kind: str, what: Any) -> bytes:
        """A question as it is sent."""
        if kind == "resolve":
            return f"GET /resolve/{what} HTTP/1.1\r\n{self._host}\r\n".encode()
        body = json.dumps(what)
        about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"POST /identify HTTP/1.1\r\n{self._host}{about}\r\n{body}".encode()

    def ask(self, question: bytes) -> tuple[bytes, bytes]:
        """The head of the answer and its body, once the last byte is there."""
        self._socket.sendall(question)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._received()
        head, _, body = got.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(maxsplit=1)[0])
        while len(body) < length:
            body += self._received()
        return head, body

    def _received(self) -> bytes:
        part = self._socket.recv(65536)
        if not part:
            raise ConnectionError("the service closed the connection")
        return part


def read(
    port: int, token: str, asked: list[tuple[str, Any]], pace: float, stop: Event, out: Any
) -> None:
    """One reader: ask at the pace, note how long each answer took from the first byte sent to the last received."""
    connection = Connection(port, token)
    questions = [(kind, connection.written(kind, what)) for kind, what in asked]
    seen, number, begin = Asked(), 0, time.perf_counter()
    while not stop.is_set():
        kind, question = questions[number % len(questions)]
        number += 1
        due = begin + number / pace
        if (wait := due - time.perf_counter()) > 0:
            time.sleep(wait)
        started = time.perf_counter()
        head, body = connection.ask(question)
        seen.times[kind].append((time.perf_counter() - started) * 1000)
        if not head.startswith(b"HTTP/1.1 200 "):
            seen.errors.append(f"{kind} {head[:40]!r} {body[:200]!r}")
        seen.missed += time.perf_counter() > due + 1 / pace
    out.put(seen)


def write(root: Path, rows: pa.Table, seed: int, stop: Event, out: Any, group: Path | None) -> None:
    """Daily runs, one after another, until it is enough; with less claim to the cores than answers have."""
    if group:
        (group / "cgroup.procs").write_text(str(os.getpid()))
    give_way()
    runs: list[float] = []
    rng = Random(seed)
    while not stop.is_set():
        started = time.perf_counter()
        rows = _a_day_later(rows, rng)
        day = FIRST + timedelta(days=len(runs) + 1)
        make_run(root, rows, f"day {len(runs) + 1}", day)
        runs.append(round(time.perf_counter() - started, 1))
    out.put(runs)


def _a_day_later(rows: pa.Table, rng: Random) -> pa.Table:
    """Some records with another postcode, as after a move."""
    postcodes = rows["postcode"].to_pylist()
    for at in rng.sample(range(len(postcodes)), min(CHANGED, len(postcodes) // 10)):
        postcodes[at] = f"XG{rng.randrange(1, 99)} {rng.randrange(1, 9)}ZZ"
    at = rows.column_names.index("postcode")
    return rows.set_column(at, "postcode", pa.array(postcodes, pa.string()))


@contextmanager
def served(home: Home) -> Iterator[int]:
    """`ffp api` on a free port; gives the port."""
    log = home.scratch / "api.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "ffp_data", "api", "--home", str(home.root), "--port", "0"],
            stderr=file, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        try:
            yield _port(log, process)
        finally:
            process.terminate()
            process.wait()


def _port(log: Path, process: subprocess.Popen[bytes]) -> int:
    sign = "http://127.0.0.1:"
    while process.poll() is None:
        if sign in (text := log.read_text()):
            port = int(text.split(sign)[1].split()[0])
            _wait_until_loaded(port)
            return port
        time.sleep(0.1)
    raise RuntimeError(f"the service did not start: {log.read_text()[-500:]}")


def _wait_until_loaded(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", "/healthz")
    connection.getresponse().read()


def measure(home: Home, rows: pa.Table, options: argparse.Namespace) -> dict[str, Any]:
    """Readers and a writer side by side."""
    access = Access(home)
    token = access.tokens.make("readers", "service", access.roles, timedelta(days=1))
    before = sum(1 for e in access.ledger.events() if e["kind"] == "read")
    people = load(home).people
    asked = [questions(people, 500, number) for number in range(options.readers)]
    spawn = multiprocessing.get_context("spawn")
    enough, stop, seen, runs = spawn.Event(), spawn.Event(), spawn.Queue(), spawn.Queue()
    with served(home) as port:
        processes = [
            spawn.Process(target=read, args=(port, token, each, options.pace, stop, seen))
            for each in asked
        ]
        writer = spawn.Process(
            target=write, args=(home.root, rows, 7, enough, runs, options.run_in)
        )
        for process in (*processes, writer):
            process.start()
        time.sleep(options.seconds)
        enough.set()
        made = runs.get(timeout=3600)  # the run that is under way is finished
        time.sleep(CHANGING_OVER)
        stop.set()
        found = [seen.get() for _ in processes]
        for process in (*processes, writer):
            process.join()
    return _result(found, made, access, before)


def _result(found: list[Asked], made: list[float], access: Access, before: int) -> dict[str, Any]:
    times = {kind: np.concatenate([f.times[kind] for f in found]) for kind in LIMITS}
    asked = sum(map(len, times.values()))
    ledgered = sum(1 for e in access.ledger.events() if e["kind"] == "read") - before
    return {
        "milliseconds": {
            kind: {
                "asked": len(each),
                **{f"p{p}": round(float(np.percentile(each, p)), 2) for p in (50, 95, 99, 100)},
            }
            for kind, each in times.items()
        },
        "errors": sum(len(f.errors) for f in found),
        "first_errors": [e for f in found for e in f.errors][:3],
        "later_than_their_pace": sum(f.missed for f in found),
        "runs_meanwhile_seconds": made,  # from start to the published snapshot
        "answered_and_ledgered": [asked, ledgered],
        "ledger_problems": len(access.ledger.verify()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--pace", type=float, default=4.0, help="questions a second of each reader")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument(
        "--home", type=Path, help="make the home there and keep it, or use the one that is"
    )
    parser.add_argument(
        "--run-in", type=Path, metavar="GROUP", help="a control group that the runs move into"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    where = machine()
    with tempfile.TemporaryDirectory() as name:
        made, rows = _home(options.home or Path(name) / "made", options.records)
        own = Home.at(Path(name) / "own")  # the runs of the measurement change it
        shutil.copytree(made.root, own.root)
        result = measure(own, rows, options)
    result |= {
        "machine": where, "records": rows.num_rows, "readers": options.readers,
        "run_in_own_group": options.run_in is not None,
        "questions_a_second_of_each": options.pace, "limits_p95": LIMITS,
    }  # fmt: skip
    options.results.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "machine"}, indent=1))
    late = [k for k, limit in LIMITS.items() if result["milliseconds"][k]["p95"] > limit]
    asked, ledgered = result["answered_and_ledgered"]
    if late or result["errors"] or asked != ledgered:
        raise SystemExit(f"not met: late {late}, errors {result['errors']}, {asked} != {ledgered}")


def _home(root: Path, records: int) -> tuple[Home, pa.Table]:
    """The home with its records, made unless it is there."""
    home, kept = Home.at(root), root / "rows.parquet"
    if not kept.is_file():
        rows = synthetic_records(records, 7)
        make_run(root, rows, "first")
        pq.write_table(rows, kept)
    return home, pq.read_table(kept)


if __name__ == "__main__":
    main()
