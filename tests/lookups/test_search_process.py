"""A search in a process of its own answers as one here does, comes back when it dies, and never outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ffp_data.serving import NothingPublishedError, SearchHere, SearchProcess, Serving, load
from ffp_data.settings import Home
from linkage.lookup import TooLittleError
from tests.lookups.world import NOAH, World

TEXT = {k: str(v) for k, v in NOAH.items() if k != "role"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def search(world: World) -> Iterator[SearchProcess]:
    with SearchProcess(world.home) as started:
        yield started


def _pid(search: SearchProcess) -> int:
    pid: int = search._running().submit(os.getpid).result()
    return pid


def test_it_finds_what_a_search_here_finds(world: World, search: SearchProcess) -> None:
    assert search.find(TEXT) == SearchHere(Serving(world.home, load)).find(TEXT)
    assert _pid(search) != os.getpid()
    assert search.problem is None


def test_a_refusal_arrives_with_what_would_do(search: SearchProcess) -> None:
    with pytest.raises(TooLittleError, match="too little to look for anybody; give") as refused:
        search.find({"given_name": "Noah"})
    assert ("nhs_number",) in refused.value.ways


def test_a_search_that_was_killed_is_started_anew_and_answers(search: SearchProcess) -> None:
    before, pid = search.find(TEXT), _pid(search)
    os.kill(pid, signal.SIGKILL)
    assert search.find(TEXT) == before
    assert _pid(search) != pid


def test_a_home_without_a_snapshot_says_so(tmp_path: Path) -> None:
    with (
        SearchProcess(Home.at(tmp_path).prepare()) as empty,
        pytest.raises(NothingPublishedError, match="ffp run"),
    ):
        empty.find(TEXT)


def test_it_ends_when_its_service_is_killed(world: World) -> None:
    service = subprocess.Popen(
        [sys.executable, "-c", _SERVICE, str(world.home.root)], stdout=subprocess.PIPE, text=True
    )
    assert service.stdout is not None
    pid = int(service.stdout.readline())
    assert _lives(pid)
    service.kill()
    service.communicate()
    for _ in range(500):
        if not _lives(pid):
            break
        time.sleep(0.02)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


_SERVICE = """
import os, sys, time
from ffp_data.serving import SearchProcess
from ffp_data.settings import Home

if __name__ == "__main__":
    with SearchProcess(Home.at(sys.argv[1])) as search:
        print(search._running().submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""
