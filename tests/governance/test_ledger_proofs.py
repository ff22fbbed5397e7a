"""What a recipient can check without a copy of the ledger: its release stands in it, and nothing went since."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from governance import verify_ledger
from governance.canonical import canonical_bytes
from governance.keys import KeyStore
from governance.ledger import CHECKPOINTS_FILE, EVENTS_FILE, Ledger
from governance.ledger_proofs import prove_event, prove_extension, prove_release
from governance.ledger_tree import TREE_FILE
from governance.ledger_witness import wrong_with_witnesses
from governance.manifest import MANIFEST, write_manifest
from governance.merkle import ProofImpossibleError


@pytest.fixture
def ledger(tmp_path: Path, keys: KeyStore) -> Ledger:
    ledger = Ledger(tmp_path / "ledger", keys)
    ledger.append_many(("read", {"n": n}) for n in range(5))
    return ledger


def released(ledger: Ledger, keys: KeyStore, folder: Path) -> Path:
    """What a release leaves: a manifest with the checkpoint before it, and the event after."""
    folder.mkdir()
    (folder / "rows.csv").write_text("a\n", "utf-8")
    witness = ledger.last_checkpoint()
    assert witness is not None
    digest = write_manifest(
        folder, {"witness": witness.record, "to": folder.name}, keys.signing_key
    )
    ledger.append("released", manifest=digest, recipient="team")
    return folder / MANIFEST


@pytest.mark.control("D04")
def test_a_recipient_checks_its_release_with_one_file_and_the_public_key(
    tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    manifest = released(ledger, keys, tmp_path / "out")
    ledger.append_many(("read", {"n": n}) for n in range(7))
    newest = ledger.last_checkpoint()
    assert newest is not None
    proof = tmp_path / "proof.json"
    proof.write_bytes(canonical_bytes(prove_release(ledger.directory, newest, manifest)))
    keys.write_public_key(tmp_path / "hub.pem")
    script = shutil.copy(verify_ledger.__file__, tmp_path / "check.py")
    words = ["--proof", proof, tmp_path / "hub.pem", manifest]
    command = [sys.executable, "-I", str(script), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "it is proved\n")


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda p: p["path"].reverse(), "not in the tree"),
        (lambda p: p.update(number=p["number"] - 1), "not in the tree"),
        (lambda p: p.update(event=p["event"].replace("released", "recalled")), "not in the tree"),
        (lambda p: p["checkpoint"].update(root="0" * 64), "was not signed by this hub"),
        (lambda p: p["since"]["path"].pop(), "does not extend"),
        (lambda p: p["since"].update(earlier=p["checkpoint"]), "does not begin with"),
        (lambda p: p.pop("checkpoint"), "not a proof"),
        (lambda p: p.clear(), "not a proof"),
    ],
)
def test_a_changed_proof_proves_nothing(
    change: object, finding: str, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    assert callable(change)
    manifest = released(ledger, keys, tmp_path / "out")
    ledger.append_many(("read", {"n": n}) for n in range(7))
    newest = ledger.last_checkpoint()
    assert newest is not None
    proof = prove_release(ledger.directory, newest, manifest)
    content = manifest.read_bytes()
    assert verify_ledger.judge(proof, [keys.public_key], content) == []
    change(proof)
    assert finding in " ".join(verify_ledger.judge(proof, [keys.public_key], content))


def test_the_proof_of_one_release_does_not_serve_another(
    tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    one, two = (released(ledger, keys, tmp_path / name) for name in ("one", "two"))
    newest = ledger.last_checkpoint()
    assert newest is not None
    proof = prove_release(ledger.directory, newest, one)
    found = verify_ledger.judge(proof, [keys.public_key], two.read_bytes())
    assert any("does not tell of this manifest" in each for each in found)


def test_a_ledger_that_was_restored_from_a_backup_extends_no_later_checkpoint(
    tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    shutil.copytree(ledger.directory, tmp_path / "backup")
    ledger.append("read", n=9)
    kept = ledger.last_checkpoint()
    restored = Ledger(tmp_path / "backup", keys)
    restored.append("something_else")
    restored.append("more")
    newest = restored.last_checkpoint()
    assert kept is not None
    assert newest is not None
    proof = prove_extension(restored.directory, kept, newest)
    assert any(
        "does not extend" in each for each in verify_ledger.judge(proof, [keys.public_key], None)
    )


def test_manifests_are_witnesses_of_the_ledger_and_of_their_own_release(
    tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    shutil.copytree(ledger.directory, tmp_path / "backup")
    manifest = released(ledger, keys, out / "team")
    ledger.append("read")
    assert wrong_with_witnesses(ledger, [out]) == []
    assert verify_ledger.verify(ledger.directory, keys.public_key, files=[out]) == []
    restored = Ledger(tmp_path / "backup", keys)
    for found in (
        wrong_with_witnesses(restored, [manifest]),
        verify_ledger.verify(restored.directory, keys.public_key, files=[manifest]),
    ):
        assert any("no event of the ledger tells that it was released" in each for each in found)
    manifest.write_bytes(manifest.read_bytes().replace(b'"to":"team"', b'"to":"them"'))
    for found in (
        wrong_with_witnesses(ledger, [manifest]),
        verify_ledger.verify(ledger.directory, keys.public_key, files=[manifest]),
    ):
        assert any("not a manifest that this hub signed" in each for each in found)


def test_what_is_no_witness_is_said_to_be_none(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "list.json").write_text("[1]", "utf-8")
    (found,) = wrong_with_witnesses(ledger, [tmp_path / "list.json"])
    assert "neither a checkpoint nor a manifest" in found


def test_a_checkpoint_file_is_a_witness_too(tmp_path: Path, keys: KeyStore, ledger: Ledger) -> None:
    kept = tmp_path / "kept.json"
    kept.write_bytes((ledger.directory / CHECKPOINTS_FILE).read_bytes().splitlines()[-1])
    ledger.append("read")
    assert wrong_with_witnesses(ledger, [kept]) == []
    for path in (ledger.directory / EVENTS_FILE, ledger.directory / CHECKPOINTS_FILE):
        path.unlink()
    ledger.append("begun_anew")
    (found,) = wrong_with_witnesses(ledger, [kept])
    assert "a witness signs 5 events, but 1 are there" in found


def test_an_event_before_the_roots_is_proved_after_the_next_one(
    tmp_path: Path, keys: KeyStore
) -> None:
    """A ledger of before had checkpoints without roots; the next append gives one over all its events."""
    ledger = Ledger(tmp_path / "old", keys)
    ledger.append_many(("read", {"n": n}) for n in range(3))
    _as_before_there_were_roots(ledger, keys)
    assert ledger.verify() == []
    assert verify_ledger.verify(ledger.directory, keys.public_key) == []
    old = ledger.last_checkpoint()
    assert old is not None
    with pytest.raises(ProofImpossibleError, match="before checkpoints had roots"):
        prove_event(ledger.directory, old, 1)
    ledger.append("read", n=3)
    assert ledger.verify([old]) == []
    newest = ledger.last_checkpoint()
    assert newest is not None
    assert (
        verify_ledger.judge(prove_event(ledger.directory, newest, 1), [keys.public_key], None) == []
    )


def _as_before_there_were_roots(ledger: Ledger, keys: KeyStore) -> None:
    path = ledger.directory / CHECKPOINTS_FILE
    (record,) = map(json.loads, path.read_bytes().splitlines())
    del record["root"], record["signature"]
    signature = keys.signing_key.sign(canonical_bytes(record)).hex()
    path.write_bytes(canonical_bytes({**record, "signature": signature}) + b"\n")
    (ledger.directory / TREE_FILE).unlink()


@pytest.mark.parametrize("content", [b"", b"{", b'{"count": 5, "peaks": ["00"]}', b"[]"])
def test_the_file_of_the_tree_is_a_cache_that_is_made_anew(
    content: bytes, ledger: Ledger, keys: KeyStore
) -> None:
    (ledger.directory / TREE_FILE).write_bytes(content)
    again = Ledger(ledger.directory, keys)
    again.append("read")
    assert again.verify() == []
