"""Texts to keyed tokens, and texts to keyed Bloom filters, many at a time.

A token is the first eight bytes of HMAC-SHA-256. A filter is the set of a text's padded q-grams
(Schnell, Bachteler and Reiher 2009); the positions of a gram are two-byte pieces of its one HMAC,
independent of one another, because positions by double hashing give a gram away by their regular
distances (Niedermeyer et al. 2014; Schnell and Borgs 2016). Work is done once for each distinct
text. Filters may be folded by exclusive or, and each record's bits flipped by keyed noise.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkage.private.settings import Settings

Bytes = NDArray[np.uint8]
Tokens = NDArray[np.uint64]
_ROWS = 16_384  # filters unpacked at a time: 8 MiB of booleans at 512 bits


def tokens(texts: Sequence[str], key: bytes) -> Tokens:
    """(texts,) of keyed tokens."""
    digests = b"".join(hmac.digest(key, t.encode(), "sha256")[:8] for t in texts)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def grams(text: str, length: int) -> set[str]:
    """Distinct q-grams of a text, padded so that beginning and end count."""
    pad = "_" * (length - 1)
    padded = f"{pad}{text}{pad}"
    return {padded[i : i + length] for i in range(len(padded) - length + 1)}


def filters(texts: Sequence[str], salts: Sequence[str], key: bytes, settings: Settings) -> Bytes:
    """(texts, bytes) of Bloom filters, packed; ``salts`` are mixed into every gram of their text."""
    numbers: dict[str, int] = {}
    lengths, flat = np.empty(len(texts), np.int64), []
    for i, (text, salt) in enumerate(zip(texts, salts, strict=True)):
        # Sorted, so that nothing depends on the order of a set.
        found = sorted(f"{salt}|{g}" for g in grams(text, settings.grams))
        lengths[i] = len(found)
        flat.append([numbers.setdefault(g, len(numbers)) for g in found])
    positions = _positions(list(numbers), key, settings)
    result = np.empty((len(texts), settings.bits // 8), np.uint8)
    for start in range(0, len(texts), _ROWS):
        rows = slice(start, start + _ROWS)
        chosen = [g for part in flat[rows] for g in part]
        bits = np.zeros((len(flat[rows]), settings.bits), dtype=bool)
        owner = np.repeat(np.arange(len(bits)), lengths[rows])
        bits[owner[:, None], positions[chosen]] = True
        result[rows] = np.packbits(bits, axis=1)
    return fold(result) if settings.fold else result


def _positions(texts: Sequence[str], key: bytes, settings: Settings) -> NDArray[np.int64]:
    """(grams, hashes) of bit positions."""
    digests = b"".join(hmac.digest(key, t.encode(), "sha256") for t in texts)
    pieces = np.frombuffer(digests, dtype="<u2").reshape(len(texts), 16)[:, : settings.hashes]
    return pieces.astype(np.int64) % settings.bits


def fold(packed: Bytes) -> Bytes:
    """Both halves of each filter by exclusive or (Schnell and Borgs 2016)."""
    half = packed.shape[1] // 2
    return packed[:, :half] ^ packed[:, half:]


def flip(packed: Bytes, record_ids: Sequence[str], key: bytes, share: float) -> Bytes:
    """Each bit turned with a probability, by noise of the record's own (BLIP, Schnell and Borgs 2016).

    The noise is keyed and follows from the record id, so that a repeated delivery cannot be
    averaged to take it away.
    """
    result = packed.copy()
    for i, record in enumerate(record_ids):
        seed = int.from_bytes(hmac.digest(key, record.encode(), "sha256"), "little")
        noise = np.random.default_rng(seed).random(packed.shape[1] * 8) < share
        result[i] ^= np.packbits(noise)
    return result
