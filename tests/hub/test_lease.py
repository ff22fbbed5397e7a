"""One run at a time, and none that was overtaken: the lease, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from benchmarks.hub.kill_nine import in_a_process
from ffp_data.hub import Hub, LeaseHeldError, LeaseLostError, lease
from ffp_data.hub.database import create_engine
from ffp_data.hub.models import Lease
from tests.hub.stories import AS_AT, clusters, seeded_ids
from tests.waiting import wait_until

SHORT = timedelta(seconds=2)
"""Long enough that a process comes from its lease to the next line before it gives a sign of life."""


@pytest.fixture
def url(hub_url: str) -> str:
    """An empty hub whose tables are there."""
    Hub.open(hub_url).close()
    return hub_url


def apply(url: str, token: int | None, run_id: str, text: str) -> None:
    with Hub.open(url, seeded_ids(), token) as hub:
        hub.apply_run(run_id, AS_AT, run_id, clusters(text))


def members(url: str) -> list[str]:
    with Hub.open(url) as hub:
        keys: list[str] = hub.membership()["record_key"].to_pylist()
        return keys


def grow_old(url: str) -> None:
    """As if no sign of life had come for an hour."""
    engine = create_engine(url)
    with engine.begin() as connection:
        past = lease._now() - timedelta(hours=1)
        connection.execute(sa.update(Lease).values(expires_at=past))
    engine.dispose()


def expires(url: str) -> datetime:
    engine = create_engine(url)
    with engine.connect() as connection:
        at = connection.scalar(sa.select(Lease.expires_at))
    engine.dispose()
    assert at is not None
    return lease._utc(at)


def test_each_grant_has_a_greater_token(url: str) -> None:
    tokens = []
    for number in range(3):
        with lease.hold(url, f"run-{number}") as held:
            tokens.append(held.token)
    assert tokens == sorted(set(tokens))


def test_a_second_run_refuses_at_once_and_says_who_holds_the_hub(url: str) -> None:
    with lease.hold(url, "first"):
        with (
            pytest.raises(
                LeaseHeldError, match=rf"run first, process {os.getpid()} on "
            ) as refusal,
            lease.hold(url, "second", wait=0),
        ):
            pytest.fail("two at once")
        assert "UTC" in str(refusal.value)
    with lease.hold(url, "second", wait=0):
        pass


def test_a_second_run_waits_no_longer_than_it_was_told(url: str) -> None:
    told: list[str] = []
    with lease.hold(url, "first"):
        started = time.monotonic()
        with (
            pytest.raises(LeaseHeldError),
            lease.hold(url, "second", wait=0.3, on_wait=told.append),
        ):
            pytest.fail("two at once")
        assert 0.3 <= time.monotonic() - started < 10
    assert [words.partition(",")[0] for words in told] == ["run first"]


def test_runs_that_start_at_once_take_turns(url: str) -> None:
    inside: list[int] = []
    most = []

    def work(number: int) -> None:
        with lease.hold(url, f"run-{number}") as held:
            inside.append(number)
            most.append(len(inside))
            apply(url, held.token, f"run-{number}", f"a b{number}")
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]
    assert members(url) == ["a", "b0", "b1", "b2"]


def test_every_process_of_a_run_joins_its_lease(url: str) -> None:
    with lease.hold(url, "graph") as first:
        with lease.hold(url, "graph", wait=0) as step:
            assert step.token == first.token
        with pytest.raises(LeaseHeldError), lease.hold(url, "other", wait=0):
            pytest.fail("the end of a step is not the end of its run")


def test_the_lease_of_a_process_that_was_killed_is_taken_over_at_once(url: str) -> None:
    def die() -> None:
        with lease.hold(url, "killed"):
            os.kill(os.getpid(), signal.SIGKILL)

    in_a_process(die)
    with lease.hold(url, "next", wait=0) as held:
        assert held.overtook is not None
        assert held.overtook.startswith("run killed, process ")
        assert held.overtook.endswith("its process is gone")


def test_without_a_sign_of_life_the_lease_runs_out(url: str) -> None:
    with lease.hold(url, "silent"):
        grow_old(url)
        with lease.hold(url, "next", wait=0) as held:
            assert held.overtook is not None
            assert "no sign of life until" in held.overtook


def test_a_sign_of_life_keeps_the_lease(url: str) -> None:
    with lease.hold(url, "slow", lasts=timedelta(seconds=12)):  # a sign every two seconds
        grow_old(url)
        wait_until(lambda: expires(url) > lease._now(), "no sign of life came")
        with pytest.raises(LeaseHeldError), lease.hold(url, "next", wait=0):
            pytest.fail("the first still works")


def test_a_run_whose_lease_ran_out_goes_on_while_nobody_took_it(url: str) -> None:
    with lease.hold(url, "silent") as held:
        grow_old(url)
        apply(url, held.token, "silent", "a b")
    assert members(url) == ["a", "b"]


def test_a_run_that_was_overtaken_writes_nothing_and_is_told_by_whom(url: str) -> None:
    with lease.hold(url, "paused") as paused:
        grow_old(url)
        with lease.hold(url, "next", wait=0) as successor:
            apply(url, successor.token, "next", "a b")
        with pytest.raises(
            LeaseLostError, match=r"run paused was overtaken: run next, process \d+"
        ):
            apply(url, paused.token, "paused", "a | b | c")
        with pytest.raises(LeaseLostError):
            paused.require_newest()
        with pytest.raises(LeaseLostError), lease.hold(url, "paused", wait=0):
            pytest.fail("another step of a run that was overtaken")
    assert members(url) == ["a", "b"]


def test_a_run_without_the_lease_is_refused_while_another_has_it(url: str) -> None:
    with lease.hold(url, "first"), pytest.raises(LeaseHeldError):
        apply(url, None, "stray", "a b")
    apply(url, None, "stray", "a b")
    assert members(url) == ["a", "b"]


def stopped_in_its_run(url: str, then: Callable[[], None]) -> int:
    """Stop a run's process (SIGSTOP) between lease and write, do something else, and let it go on."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with lease.hold(url, "stopped", lasts=SHORT) as held:
                os.kill(os.getpid(), signal.SIGSTOP)
                apply(url, held.token, "stopped", "x y z")
            status = 0
        except LeaseLostError:
            status = 42
        finally:
            os._exit(status)
    os.waitpid(child, os.WUNTRACED)
    then()
    os.kill(child, signal.SIGCONT)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.control("D11")
@pytest.mark.slow  # stops a process
def test_a_process_that_was_stopped_cannot_write_after_its_successor(url: str) -> None:
    def succeed() -> None:
        with lease.hold(url, "next", wait=30, lasts=SHORT) as held:
            apply(url, held.token, "next", "a b")

    assert stopped_in_its_run(url, succeed) == 42
    assert members(url) == ["a", "b"]


@pytest.mark.slow  # stops a process
def test_a_process_that_was_stopped_goes_on_where_nobody_came(url: str) -> None:
    def run_out() -> None:
        wait_until(lambda: expires(url) < lease._now(), "a stopped process gave signs of life")

    assert stopped_in_its_run(url, run_out) == 0
    assert members(url) == ["x", "y", "z"]
