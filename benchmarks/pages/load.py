"""The pages under load: how long people wait for a child's page and for a search, while a run writes.

    ffp demo build/big --children 100000           once; half an hour of two cores
    python benchmarks/pages/load.py build/big --while-run
    python benchmarks/pages/load.py build/big --no-think      as fast as 20 people can be answered

FOLDER is what `ffp demo` filled: `home` and `partnership`. `ffp serve` is started as a person starts it, in a process
of its own. Each user is a thread with a connection and a session: opens the list of their children, reads a child of
theirs, searches as people type (a name, one that sounds alike, a former one, a birth date, an NHS number, a postcode,
somebody whom nobody knows), gives a reason and reads a child of others; between pages they think for half a second to
two. With `--while-run` `ffp run --background` goes through the whole graph meanwhile and publishes a new view, and
users go on until it is done. Counted are the times that users saw, the first byte asked to the last byte read;
every answer that is not the page that was asked for is an error. Users and children are drawn by a seed.

Users of the load are written into the home (`users.yaml`) and taken out again at the end.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import numpy as np
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.hub.machine import machine  # noqa: E402
from ffp_data.settings import Home  # noqa: E402
from ffp_data.single_view.published import Published, View  # noqa: E402
from ffp_data.web.users import FILE as USERS  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "pages.json"
LIMITS = {"child": 300.0, "search": 500.0}
"""Milliseconds at the 95th percentile, with 100,000 children and 20 users on two cores while a run writes."""

THINKS = (0.5, 2.0)
SEARCH_SECONDS = 2.2
"""Between searches of one user: the pages let nobody search more often than a person does."""

LONGEST_RUN, DONE = 3600, (0, 3)
"""Seconds; and exit statuses of a run that published: 3 where a delivery was refused."""

_MARK = "# users of benchmarks/pages/load.py, which takes this file out again\n"
_PAGES = {"child": "What happened", "search": "Search for a child", "caseload": "My children"}
"""Words that only the page has that was asked for."""


@dataclass
class Plan:
    """What one user will ask."""

    key: str
    own: Sequence[str]
    others: Sequence[str]
    texts: Sequence[str]
    seed: int


@dataclass
class Seen:
    """What one user saw: milliseconds by page, and what was no answer."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    bytes_read: int = 0


class Person:
    """A user with one connection and one session."""

    def __init__(self, port: int, plan: Plan, stop: threading.Event, *, thinks: bool) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._plan, self._stop, self._thinks = plan, stop, thinks
        self._rng, self._cookie, self._page = Random(plan.seed), "", ""
        self._may_search = 0.0
        self.seen = Seen()

    def work(self) -> None:
        """Go from page to page until it is enough."""
        self._ask("sign in", "POST", "/sign-in", {"user": self._plan.key}, wanted=303)
        while not self._stop.is_set():
            turn = self._rng.random()
            if turn < 0.1 or not self._plan.own:
                self._ask("caseload", "GET", "/")
            elif turn < 0.55:
                self._ask("child", "GET", f"/children/{self._rng.choice(self._plan.own)}")
            elif turn < 0.8 and time.monotonic() >= self._may_search:
                self._search()
            else:
                self._look_at_another()
            self._think()

    def _search(self) -> None:
        self._may_search = time.monotonic() + SEARCH_SECONDS
        self._ask("search form", "GET", "/search")
        self._send("search", "/search", text=self._rng.choice(self._plan.texts))

    def _look_at_another(self) -> None:
        child = self._rng.choice(self._plan.others)
        self._ask("child or reason", "GET", f"/children/{child}")
        if "Why do you need to look?" not in self._page:
            return
        self._think()
        reason = {"why": "call from the school this morning", "case_reference": "FD-102"}
        self._send("reason", f"/children/{child}/reason", wanted=303, **reason)
        self._ask("child", "GET", f"/children/{child}")

    def _send(self, name: str, path: str, wanted: int = 200, **fields: str) -> None:
        tokens = re.findall(r'name="form_token" value="([^"]+)"', self._page)
        self._ask(
            name, "POST", path, {"form_token": tokens[-1] if tokens else "", **fields}, wanted
        )

    def _ask(
        self,
        name: str,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        wanted: int = 200,
    ) -> None:
        headers = {"Cookie": self._cookie} if self._cookie else {}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        started = time.perf_counter()
        try:
            self._connection.request(method, path, urlencode(form) if form else None, headers)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.seen.errors.append(f"{name}: {type(error).__name__}")
            self._connection.close()
            return
        self.seen.times.setdefault(name, []).append((time.perf_counter() - started) * 1000)
        self.seen.bytes_read += len(body)
        self._page = body.decode()
        if set_cookie := answer.headers.get("Set-Cookie"):
            self._cookie = set_cookie.split(";")[0]
        if answer.status != wanted or _PAGES.get(name, "") not in self._page:
            self.seen.errors.append(f"{name}: {answer.status}, wanted {wanted}")

    def _think(self) -> None:
        if self._thinks:
            self._stop.wait(self._rng.uniform(*THINKS))


