"""Releases stop when checkpoints stop; the ledger's order is kept whatever the clock does."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from governance.access import Journal
from governance.access.journal import take_over_left
from governance.keys import KeyStore
from governance.ledger import (
    CHECKPOINTS_FILE,
    EVENTS_FILE,
    CheckpointsStoppedError,
    ClockWentBackError,
    Ledger,
    LedgerDamagedError,
)

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, keys: KeyStore, clock: Clock) -> Ledger:
    ledger = Ledger(tmp_path / "ledger", keys, clock)
    ledger.append("policy_compiled")
    return ledger


def test_a_hub_that_wrote_nothing_yet_releases_nothing(tmp_path: Path, keys: KeyStore) -> None:
    with pytest.raises(CheckpointsStoppedError, match="no checkpoint was made yet"):
        Ledger(tmp_path / "new", keys).require_fresh()


@pytest.mark.control("D04")
def test_nothing_leaves_four_hours_after_the_last_checkpoint(ledger: Ledger, clock: Clock) -> None:
    clock.now += timedelta(hours=4)
    assert ledger.require_fresh().count == 1
    clock.now += timedelta(seconds=1)
    with pytest.raises(CheckpointsStoppedError, match="longer ago than 4:00:00"):
        ledger.require_fresh()
    ledger.heartbeat()
    assert ledger.require_fresh().count == 2


def test_a_checkpoint_of_another_key_lets_nothing_leave(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FFP_ROOT_KEY")
    other = Ledger(ledger.directory, KeyStore(tmp_path / "others-keys"), lambda: NOON)
    with pytest.raises(CheckpointsStoppedError, match="did not sign"):
        other.require_fresh()
    with pytest.raises(LedgerDamagedError, match="not one that this hub signed"):
        other.append("released")


def test_reads_that_wait_longer_than_the_limit_let_nothing_leave(
    ledger: Ledger, clock: Clock
) -> None:
    line = ledger.waiting_line("dead:1", clock.now.isoformat(), "read", {"n": 1})
    left = ledger.directory / "reads-dead-00000000.journal"
    left.write_bytes(line)
    ledger.append("something")
    ledger.require_fresh()
    clock.now += timedelta(hours=5)
    ledger.heartbeat()
    with pytest.raises(CheckpointsStoppedError, match="reads wait since"):
        ledger.require_fresh()
    assert take_over_left(ledger) == 1
    ledger.require_fresh()


def test_answers_stop_too_when_reads_cannot_be_taken_over(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(ledger.directory, ledger, interval=60) as journal:
        journal.append("read")
        journal.problem = "OSError: reads wait to be taken over into the ledger"
        monkeypatch.setattr(journal, "_problem_since", -20_000.0)
        with pytest.raises(CheckpointsStoppedError, match="answers stop"):
            journal.append("read")
        journal.problem = None
        journal.append("read")


# The clock


@pytest.mark.control("D11")
@pytest.mark.parametrize("back", [timedelta(minutes=6), timedelta(hours=1), timedelta(days=1)])
def test_a_clock_that_went_back_is_refused_in_words(
    back: timedelta, ledger: Ledger, clock: Clock
) -> None:
    clock.now -= back
    for refused in (lambda: ledger.append("released"), ledger.require_fresh, ledger.heartbeat):
        with pytest.raises(ClockWentBackError, match="set the clock right"):
            refused()
    assert len(list(ledger.events())) == 1
    clock.now = NOON + timedelta(seconds=1)
    ledger.append("released")
    assert ledger.verify() == []


def test_a_clock_that_its_time_service_put_back_a_little_is_held(
    ledger: Ledger, clock: Clock
) -> None:
    clock.now -= timedelta(seconds=20)
    ledger.append("read")
    times = [event["at"] for event in ledger.events()]
    assert times == sorted(times)
    assert times[0] == times[1]


def test_a_wrong_time_in_the_future_is_got_over_by_saying_so(ledger: Ledger, clock: Clock) -> None:
    clock.now += timedelta(days=400)
    ledger.append("read")
    clock.now = NOON + timedelta(minutes=1)
    with pytest.raises(ClockWentBackError, match="correct-clock"):
        ledger.append("read")
    ledger.correct_clock(by="operator", reason="the clock was a year ahead")
    ledger.append("read")
    assert ledger.verify() == []
    ledger.require_fresh()
    told = [event["facts"] for event in ledger.events() if event["kind"] == "clock_corrected"]
    assert told[0]["newest"].startswith("2027-05-03")


def test_summer_time_changes_nothing(tmp_path: Path, keys: KeyStore) -> None:
    """Times are UTC: on the day the clocks of England go back, an hour that comes twice does not go back."""
    program = (
        "import sys; from pathlib import Path; from governance.keys import KeyStore;"
        "from governance.ledger import Ledger;"
        "ledger = Ledger(Path(sys.argv[1]) / 'ledger', KeyStore(Path(sys.argv[1]) / 'keys'));"
        "ledger.append('one'); print(ledger.require_fresh().at)"
    )
    times = []
    for zone in ("Pacific/Kiritimati", "Europe/London", "Pacific/Pago_Pago"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "TZ": zone},
        )
        times.append(done.stdout.strip())
    assert times == sorted(times)


# A ledger that cannot be written


def _is_a_folder(ledger: Ledger) -> None:
    path = ledger.directory / CHECKPOINTS_FILE
    path.unlink()
    path.mkdir()


def _was_cut(ledger: Ledger) -> None:
    path = ledger.directory / EVENTS_FILE
    path.write_bytes(path.read_bytes()[:-10])


def _was_emptied(ledger: Ledger) -> None:
    (ledger.directory / EVENTS_FILE).write_bytes(b"")


@pytest.mark.control("D11")
@pytest.mark.parametrize("break_it", [_is_a_folder, _was_cut, _was_emptied])
def test_a_ledger_that_takes_no_event_says_so_and_makes_no_checkpoint(
    break_it: Callable[[Ledger], None], ledger: Ledger
) -> None:
    break_it(ledger)
    with pytest.raises((OSError, LedgerDamagedError)):
        ledger.heartbeat()


def test_a_full_disk_makes_no_half_checkpoint_and_the_ledger_goes_on_when_there_is_room(
    ledger: Ledger,
) -> None:
    ledger.append("fits", columns=["c" * 60] * 40)
    size = (ledger.directory / EVENTS_FILE).stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            ledger.append("does_not_fit", columns=["c" * 60] * 40)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    newest = ledger.last_checkpoint()
    assert newest is not None
    assert newest.count == 2
    ledger.append("fits_again")
    assert ledger.verify() == []
    assert [event["kind"] for event in ledger.events()][-2:] == [
        "unsigned_tail_set_aside",
        "fits_again",
    ]
