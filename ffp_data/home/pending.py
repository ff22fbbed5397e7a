"""The journal of a seal or erasure that is under way: what to go on with after a crash, and why nobody may look.

While the file is there the old identity may stand in one place and be gone from another, so look-ups and
runs are refused until it was run to its end. It must name the identity to find it again; it
is encrypted under a key of the hub and removed as the last step.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ffp_data.settings import Home
from governance.files import fsync_directory, replacing
from governance.keys import KeyStore

_FILE = "seal.pending"
_LABEL = "seal/journal"
_NONCE = 12
_SEALING: set[Path] = set()


class SealUnfinishedError(RuntimeError):
    """A seal was begun on this home and is not done; what is here must not be read."""


def path_of(home: Home) -> Path:
    return home.root / _FILE


@contextmanager
def sealing(home: Home) -> Iterator[None]:
    """Let this process, which is the seal, pass."""
    _SEALING.add(home.root)
    try:
        yield
    finally:
        _SEALING.discard(home.root)


def require_none(home: Home) -> None:
    """Raises SealUnfinishedError while a seal is under way, but in the process that seals."""
    if home.root not in _SEALING and path_of(home).exists():
        raise SealUnfinishedError(
            f"{home.root}: a seal or an erasure was begun and is not done; run `ffp hub seal`, `ffp erase` or"
            " `ffp retention --apply` again, whichever it was, to its end"
        )


class Journal:
    """What a seal must remember between its steps; each `write` is whole or not at all."""

    def __init__(self, home: Home, keys: KeyStore) -> None:
        self._path = path_of(home)
        self._cipher = AESGCM(keys.key(_LABEL))

    def read(self) -> dict[str, Any] | None:
        """The state of the seal that is under way; None when none is."""
        if not self._path.exists():
            return None
        data = self._path.read_bytes()
        plain = self._cipher.decrypt(data[:_NONCE], data[_NONCE:], _FILE.encode())
        state: dict[str, Any] = json.loads(plain)
        return state

    def write(self, state: dict[str, Any]) -> None:
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, json.dumps(state).encode(), _FILE.encode())
        with replacing(self._path) as handle:
            handle.write(nonce + sealed)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
        fsync_directory(self._path.parent)
