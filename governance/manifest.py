"""What leaves, in one signed file beside it: files and hashes, agreement, policy, counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from governance.canonical import canonical_bytes, sha256_hex
from governance.files import replacing, sha256_of_file
from governance.keys import key_id

MANIFEST = "manifest.json"


def write_manifest(
    directory: Path, facts: Mapping[str, Any], signing_key: Ed25519PrivateKey
) -> str:
    """Sign ``facts`` and the hash of every file in ``directory``; return the manifest's SHA-256."""
    files = [
        {"name": name, "bytes": path.stat().st_size, "sha256": sha256_of_file(path)}
        for name, path in _files(directory)
    ]
    manifest = {
        **facts,
        "format": 1,
        "files": files,
        "key_id": key_id(signing_key.public_key()),
    }
    signature = signing_key.sign(canonical_bytes(manifest)).hex()
    content = canonical_bytes({"manifest": manifest, "signature": signature}) + b"\n"
    with replacing(directory / MANIFEST) as handle:
        handle.write(content)
    return sha256_hex(content)


def read_manifest(directory: Path, public_key: Ed25519PublicKey) -> dict[str, Any]:
    """Return the manifest of a directory; ValueError when it is not what this hub signed."""
    path = directory / MANIFEST
    try:
        envelope = json.loads(path.read_bytes())
        manifest: dict[str, Any] = envelope["manifest"]
        public_key.verify(bytes.fromhex(envelope["signature"]), canonical_bytes(manifest))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        raise ValueError(f"{path}: altered, or not signed by this hub") from None
    return manifest


def verify_files(directory: Path, public_key: Ed25519PublicKey) -> list[str]:
    """Return what differs between a directory and its manifest; empty when nothing does."""
    if not (directory / MANIFEST).exists():
        return [f"{directory / MANIFEST}: missing"]
    try:
        manifest = read_manifest(directory, public_key)
    except ValueError as error:
        return [str(error)]
    signed = {each["name"]: each["sha256"] for each in manifest["files"]}
    found = {name: sha256_of_file(path) for name, path in _files(directory)}
    return [
        f"{directory / name}: {_difference(signed.get(name), found.get(name))}"
        for name in sorted({*signed, *found})
        if signed.get(name) != found.get(name)
    ]


def _files(directory: Path) -> list[tuple[str, Path]]:
    """Every file below a directory but the manifest, by its name from there, in order."""
    paths = (path for path in directory.rglob("*") if path.is_file())
    named = sorted((path.relative_to(directory).as_posix(), path) for path in paths)
    return [(name, path) for name, path in named if name != MANIFEST]


def _difference(signed: str | None, found: str | None) -> str:
    if signed is None:
        return "not in the manifest"
    return "missing" if found is None else "altered"