def plans(view: Published, users: int, seed: int) -> tuple[list[Plan], dict[str, Any]]:
    """Whom each user is, helps and searches for; and the file of users that the home gets."""
    rng = Random(seed)
    workers = view.rows(
        "SELECT contact_name, list(DISTINCT child_id ORDER BY child_id) AS children FROM involvements"
        " WHERE state = 'current' AND contact_name IS NOT NULL GROUP BY contact_name"
        " ORDER BY abs(len(children) - 20), contact_name LIMIT ?", [users],
    )  # fmt: skip
    everybody = view.rows(
        "SELECT child_id, given_name, surname, former_surnames, date_of_birth, nhs_number, postcode"
        " FROM children WHERE surname IS NOT NULL AND given_name IS NOT NULL ORDER BY child_id"
    )
    made, written = [], {}
    for number, worker in enumerate(workers):
        key = f"worker-{number + 1:02}"
        written[key] = {"name": f"Worker {number + 1} (made up)", "role": "practitioner",
                        "workers": [worker["contact_name"]]}  # fmt: skip
        others = [row["child_id"] for row in rng.sample(everybody, min(500, len(everybody)))]
        texts = [_typed(rng.choice(everybody), rng) for _ in range(500)]
        made.append(Plan(key, worker["children"], others, texts, seed * 1000 + number))
    return made, {"users": written}


def _typed(child: Mapping[str, Any], rng: Random) -> str:
    """What somebody types who looks for a child."""
    given, family, born = child["given_name"], child["surname"], child["date_of_birth"]
    day = f"{born.day}/{born.month}/{born.year}" if born else ""
    ways = [
        f"{given} {family}",
        f"{family}, {given} {day}",
        f"{given} {_slip(family, rng)}",
        f"{given} {day}" if day else given,
        family,
        f"{(child['former_surnames'] or [family])[0]} {given}",
        child["nhs_number"] or family,
        f"{child['postcode'] or given} {family}",
        "Zzyzx Nobody",
    ]
    weights = (20, 20, 15, 10, 10, 5, 8, 7, 5)
    return str(rng.choices(ways, weights)[0])


def _slip(name: str, rng: Random) -> str:
    """The name with one letter doubled, which mostly sounds the same."""
    at = rng.randrange(len(name))
    return name[:at] + name[at] + name[at:]


