"""Extracts sealed to one recipient: a container that only the holder of a registered key opens.

The files of a release become one tar stream, cut into 4 MiB chunks of AES-256-GCM under a fresh random
key; each chunk's nonce is its number and a last-chunk mark (the STREAM construction of Hoang, Reyhanitabar,
Rogaway and Vizár, 2015). The manifest names the SHA-256 of all sealed bytes and is signed; then the key is
wrapped to the recipient by HPKE (RFC 9180) with the hash of the manifest in ``info``, and hub's Ed25519
signature covers manifest and wrapped key.
So a container opens with its own manifest, for its own recipient, whole, or not at all. The recipient
chooses between X25519 and the hybrid of ML-KEM-768 and X25519, which stays closed to whoever records it
today and has a quantum computer later: children's records are sensitive for 75 years and more. The format
is told in docs/sealed-extracts.md; `governance.open_extract` opens it and shares no code with this module.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from governance.container import (
    CHUNK_BYTES,
    CONTAINER,
    CONTEXT,
    HYBRID_SUITE,
    ID_BYTES,
    MAGIC,
    SIGNATURE_BYTES,
    WRAPPED_BYTES,
    X25519_SUITE,
)
from governance.manifest import write_manifest

SUITES = (X25519_SUITE, HYBRID_SUITE)
_CODE = {X25519_SUITE: 1, HYBRID_SUITE: 2}
_PUBLIC_BYTES = {X25519_SUITE: 32, HYBRID_SUITE: 1184 + 32}
_CHECK_BYTES, _MLKEM_BYTES = 4, 1184
_TEXT = re.compile(r"ffp-(x25519|mlkem768-x25519):([A-Za-z0-9+/]+={0,2})")


class RecipientKeyError(ValueError):
    """A text that is no recipient's public key."""


