"""A read is on file before its answer, and stands in the ledger soon after: once, whatever dies between."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from governance.access import Journal
from governance.access.journal import take_over_left
from governance.keys import KeyStore
from governance.ledger import Ledger, LedgerDamagedError


@pytest.fixture
def ledger(tmp_path: Path, keys: KeyStore) -> Ledger:
    return Ledger(tmp_path / "ledger", keys.signing_key)


def _entries(ledger: Ledger) -> list[str]:
    return [event["facts"]["entry"] for event in ledger.events()]


@pytest.mark.control("D04")
def test_every_read_of_many_threads_comes_into_the_ledger_once(
    tmp_path: Path, ledger: Ledger
) -> None:
    with Journal(tmp_path / "ledger", ledger, interval=0.005) as journal:
        threads = [
            threading.Thread(target=lambda: [journal.append("read", n=n) for n in range(50)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    entries = _entries(ledger)
    assert len(entries) == len(set(entries)) == 200
    assert ledger.verify() == []
    assert list((tmp_path / "ledger").glob("reads-*")) == []


def test_what_a_killed_process_left_is_taken_over_without_its_half_line(
    tmp_path: Path, ledger: Ledger
) -> None:
    line = _line(ledger, "dead:1")
    left = tmp_path / "ledger" / "reads-dead-00000000.journal"
    left.write_bytes(line + line[:20])
    with Journal(tmp_path / "ledger", ledger):
        assert _entries(ledger) == ["dead:1"]
    assert not left.exists()


def _line(ledger: Ledger, entry: str) -> bytes:
    return ledger.waiting_line(entry, "2026-03-31T09:00:00.000+00:00", "read", {"n": 1})


def test_a_process_killed_before_it_could_remove_what_it_took_over_counts_no_read_twice(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [_line(ledger, f"dead:{n}") for n in range(1, 4)]
    left = tmp_path / "ledger" / "reads-dead-00000000.journal"
    left.write_bytes(b"".join(lines[:2]))
    with monkeypatch.context() as killed:
        killed.setattr(Path, "unlink", _killed)
        with pytest.raises(KeyboardInterrupt):
            take_over_left(ledger)
    ledger.append("heartbeat")
    left.write_bytes(b"".join(lines))
    assert take_over_left(ledger) == 1
    reads = [event["facts"]["entry"] for event in ledger.events("read")]
    assert reads == ["dead:1", "dead:2", "dead:3"]
    assert not left.exists()


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_the_journal_of_a_living_process_is_left_alone(tmp_path: Path, ledger: Ledger) -> None:
    with Journal(tmp_path / "ledger", ledger, interval=60) as one:
        one.append("read")
        with Journal(tmp_path / "ledger", ledger, interval=60) as other:
            assert other.recover() == 0
            other.append("read")
    assert len(set(_entries(ledger))) == 2


def test_nothing_is_lost_while_the_ledger_cannot_be_written(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(tmp_path / "ledger", ledger, interval=60) as journal:
        journal.append("read")
        with monkeypatch.context() as broken:
            broken.setattr(Ledger, "append_many", _damaged)
            with pytest.raises(LedgerDamagedError):
                journal.flush()
        assert journal.recover() == 1
    assert len(_entries(ledger)) == 1


def _damaged(*_: object) -> None:
    raise LedgerDamagedError("damaged")


def test_a_closed_journal_takes_nothing(tmp_path: Path, ledger: Ledger) -> None:
    with Journal(tmp_path / "ledger", ledger) as journal:
        pass
    with pytest.raises(ValueError, match="closed"):
        journal.append("read")
