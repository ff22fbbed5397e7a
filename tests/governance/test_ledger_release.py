"""A ledger that cannot be written stops a release before a byte of it lies anywhere under out/."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from governance import policy
from governance.grants import Grants
from governance.keys import KeyStore
from governance.ledger import CHECKPOINTS_FILE, EVENTS_FILE, Checkpoint, Ledger
from governance.manifest import read_manifest
from governance.release import publish

AS_AT = date(2026, 3, 31)
DECISION = Grants(policy.compile_policy(policy.load(), AS_AT)).release(
    "dfe", "statutory_returns.cin_census"
)

Break = Callable[[Ledger], object]


@pytest.fixture
def ledger(tmp_path: Path, keys: KeyStore) -> Ledger:
    ledger = Ledger(tmp_path / "ledger", keys)
    ledger.append("policy_compiled")
    return ledger


def released(tmp_path: Path, keys: KeyStore, ledger: Ledger) -> Path:
    def write(part: Path) -> dict[str, int]:
        (part / "cin.xml").write_text("<x/>", "utf-8")
        return {"returns.cin_children": 1}

    out = tmp_path / "home" / "out" / "cin"
    return publish(DECISION, write, as_at=AS_AT, out=out, keys=keys, ledger=ledger).directory


@contextmanager
def a_full_disk(ledger: Ledger) -> Iterator[None]:
    size = (ledger.directory / EVENTS_FILE).stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def a_folder_in_its_place(ledger: Ledger) -> Iterator[None]:
    path = ledger.directory / CHECKPOINTS_FILE
    path.rename(path.with_name("kept"))
    path.mkdir()
    yield


@contextmanager
def a_cut_end(ledger: Ledger) -> Iterator[None]:
    path = ledger.directory / EVENTS_FILE
    path.write_bytes(path.read_bytes()[:-5])
    yield


@contextmanager
def a_clock_that_went_back(ledger: Ledger) -> Iterator[None]:
    ledger._clock = lambda: datetime.now(UTC) - timedelta(days=1)
    yield


@contextmanager
def reads_that_wait(ledger: Ledger) -> Iterator[None]:
    since = datetime.now(UTC) - timedelta(hours=5)
    line = ledger.waiting_line("dead:1", since.isoformat(), "read", {})
    (ledger.directory / "reads-dead-00000000.journal").write_bytes(line)
    yield


@pytest.mark.control("D04", "D11")
@pytest.mark.parametrize(
    "fault",
    [a_full_disk, a_folder_in_its_place, a_cut_end, a_clock_that_went_back, reads_that_wait],
)
def test_nothing_is_written_under_out_when_the_ledger_takes_no_event(
    fault: Callable[[Ledger], object], tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    with fault(ledger), pytest.raises(Exception, match=r".") as caught:  # type: ignore[attr-defined]
        released(tmp_path, keys, ledger)
    assert type(caught.value).__name__ in {
        "OSError",
        "IsADirectoryError",
        "LedgerDamagedError",
        "ClockWentBackError",
        "CheckpointsStoppedError",
    }
    assert not (tmp_path / "home").exists()


@pytest.mark.control("D03", "D11")
def test_nothing_is_released_when_the_signing_key_is_lost(
    tmp_path: Path, keys: KeyStore, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FFP_ROOT_KEY")
    other = KeyStore(tmp_path / "new-keys")
    with pytest.raises(Exception, match="not one that this hub signed"):
        released(tmp_path, other, Ledger(ledger.directory, other))
    assert not (tmp_path / "home").exists()


@pytest.mark.control("D04")
def test_each_manifest_carries_a_checkpoint_that_witnesses_the_ledger(
    tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    manifest = read_manifest(released(tmp_path, keys, ledger), keys.public_key)
    witness = Checkpoint.of(manifest["witness"])
    assert witness.is_signed_by(keys.public_key)
    assert witness.root
    kinds = [event["kind"] for event in ledger.events()]
    assert kinds[witness.count - 1 :] == ["release_begun", "release_intended", "released"]
    assert ledger.verify([witness]) == []