@contextmanager
def served(
    home: Home, users: Mapping[str, Any], program: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """`ffp serve` with these users; gives the port and the number of the process."""
    own, log = home.root / USERS, home.root / "scratch" / "serve.log"
    if own.exists() and not own.read_text("utf-8").startswith(_MARK):
        raise SystemExit(f"{own}: this home has users of its own; take a copy of the home without")
    own.write_text(_MARK + yaml.safe_dump(dict(users)), "utf-8")
    port = _free_port()
    with log.open("w") as file:
        process = subprocess.Popen(
            [*program, "serve", "--home", str(home.root), "--port", str(port)],
            stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _wait_for(port, process, log)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()
        own.unlink()


def _free_port() -> int:
    import socket  # noqa: PLC0415 -- of use here alone

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            raise SystemExit(log.read_text()[-2000:])
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/sign-in")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the pages did not come up within two minutes")


@contextmanager
def running(folder: Path, program: Sequence[str], *, asked: bool) -> Iterator[Any]:
    """`ffp run --background` over the whole graph, if asked; gives the process."""
    if not asked:
        yield None
        return
    log = folder / "home" / "scratch" / "load-run.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [*program, "run", "--background", "--home", str(folder / "home"), "--landing",
             str(folder / "partnership" / "landing"), "--as-at", "2026-03-31"],
            stdout=file, stderr=subprocess.STDOUT,
            start_new_session=True,  # as cron and systemd start it
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everybody at once; with a run, until it has published."""
    home = Home.at(options.folder / "home")
    program = [str(Path(sys.executable).with_name("ffp"))]
    if options.run_first:
        with running(options.folder, program, asked=True) as first:
            if first.wait(timeout=LONGEST_RUN) not in DONE:
                raise SystemExit(f"the first run failed: {home.root / 'scratch' / 'load-run.log'}")
    view = View(home).newest()
    made, users = plans(view, options.users, options.seed)
    ((children,),) = [tuple(r.values()) for r in view.rows("SELECT count(*) FROM children")]
    stop = threading.Event()
    with (
        served(home, users, program) as (port, pid),
        running(options.folder, program, asked=options.while_run) as run,
    ):
        people = [Person(port, plan, stop, thinks=not options.no_think) for plan in made]
        threads = [threading.Thread(target=person.work) for person in people]
        before, own, began = _cpu(pid), _own_cpu(), time.perf_counter()
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        time.sleep(options.seconds)
        status = _ended(run)
        stop.set()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - began
        cpu = {"pages": _cpu(pid) - before, "users": _own_cpu() - own}
        memory = _most_memory(pid)
    return {
        "children": children,
        "users": len(made),
        "thinks_seconds": None if options.no_think else THINKS,
        "seconds": round(took, 1),
        "while_a_run_writes": None if run is None else {"exit_status": status},
        "pages_memory_mib": memory,
        **_figures([person.seen for person in people], took, cpu),
    }


def _ended(run: subprocess.Popen[bytes] | None) -> int | None:
    """The exit status of the run, and a moment in which the pages change over."""
    if run is None:
        return None
    status = run.wait(timeout=LONGEST_RUN)
    time.sleep(5)
    return status


def _figures(seen: Sequence[Seen], took: float, cpu: Mapping[str, float]) -> dict[str, Any]:
    names = sorted({name for each in seen for name in each.times})
    times = {name: [t for each in seen for t in each.times.get(name, ())] for name in names}
    answered = sum(map(len, times.values()))
    return {
        "milliseconds": {
            name: {
                "asked": len(each),
                **{f"p{p}": round(float(np.percentile(each, p)), 1) for p in (50, 95, 99, 100)},
            }
            for name, each in times.items()
        },
        "answers_a_second": round(answered / took, 1),
        "mebibytes": round(sum(each.bytes_read for each in seen) / 2**20, 1),
        "cpu_milliseconds_an_answer": round(1000 * cpu["pages"] / answered, 1),
        "cpu_seconds": {name: round(value, 1) for name, value in cpu.items()},
        "errors": sum(len(each.errors) for each in seen),
        "first_errors": [error for each in seen for error in each.errors][:5],
    }


def _cpu(pid: int) -> float:
    """Seconds of processor of a process that is running (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _most_memory(pid: int) -> int:
    """The largest resident set of a process so far, in MiB (Linux)."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(line) // 1024


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="what `ffp demo` filled")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60, help="at least")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--while-run", action="store_true", help="go on until `ffp run` has ended")
    parser.add_argument(
        "--run-first",
        action="store_true",
        help="first bring the home up to this version: `ffp run`",
    )
    parser.add_argument("--no-think", action="store_true", help="ask again at once")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    result = {"machine": machine(), **measure(options)}
    name = "no_think" if options.no_think else "while_run" if options.while_run else "quiet"
    known = json.loads(options.results.read_text()) if options.results.exists() else {}
    options.results.write_text(
        json.dumps({**known, "limits_p95": LIMITS, name: result}, indent=1, sort_keys=True) + "\n"
    )
    print(json.dumps({name: {k: v for k, v in result.items() if k != "machine"}}, indent=1))
    late = [] if options.no_think else [
        page for page, limit in LIMITS.items() if result["milliseconds"][page]["p95"] > limit
    ]  # fmt: skip
    if late or result["errors"]:
        raise SystemExit(f"not met: late {late}, errors {result['errors']}")


if __name__ == "__main__":
    main()
