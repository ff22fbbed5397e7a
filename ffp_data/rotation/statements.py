"""What a signing key signed that still lies in the home, so that it stays good when the key is retired.

Checkpoints of the ledger stay good by their count and are not listed. Of releases only those count that
stand in the ledger: whoever stole the key and forged a manifest cannot have it taken for the hub's.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature

from ffp_data.settings import Home
from governance.canonical import canonical_bytes, sha256_hex
from governance.container import CONTAINER, statement_of
from governance.files import sha256_of_file
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import MANIFEST

_LARGEST = 64 << 20
_SIGNATURE = "signature"


def signed_before(home: Home, keys: KeyStore) -> set[str]:
    """SHA-256 of every statement below the home that the active key signed."""
    released = _released(home, keys)
    return {
        sha256_hex(statement)
        for path in _files(home)
        if path.name != MANIFEST or sha256_of_file(path) in released
        for signature, statement in _statements(path)
        if _is_signed(keys, signature, statement)
    }


def _files(home: Home) -> Iterator[Path]:
    """Files that may hold a signature of the hub; what agencies delivered and working files do not."""
    others = {home.landing, home.ledger_dir, home.keys_dir, home.scratch, home.dagster_home}
    for top in sorted(home.root.iterdir()):
        if top not in others:
            found = sorted(top.rglob("*")) if top.is_dir() else [top]
            yield from (each for each in found if each.name.endswith((".json", ".json.gz")))


def _released(home: Home, keys: KeyStore) -> set[str]:
    told = (event["facts"] for event in Ledger(home.ledger_dir, keys).events())
    return {facts["manifest"] for facts in told if isinstance(facts.get("manifest"), str)}


def _statements(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Each (signature, bytes) that a file may be: any part of an object beside its signature, or the rest."""
    record = _read(path)
    if record is not None:
        signature = bytes.fromhex(record[_SIGNATURE])
        rest = {name: value for name, value in record.items() if name != _SIGNATURE}
        yield from ((signature, canonical_bytes(each)) for each in (*rest.values(), rest))
    if path.name == MANIFEST and (path.parent / CONTAINER).is_file():
        yield statement_of(path.parent / CONTAINER, path.read_bytes())


def _read(path: Path) -> dict[str, Any] | None:
    """The object of a JSON file that carries a signature; None for any other file."""
    if path.stat().st_size > _LARGEST:
        return None
    content = path.read_bytes()
    try:
        record = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
        bytes.fromhex(record[_SIGNATURE])
    except (ValueError, TypeError, KeyError, gzip.BadGzipFile):
        return None
    return dict(record)


def _is_signed(keys: KeyStore, signature: bytes, statement: bytes) -> bool:
    try:
        keys.public_key.verify(signature, statement)
    except InvalidSignature:
        return False
    return True
