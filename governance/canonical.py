"""One byte form for each JSON value, so that equal facts hash and sign equally everywhere.

Keys are sorted, no spaces, UTF-8 unescaped, no NaN. It is the form used by the policy lock, the
ledger and the manifests; the stand-alone verifier repeats it on purpose instead of importing it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical_bytes(value: Any) -> bytes:
    """Return the canonical UTF-8 JSON of ``value``; TypeError for what JSON cannot say."""
    return _ENCODER.encode(value).encode("utf-8")


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of ``data`` as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """Return the SHA-256 (hex) of the canonical JSON of ``value``."""
    return sha256_hex(canonical_bytes(value))
