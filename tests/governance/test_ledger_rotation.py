"""A rotation of keys leaves the ledger whole: old signatures, facts, witnesses and waiting reads stay good."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffp_data.rotation.rotate import rotate
from ffp_data.settings import Home
from governance import verify_ledger
from governance.canonical import canonical_bytes
from governance.keys import ROOT_KEY_VARIABLE, KeyStore
from governance.ledger import CHECKPOINTS_FILE, Checkpoint, Ledger


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv(ROOT_KEY_VARIABLE, raising=False)
    home = Home(tmp_path / "home").prepare()
    _ledger(home).append("before", who="the old key")
    return home


def _ledger(home: Home) -> Ledger:
    return Ledger(home.ledger_dir, KeyStore(home.keys_dir))


@pytest.mark.control("D03", "D04")
def test_what_the_old_key_signed_and_sealed_stays_good_after_a_rotation(
    home: Home, tmp_path: Path
) -> None:
    old = _ledger(home)
    witness, retired = old.last_checkpoint(), old._key
    assert witness is not None
    line = old.waiting_line("dead:1", "2026-03-31T10:00:00Z", "read", {"n": 1})
    (home.ledger_dir / "reads-dead-00000000.journal").write_bytes(line)
    del old
    rotate(home)
    ledger = _ledger(home)
    told = {event["kind"]: event["facts"] for event in ledger.events()}
    assert told["before"] == {"who": "the old key"}
    assert told["read"]["n"] == 1
    assert ledger.verify([witness]) == []
    KeyStore(home.keys_dir).write_public_key(tmp_path / "hub.pem")
    keys = verify_ledger.read_keys(tmp_path / "hub.pem")
    assert len(keys) == 2
    assert verify_ledger.verify(home.ledger_dir, keys, [witness.record]) == []
    assert not Checkpoint.of(ledger.last_checkpoint().record).is_signed_by(retired.public_key())  # type: ignore[union-attr]


def test_a_retired_key_signs_no_later_checkpoint(home: Home, tmp_path: Path) -> None:
    """Whoever stole the old key cannot go on with the ledger."""
    retired = _ledger(home)._key
    rotate(home)
    path = home.ledger_dir / CHECKPOINTS_FILE
    *before, last = path.read_bytes().splitlines(keepends=True)
    newest = _ledger(home).last_checkpoint()
    assert newest is not None
    signature = retired.sign(canonical_bytes(newest.statement)).hex()
    forged = canonical_bytes({**newest.record, "signature": signature}) + b"\n"
    path.write_bytes(b"".join([*before, forged]))
    (problem,) = _ledger(home).verify()
    assert "signature is wrong" in problem.message
    KeyStore(home.keys_dir).write_public_key(tmp_path / "hub.pem")
    keys = verify_ledger.read_keys(tmp_path / "hub.pem")
    (finding,) = verify_ledger.verify(home.ledger_dir, keys)
    assert "last signature is wrong" in finding
    path.write_bytes(b"".join([*before, last]))
    assert _ledger(home).verify() == []
