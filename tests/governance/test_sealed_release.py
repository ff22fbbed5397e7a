"""A release to a recipient with a registered key is sealed, and nothing of it lies there in clear."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from governance.container import CONTAINER
from governance.envelope import SUITES, make_key
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import MANIFEST, read_manifest, verify_files
from governance.open_extract import RecipientKey, open_extract
from governance.release import not_released, publish
from tests.governance.test_release_crash import AS_AT, DECISION

CANARY = "Canary Featherstonehaugh"


def release(out: Path, keys: KeyStore, ledger: Ledger, seal_to: str | None) -> None:
    def write(part: Path) -> dict[str, int]:
        (part / "cin.xml").write_text(CANARY * 100, "utf-8")
        return {"returns.cin_children": 1}

    decision = replace(DECISION, seal_to=seal_to)
    publish(decision, write, as_at=AS_AT, out=out, keys=keys, ledger=ledger)


def in_clear(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in files if CANARY.encode() in path.read_bytes()]


@pytest.mark.control("D01", "D02")
@pytest.mark.parametrize("suite", SUITES)
def test_what_is_released_opens_for_its_recipient_and_lies_nowhere_in_clear(
    suite: str, tmp_path: Path, keys: KeyStore
) -> None:
    pem, public = make_key(suite)
    ledger, out = Ledger(tmp_path / "ledger", keys), tmp_path / "out" / "cin"
    release(out, keys, ledger, public.text)
    assert sorted(path.name for path in out.iterdir()) == [CONTAINER, MANIFEST]
    assert in_clear(tmp_path) == []
    assert verify_files(out, keys.trusted) == []
    assert not_released(tmp_path / "out", keys.trusted, ledger) == []
    opened = tmp_path / "opened"
    open_extract(out, RecipientKey(pem), [keys.public_key], opened)
    assert in_clear(opened) == ["cin.xml"]


@pytest.mark.control("D01")
def test_a_sealed_manifest_tells_no_more_than_one_in_clear(tmp_path: Path, keys: KeyStore) -> None:
    _, public = make_key("x25519")
    told = []
    for name, seal_to in (("plain", None), ("sealed", public.text)):
        out = tmp_path / name / "cin"
        release(out, keys, Ledger(tmp_path / name / "ledger", keys), seal_to)
        told.append(read_manifest(out, keys.trusted))
    plain, sealed = told
    assert set(sealed) - set(plain) == {"sealed"}
    assert set(sealed["sealed"]) == {"suite", "recipient_key", "bytes", "sha256"}
    assert sealed["files"] == []
    same = set(plain) - {"files", "witness"}
    assert {name: plain[name] for name in same} == {name: sealed[name] for name in same}


def test_a_recipient_without_a_key_gets_files_as_before(tmp_path: Path, keys: KeyStore) -> None:
    out = tmp_path / "out" / "cin"
    release(out, keys, Ledger(tmp_path / "ledger", keys), None)
    assert sorted(path.name for path in out.iterdir()) == ["cin.xml", MANIFEST]
