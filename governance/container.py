"""The outside of a sealed extract: where its parts stand, and whether it is the one that was signed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature

from governance.keys import Verifier

CONTAINER = "extract.ffpx"
MAGIC, CONTEXT = b"FFPX0001", b"ffp-data sealed extract 1"
HYBRID_SUITE, X25519_SUITE = "mlkem768-x25519", "x25519"
WRAPPED_BYTES = {X25519_SUITE: 80, HYBRID_SUITE: 1168}
ID_BYTES, SIGNATURE_BYTES = 16, 64
CHUNK_BYTES = 4 * 1024 * 1024
PREFIX_BYTES = len(MAGIC) + 1 + ID_BYTES
_WRAPPED_OF = {b"\1": WRAPPED_BYTES[X25519_SUITE], b"\2": WRAPPED_BYTES[HYBRID_SUITE]}
_BLOCK = 1 << 20


def is_as_signed(path: Path, manifest: bytes, sealed: Mapping[str, Any], keys: Verifier) -> bool:
    """Say whether a container is the one that was signed with a manifest; needs no secret.

    ``manifest``: the bytes of manifest.json; ``sealed``: what it tells of the container.
    """
    running, size = hashlib.sha256(), 0
    signature, statement = statement_of(path, manifest)
    with path.open("rb") as source:
        source.seek(PREFIX_BYTES + SIGNATURE_BYTES + WRAPPED_BYTES[sealed["suite"]])
        while block := source.read(_BLOCK):
            running.update(block)
            size += len(block)
    try:
        keys.verify(signature, statement)
    except InvalidSignature:
        return False
    return (size, running.hexdigest()) == (sealed["bytes"], sealed["sha256"])


def statement_of(path: Path, manifest: bytes) -> tuple[bytes, bytes]:
    """Return the signature of a container and the bytes that it is over, with this manifest."""
    with path.open("rb") as source:
        prefix, signature = source.read(PREFIX_BYTES), source.read(SIGNATURE_BYTES)
        wrapped = source.read(_WRAPPED_OF.get(prefix[len(MAGIC) : len(MAGIC) + 1], 0))
    return signature, CONTEXT + prefix + hashlib.sha256(manifest).digest() + wrapped
