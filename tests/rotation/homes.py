"""A small home in which every kind of store is, and what must come out of it before and after a rotation."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ffp_data.hub import Hub
from ffp_data.hub.database import create_engine
from ffp_data.hub.subject_keys import open_subject_keys
from ffp_data.identity import model_store
from ffp_data.serving import store
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.canonical import canonical_bytes
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import MANIFEST, verify_files, write_manifest
from governance.pseudonym import pseudonym_key, pseudonymise

RECORDS = [f"feed|{n}" for n in range(12)]
CLUSTERS = pa.table({"record_id": RECORDS, "cluster_id": [f"c{n // 2}" for n in range(12)]})
CARRIED = ("seal/filter", "seal/spent", "review/evidence", "ledger/facts", "rights/orders")
REPLACED = ("warehouse/duckdb", "hub/sqlcipher", "serving/duckdb", "models/fit", "subjects/kek")
MODEL = "models/abcdef012345"


def make(root: Path) -> Home:
    """A home with every store; its keys are new."""
    home = Home(root).prepare()
    keys = KeyStore(home.keys_dir)
    with Hub.open(home.hub_url) as hub:
        hub.apply_run("first", date(2026, 3, 31), "model", CLUSTERS)
    engine = create_engine(home.hub_url)
    open_subject_keys(engine, keys).ensure()
    engine.dispose()
    with connect(home) as con:
        con.execute("CREATE TABLE raw.kept AS SELECT range AS n, 'canary' AS name FROM range(500)")
    store.write(home, "first", {"children": pa.table({"child_id": ["a", "b"]})})
    _model(home, keys)
    _release(home, keys)
    return home


def _model(home: Home, keys: KeyStore) -> None:
    folder = home.root / MODEL
    folder.mkdir(parents=True)
    cipher, nonce = AESGCM(keys.key(model_store.PURPOSE)), bytes(12)
    (folder / model_store.FIT).write_bytes(nonce + cipher.encrypt(nonce, b"fit", b"abcdef012345"))
    sample = cipher.encrypt(nonce, b"sample", b"cases abcdef012345")
    (folder / model_store.CASES).write_bytes(nonce + sample)


def _release(home: Home, keys: KeyStore) -> None:
    folder = release_of(home)
    folder.mkdir(parents=True)
    (folder / "children.csv").write_text("token\n", "ascii")
    digest = write_manifest(folder, {"recipient": "a-team"}, keys.signing_key)
    Ledger(home.ledger_dir, keys).append("released", manifest=digest, recipient="a-team")


def release_of(home: Home) -> Path:
    """The folder of its one release."""
    return home.out / "extracts" / "a-team" / "2026-03-31"


def told(home: Home) -> dict[str, Any]:
    """What every store holds, read with the keys of today; equal before and after any rotation."""
    keys = KeyStore(home.keys_dir)
    engine = create_engine(home.hub_url)
    with Hub.open(home.hub_url) as hub:
        members = hub.membership().to_pylist()
    children = sorted({each["child_id"] for each in members})
    references = open_subject_keys(engine, keys).references(children)
    engine.dispose()
    with connect(home, read_only=True) as con:
        rows = con.execute("SELECT sum(n), min(name) FROM raw.kept").fetchall()
    path = store.current(home)
    assert path is not None
    with store.reading(home, path) as con:
        served = con.execute("SELECT * FROM children").fetchall()
    pseudonyms = pseudonymise(pseudonym_key(keys, "a-team", "care", "2026"), children)
    ledger = Ledger(home.ledger_dir, keys)
    return {
        "hub": members,
        "references": references,
        "warehouse": rows,
        "serving": served,
        "models": [_opened(home, keys, name) for name in (model_store.FIT, model_store.CASES)],
        "pseudonyms": pseudonyms,
        "carried": [keys.key(purpose).hex() for purpose in CARRIED],
        "release": verify_files(release_of(home), keys.trusted),
        "ledger": ledger.verify(),
        "facts": [e["facts"] for e in ledger.events() if e["kind"] == "released"],
    }


def _opened(home: Home, keys: KeyStore, name: str) -> bytes:
    content = (home.root / MODEL / name).read_bytes()
    about = "cases abcdef012345" if name == model_store.CASES else "abcdef012345"
    cipher = AESGCM(keys.key(model_store.PURPOSE))
    return cipher.decrypt(content[:12], content[12:], about.encode())


def digest(value: object) -> str:
    """A digest of what `told` gave, to compare across processes."""
    return hashlib.sha256(repr(value).encode()).hexdigest()


def left_behind(home: Home) -> list[str]:
    """Files that only a write in progress has."""
    return sorted(p.name for p in home.root.rglob("*") if p.suffix in (".part", ".wal"))


def forge(home: Home, keys: KeyStore) -> Path:
    """A release signed with the hub's key that the ledger does not know: made by a thief of the key."""
    folder = home.out / "extracts" / "a-thief" / "2026-03-31"
    folder.mkdir(parents=True)
    (folder / "children.csv").write_text("forged\n", "ascii")
    write_manifest(folder, {"recipient": "a-thief"}, keys.signing_key)
    assert (folder / MANIFEST).is_file()
    return folder


def signed_by(keys: KeyStore, statement: dict[str, Any]) -> tuple[bytes, bytes]:
    """(signature, bytes) of any statement."""
    data = canonical_bytes(statement)
    return keys.signing_key.sign(data), data
