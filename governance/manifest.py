"""What leaves, in one signed file beside it: files and hashes, agreement, policy, counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.canonical import canonical_bytes, sha256_hex
from governance.container import CONTAINER, is_as_signed
from governance.files import replacing, sha256_of_file
from governance.keys import Verifier, key_id

MANIFEST = "manifest.json"


def write_manifest(
    directory: Path,
    facts: Mapping[str, Any],
    signing_key: Ed25519PrivateKey,
    sealed: Mapping[str, Any] | None = None,
) -> str:
    """Sign ``facts`` and the hash of every file in ``directory``; return the manifest's SHA-256.

    ``sealed``: what is told of the one container in the directory, in the place of its files
    (`governance.envelope`), whose hashes would let anybody try guesses at what they hold.
    """
    files = [
        {"name": name, "bytes": path.stat().st_size, "sha256": sha256_of_file(path)}
        for name, path in ([] if sealed else _files(directory))
    ]
    manifest = {
        **facts,
        **({"sealed": dict(sealed)} if sealed else {}),
        "format": 1,
        "files": files,
        "key_id": key_id(signing_key.public_key()),
    }
    signature = signing_key.sign(canonical_bytes(manifest)).hex()
    content = canonical_bytes({"manifest": manifest, "signature": signature}) + b"\n"
    with replacing(directory / MANIFEST) as handle:
        handle.write(content)
    return sha256_hex(content)


def read_manifest(directory: Path, public_key: Verifier) -> dict[str, Any]:
    """Return the manifest of a directory; ValueError when it is not what this hub signed."""
    path = directory / MANIFEST
    try:
        envelope = json.loads(path.read_bytes())
        manifest: dict[str, Any] = envelope["manifest"]
        public_key.verify(bytes.fromhex(envelope["signature"]), canonical_bytes(manifest))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        raise ValueError(f"{path}: altered, or not signed by this hub") from None
    return manifest


def verify_files(directory: Path, public_key: Verifier) -> list[str]:
    """Return what differs between a directory and its manifest; empty when nothing does."""
    if not (directory / MANIFEST).exists():
        return [f"{directory / MANIFEST}: missing"]
    try:
        manifest = read_manifest(directory, public_key)
    except ValueError as error:
        return [str(error)]
    if "sealed" in manifest:
        return _wrong_with_container(directory, manifest["sealed"], public_key)
    signed = {each["name"]: each["sha256"] for each in manifest["files"]}
    found = {name: sha256_of_file(path) for name, path in _files(directory)}
    return [
        f"{directory / name}: {_difference(signed.get(name), found.get(name))}"
        for name in sorted({*signed, *found})
        if signed.get(name) != found.get(name)
    ]


def _wrong_with_container(
    directory: Path, sealed: Mapping[str, Any], public_key: Verifier
) -> list[str]:
    found = {name: path for name, path in _files(directory)}
    others = [f"{directory / name}: not in the manifest" for name in found if name != CONTAINER]
    if CONTAINER not in found:
        return [f"{directory / CONTAINER}: missing", *others]
    said = (directory / MANIFEST).read_bytes()
    if not is_as_signed(found[CONTAINER], said, sealed, public_key):
        return [f"{directory / CONTAINER}: altered", *others]
    return others


def _files(directory: Path) -> list[tuple[str, Path]]:
    """Every file below a directory but the manifest, by its name from there, in order."""
    paths = (path for path in directory.rglob("*") if path.is_file())
    named = sorted((path.relative_to(directory).as_posix(), path) for path in paths)
    return [(name, path) for name, path in named if name != MANIFEST]


def _difference(signed: str | None, found: str | None) -> str:
    if signed is None:
        return "not in the manifest"
    return "missing" if found is None else "altered"
