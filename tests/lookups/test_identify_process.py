"""A look-up in a process of its own answers as one here does, comes back when it dies, and never outlives us."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ffp_data.access import Access
from ffp_data.api.problems import _RULES
from ffp_data.lookups import Answer, Demographics, Identify, NotEnoughError
from ffp_data.lookups.identify_process import IdentifyProcess
from ffp_data.serving import NothingPublishedError
from ffp_data.settings import Home
from governance.access import AccessDeniedError, Principal, Right
from linkage.lookup import TooManyError
from tests.lookups.test_service import ENGINEER, WORKER, known
from tests.lookups.world import NOAH, World
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def process(world: World) -> Iterator[IdentifyProcess]:
    with IdentifyProcess(world.home) as started:
        yield started


def _ask(
    process: IdentifyProcess, known: Demographics, who: Principal = WORKER, why: str = "a call"
) -> Answer:
    return Answer.model_validate_json(asyncio.run(process.answer(who, known, why)))


def _pid(process: IdentifyProcess) -> int:
    pid: int = process._running().submit(os.getpid).result()
    return pid


def test_it_answers_what_a_look_up_here_answers(
    process: IdentifyProcess, identify: Identify
) -> None:
    assert _ask(process, known(NOAH)) == identify(WORKER, known(NOAH), "a call")
    assert _pid(process) != os.getpid()
    assert process.problem is None


def test_a_refusal_arrives_with_what_would_do(process: IdentifyProcess) -> None:
    with pytest.raises(NotEnoughError, match="birth_date and given_name"):
        _ask(process, Demographics(given_name="Noah"))
    with pytest.raises(AccessDeniedError, match="no right to identify") as refused:
        _ask(process, known(NOAH), ENGINEER)
    assert refused.value.right is Right.IDENTIFY


@pytest.mark.parametrize("kind", _RULES, ids=lambda kind: kind.__name__)
def test_every_refusal_survives_the_way_between_processes(kind: type[Exception]) -> None:
    """One that did not would end the process of the search."""
    made = {
        AccessDeniedError: lambda: AccessDeniedError(WORKER, Right.IDENTIFY, "why not"),
        TooManyError: lambda: TooManyError(7),
    }.get(kind, lambda: kind("why not"))()
    again = pickle.loads(pickle.dumps(made))
    assert (type(again), str(again), vars(again)) == (kind, str(made), vars(made))


def test_its_reads_are_in_the_ledger_once_it_has_ended(world: World) -> None:
    with IdentifyProcess(world.home) as process:
        _ask(process, known(NOAH), why="its last call")
    # Another process reads in this home, too, and its reads come into the ledger when they do.
    reads = [e["facts"]["reason"] for e in Access(world.home).ledger.events("read")]
    assert reads.count("its last call") == 1


def test_one_that_was_killed_is_started_anew_and_answers(process: IdentifyProcess) -> None:
    before, pid = _ask(process, known(NOAH)), _pid(process)
    os.kill(pid, signal.SIGKILL)
    assert _ask(process, known(NOAH)) == before
    assert _pid(process) != pid


def test_a_home_without_a_snapshot_says_so(tmp_path: Path) -> None:
    with (
        IdentifyProcess(Home.at(tmp_path).prepare()) as empty,
        pytest.raises(NothingPublishedError, match="ffp run"),
    ):
        _ask(empty, known(NOAH))


def test_it_ends_when_its_service_is_killed(world: World) -> None:
    service = subprocess.Popen(
        [sys.executable, "-c", _SERVICE, str(world.home.root)], stdout=subprocess.PIPE, text=True
    )
    assert service.stdout is not None
    pid = int(service.stdout.readline())
    assert _lives(pid)
    service.kill()
    service.communicate()
    wait_until(lambda: not _lives(pid), "the process of the search outlived the service")


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # it may end between opening and reading
        return False
    return state != "Z"


_SERVICE = """
import os, sys, time
from ffp_data.lookups.identify_process import IdentifyProcess
from ffp_data.settings import Home

if __name__ == "__main__":
    with IdentifyProcess(Home.at(sys.argv[1])) as process:
        print(process._running().submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""
