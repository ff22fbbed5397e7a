"""Pseudonyms that differ by recipient, purpose and epoch, so that two extracts do not join.

A pseudonym is the first 128 bits of HMAC-SHA-256 over the hub's identifier, under a key derived
for (recipient, purpose, epoch), written in 26 letters of lower-case base32 and one check
character. No look-up table exists: the hub derives the list again when it must answer which child
a token means. An unkeyed hash is never used: all valid NHS numbers can be hashed in minutes.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable

from governance.canonical import canonical_bytes
from governance.keys import KeyStore

TOKEN_BYTES = 16
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_WEIGHTS = range(1, 27)
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}


def pseudonym_key(keys: KeyStore, recipient: str, purpose: str, epoch: str) -> bytes:
    """Return the 32-byte key of one recipient, purpose and epoch (a year, say '2026')."""
    # JSON keeps ('a|b', 'c') and ('a', 'b|c') apart, which joining with '|' would not.
    label = canonical_bytes(["pseudonym", recipient, purpose, epoch]).decode("utf-8")
    return keys.key(label)


def pseudonymise(key: bytes, identifiers: Iterable[str | None]) -> list[str | None]:
    """Return the pseudonym of each identifier in order; None stays None."""
    return [None if each is None else _token(key, each) for each in identifiers]


def is_well_formed(token: str) -> bool:
    """Say whether a token has the right letters and check character (finds mistyped tokens)."""
    body, check = token[:-1], token[-1:]
    if len(body) != len(_WEIGHTS) or not set(token) <= set(_ALPHABET):
        return False
    return _check_character(body) == check


def _token(key: bytes, identifier: str) -> str:
    mac = hmac.digest(key, identifier.encode("utf-8"), "sha256")[:TOKEN_BYTES]
    body = base64.b32encode(mac).decode("ascii").rstrip("=").lower()
    return body + _check_character(body)


def _check_character(body: str) -> str:
    """Weighted sum modulo 31, a prime, so that one wrong letter or one swap changes it."""
    total = sum(weight * _VALUES[letter] for weight, letter in zip(_WEIGHTS, body, strict=True))
    return _ALPHABET[total % 31]
