"""Files sealed with AES-256-GCM in chunks: unreadable without the key, and no part may change.

Layout: 8 bytes magic, 16 bytes random salt, then chunks of 4 MiB plaintext plus a 16-byte tag.
Each file has its own key (HKDF of the given key with the salt). The nonce is the chunk's number
and a last-chunk mark (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015),
so a flipped bit, a cut, an added, swapped or borrowed chunk fails to open.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance.files import replacing

MAGIC = b"FFPSEAL1"
CHUNK_BYTES = 4 * 1024 * 1024
_SALT_BYTES = 16
_TAG_BYTES = 16


class SealBrokenError(Exception):
    """A sealed file does not open: wrong key, or its bytes were changed or cut."""


def seal(path_in: Path, path_out: Path, key: bytes) -> None:
    """Write ``path_in`` sealed under the 32-byte ``key`` to ``path_out``, whole or not at all."""
    header = MAGIC + secrets.token_bytes(_SALT_BYTES)
    cipher = _cipher(key, header)
    with path_in.open("rb") as source, replacing(path_out) as target:
        target.write(header)
        for number, chunk, is_last in _numbered(source, CHUNK_BYTES):
            target.write(cipher.encrypt(_nonce(number, is_last), chunk, header))


def open_sealed(path_in: Path, path_out: Path, key: bytes) -> None:
    """Write the content of a sealed file to ``path_out``; SealBrokenError leaves nothing behind."""
    with replacing(path_out) as target:
        for chunk in read_sealed(path_in, key):
            target.write(chunk)


def read_sealed(path: Path, key: bytes) -> Iterator[bytes]:
    """Yield verified chunks in order; a cut shows only at the end, so act after the last one."""
    with path.open("rb") as source:
        header = source.read(len(MAGIC) + _SALT_BYTES)
        if len(header) != len(MAGIC) + _SALT_BYTES or not header.startswith(MAGIC):
            raise SealBrokenError(f"{path}: not a sealed file")
        cipher = _cipher(key, header)
        for number, chunk, is_last in _numbered(source, CHUNK_BYTES + _TAG_BYTES):
            yield _open_chunk(cipher, _nonce(number, is_last), chunk, header, path)


def _open_chunk(cipher: AESGCM, nonce: bytes, chunk: bytes, header: bytes, path: Path) -> bytes:
    try:
        return cipher.decrypt(nonce, chunk, header)
    except InvalidTag:
        raise SealBrokenError(f"{path}: wrong key, or the file was changed or cut") from None


def _numbered(source: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield (number, chunk, is last); an empty file has one empty last chunk."""
    number, chunk = 0, source.read(size)
    while following := source.read(size):
        yield number, chunk, False
        number, chunk = number + 1, following
    yield number, chunk, True


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _cipher(key: bytes, header: bytes) -> AESGCM:
    salt = header[len(MAGIC) :]
    return AESGCM(HKDF(hashes.SHA256(), 32, salt, MAGIC).derive(key))