@dataclass(frozen=True)
class PublicKey:
    """A recipient's registered public key: what may be sealed so that they alone open it."""

    suite: str
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read ``ffp-<suite>:<base64>``, as `ffp extract keygen` prints it; raise RecipientKeyError."""
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise RecipientKeyError("not of the form ffp-x25519:… or ffp-mlkem768-x25519:…")
        suite = match[1]
        try:
            data = base64.b64decode(match[2], validate=True)
        except binascii.Error:
            raise RecipientKeyError("not base64") from None
        raw, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
        if len(raw) != _PUBLIC_BYTES[suite]:
            raise RecipientKeyError(f"{len(raw)} bytes where {_PUBLIC_BYTES[suite]} are wanted")
        if check != _check(suite, raw):
            raise RecipientKeyError("mistyped or cut: its check does not fit")
        key = cls(suite, raw)
        key.require_usable()
        return key

    @property
    def text(self) -> str:
        """The one line that a partner hands over and `organisations.yaml` holds."""
        data = self.raw + _check(self.suite, self.raw)
        return f"ffp-{self.suite}:{base64.b64encode(data).decode('ascii')}"

    @property
    def id(self) -> bytes:
        """Sixteen bytes that name the key in containers."""
        return hashlib.sha256(bytes([_CODE[self.suite]]) + self.raw).digest()[:ID_BYTES]

    def require_usable(self) -> None:
        """Raise RecipientKeyError for bytes that are no key, or to which nothing can be sealed."""
        try:
            self.wrap(bytes(32), b"")
        except ValueError:
            raise RecipientKeyError("no key: nothing can be sealed to it") from None

    def wrap(self, data_key: bytes, info: bytes) -> bytes:
        """Wrap the 32 bytes of a data key to the recipient."""
        if self.suite == X25519_SUITE:
            kem, public = hpke.KEM.X25519, X25519PublicKey.from_public_bytes(self.raw)
            return _hpke(kem).encrypt(data_key, public, info)
        hybrid = hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_BYTES]),
            X25519PublicKey.from_public_bytes(self.raw[_MLKEM_BYTES:]),
        )
        return _hpke(hpke.KEM.MLKEM768_X25519).encrypt(data_key, hybrid, info)


def make_key(suite: str, passphrase: bytes | None = None) -> tuple[bytes, PublicKey]:
    """Return a new private key in PEM, and the public key; only the recipient ever has the first."""
    pair: tuple[Any, ...] = (X25519PrivateKey.generate(),)
    if suite == HYBRID_SUITE:
        pair = (MLKEM768PrivateKey.generate(), *pair)
    how = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = b"".join(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how) for key in pair)
    return pem, PublicKey(suite, b"".join(key.public_key().public_bytes_raw() for key in pair))


def seal_for(
    recipient: PublicKey,
    directory: Path,
    facts: Mapping[str, Any],
    signing_key: Ed25519PrivateKey,
) -> str:
    """Put one container and its manifest in the place of all files in ``directory``.

    ``facts`` are those of the manifest. Returns the manifest's SHA-256, as `write_manifest` does.
    """
    plain = sorted(path for path in directory.rglob("*") if path.is_file())
    data_key, container = secrets.token_bytes(32), directory / CONTAINER
    prefix = MAGIC + bytes([_CODE[recipient.suite]]) + recipient.id
    header_bytes = len(prefix) + SIGNATURE_BYTES + WRAPPED_BYTES[recipient.suite]
    handle = os.open(container, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as target:
        target.write(bytes(header_bytes))  # filled in below, when the manifest is known
        body = _write_body(target, data_key, directory, plain)
        sealed = {"suite": recipient.suite, "recipient_key": recipient.id.hex(), **body}
        _remove(directory, plain)
        digest = write_manifest(directory, facts, signing_key, sealed=sealed)
        bound = CONTEXT + prefix + bytes.fromhex(digest)
        wrapped = recipient.wrap(data_key, bound)
        target.seek(0)
        target.write(prefix + signing_key.sign(bound + wrapped) + wrapped)
        target.flush()
        os.fsync(target.fileno())
    return digest


def _write_body(
    target: BinaryIO, data_key: bytes, directory: Path, files: Sequence[Path]
) -> dict[str, Any]:
    sealer = _Sealer(target, data_key)
    with tarfile.TarFile(
        fileobj=sealer,  # type: ignore[arg-type]
        mode="w",
        format=tarfile.PAX_FORMAT,
        copybufsize=1 << 20,
    ) as archive:
        for path in files:
            member = tarfile.TarInfo(path.relative_to(directory).as_posix())
            member.size, member.mode = path.stat().st_size, 0o600
            with path.open("rb") as source:
                archive.addfile(member, source)
    return sealer.finish()


class _Sealer:
    """A file to write plain bytes into, which come out as sealed chunks."""

    def __init__(self, target: BinaryIO, key: bytes) -> None:
        self._target, self._cipher, self._waiting = target, AESGCM(key), bytearray()
        self._number, self._taken, self._size = 0, 0, 0
        self._running = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._waiting += data
        self._taken += len(data)
        while len(self._waiting) > CHUNK_BYTES:  # the last chunk is written by `finish`
            self._write_chunk(bytes(self._waiting[:CHUNK_BYTES]), is_last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(data)

    def tell(self) -> int:
        return self._taken

    def finish(self) -> dict[str, Any]:
        """Write the last chunk; return size and SHA-256 of all sealed bytes."""
        self._write_chunk(bytes(self._waiting), is_last=True)
        return {"bytes": self._size, "sha256": self._running.hexdigest()}

    def _write_chunk(self, plain: bytes, *, is_last: bool) -> None:
        nonce = self._number.to_bytes(11, "big") + bytes([is_last])
        chunk = self._cipher.encrypt(nonce, plain, MAGIC)
        self._running.update(chunk)
        self._target.write(chunk)
        self._number, self._size = self._number + 1, self._size + len(chunk)


def _remove(directory: Path, files: Sequence[Path]) -> None:
    for path in files:
        path.unlink()
    for folder in sorted((p for p in directory.rglob("*") if p.is_dir()), reverse=True):
        folder.rmdir()


def _hpke(kem: hpke.KEM) -> hpke.Suite:
    return hpke.Suite(kem, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def _check(suite: str, raw: bytes) -> bytes:
    return hashlib.sha256(b"check" + suite.encode("ascii") + raw).digest()[:_CHECK_BYTES]
