"""What an event tells is encrypted on disk; that it happened, when, and in which order is not.

Facts of an event are sealed with AES-256-GCM under a key of their own and stand in the line as base64; the
line's hash is over what is written. So whoever checks the ledger needs no key, and whoever takes the disk
or a backup reads kinds, times and hashes only. Kind and number of the event are bound to the sealed
facts: they open nowhere else.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from governance.canonical import canonical_bytes

_NONCE_BYTES = 12


class FactsUnreadableError(Exception):
    """The facts of an event do not open: another key, or the line was changed."""


class FactsCipher:
    """Seals and opens facts; safe for several threads."""

    def __init__(self, key: bytes) -> None:
        """Take the 32-byte key of the facts."""
        self._cipher = AESGCM(key)

    def seal(self, bound: str, facts: Mapping[str, Any]) -> str:
        """Return the facts as sealed base64, bound to ``bound``; TypeError for what JSON cannot say."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, canonical_bytes(facts), bound.encode())
        return base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, bound: str, sealed: str) -> dict[str, Any]:
        """Return the facts; raises FactsUnreadableError."""
        try:
            data = base64.b64decode(sealed, validate=True)
            clear = self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], bound.encode())
        except (InvalidTag, binascii.Error, ValueError):
            raise FactsUnreadableError(
                f"facts of {bound}: sealed under another root key, or changed since"
            ) from None
        facts: dict[str, Any] = json.loads(clear)
        return facts
