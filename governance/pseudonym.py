"""Pseudonyms that differ by recipient, purpose and epoch, so that two extracts do not join.

A pseudonym is the first 128 bits of HMAC-SHA-256 over the hub's identifier, under a key derived
for (recipient, purpose, epoch), written in 26 letters of lower-case base32 and one check
character. No look-up table exists: the hub derives the list again when it must answer which child
a token means. An unkeyed hash is never used: all valid NHS numbers can be hashed in minutes.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from governance.canonical import canonical_bytes
from governance.keys import KeyStore

_MAC_BYTES = 16
_LETTERS = 26  # 128 bits in groups of five, the last padded with zeros
_ALPHABET = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)
_BITS = np.array([16, 8, 4, 2, 1], np.uint8)
_WEIGHTS = np.arange(1, _LETTERS + 1)
_PRIME = 31  # one wrong letter or two swapped neighbours change the check character


def pseudonym_key(keys: KeyStore, recipient: str, purpose: str, epoch: str) -> bytes:
    """Return the 32-byte key of one recipient, purpose and epoch (a year, say '2026')."""
    # JSON keeps ('a|b', 'c') and ('a', 'b|c') apart, which joining with '|' would not.
    label = canonical_bytes(["pseudonym", recipient, purpose, epoch]).decode("utf-8")
    return keys.key(label, epoch)


def pseudonymise(key: bytes, identifiers: Iterable[str | None]) -> list[str | None]:
    """Return the pseudonym of each identifier in order; None stays None."""
    listed = list(identifiers)
    macs = b"".join(
        hmac.digest(key, each.encode("utf-8"), "sha256")[:_MAC_BYTES]
        for each in listed
        if each is not None
    )
    tokens = iter(_tokens(macs))
    return [None if each is None else next(tokens) for each in listed]


def is_well_formed(token: str) -> bool:
    """Say whether a token has the right letters and check character (finds mistyped tokens)."""
    values = [_ALPHABET.tobytes().find(letter.encode("utf-8")) for letter in token]
    if len(values) != _LETTERS + 1 or -1 in values:
        return False
    return bool(_check_values(np.array([values[:-1]]))[0] == values[-1])


def _tokens(macs: bytes) -> list[str]:
    """Return one token for each 16 bytes: five bits a letter, then the check character."""
    bits = np.unpackbits(np.frombuffer(macs, np.uint8).reshape(-1, _MAC_BYTES), axis=1)
    padded = np.pad(bits, ((0, 0), (0, _LETTERS * 5 - bits.shape[1])))
    values = padded.reshape(-1, _LETTERS, 5) @ _BITS
    letters = _ALPHABET[np.column_stack([values, _check_values(values)])]
    texts: list[str] = letters.view(f"S{_LETTERS + 1}").ravel().astype(str).tolist()
    return texts


def _check_values(values: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    return np.asarray((values.astype(np.int64) @ _WEIGHTS) % _PRIME)
