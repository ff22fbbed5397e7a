"""The vault: what left the hub with a sealed identity, readable by the custodian alone.

Each part is one file, encrypted by HPKE (RFC 9180) to the custodian's public key. The key pair is
hybrid, ML-KEM-768 with X25519: the papers of an adoption stay secret for a hundred years, longer than
elliptic curves alone are expected to hold. The hub keeps the public half, so it can put parts in and never
read one. Parts bear random names and the day, not the time, at which they were written.
"""

from __future__ import annotations

import gzip
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from governance.canonical import canonical_bytes, sha256_hex
from governance.files import replacing

SUFFIX = ".vault"
_MAGIC = b"FFPVAULT1\n"
_END = b"-----END"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class VaultError(ValueError):
    """A key that is none, or a part that does not open with it."""


@dataclass(frozen=True)
class Custodian:
    """The public half of the custodian's key: it closes, and never opens."""

    mlkem: MLKEM768PublicKey
    x25519: X25519PublicKey

    @classmethod
    def read(cls, path: Path) -> Custodian:
        """Raises VaultError where there is no key, or no public one."""
        try:
            first, second = (load_pem_public_key(block) for block in _blocks(path))
        except (OSError, ValueError, TypeError) as error:
            raise VaultError(
                f"{path}: no custodian's public key; make a key pair with: ffp hub custodian-key FILE"
            ) from error
        if not isinstance(first, MLKEM768PublicKey) or not isinstance(second, X25519PublicKey):
            raise VaultError(f"{path}: not an ML-KEM-768 and an X25519 key")
        return cls(first, second)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits by which the two halves of a pair are known to belong together."""
        return sha256_hex(self.mlkem.public_bytes_raw() + self.x25519.public_bytes_raw())[:16]

    def close(self, content: Mapping[str, Any]) -> bytes:
        """The bytes of a part that holds `content`."""
        plain = gzip.compress(canonical_bytes(content), mtime=0)
        public = hpke.MLKEM768X25519PublicKey(self.mlkem, self.x25519)
        return _MAGIC + _SUITE.encrypt(plain, public, _MAGIC)


@dataclass(frozen=True)
class CustodianKey:
    """The private half; it exists in the custodian's hands only."""

    mlkem: MLKEM768PrivateKey
    x25519: X25519PrivateKey

    @classmethod
    def make(cls) -> CustodianKey:
        return cls(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def read(cls, path: Path, passphrase: str | None = None) -> CustodianKey:
        """Raises VaultError for a file without the two keys, or a wrong passphrase."""
        secret = passphrase.encode() if passphrase else None
        try:
            first, second = (load_pem_private_key(block, secret) for block in _blocks(path))
        except (OSError, ValueError, TypeError) as error:
            raise VaultError(
                f"{path}: no custodian's private key, or a wrong passphrase"
            ) from error
        if not isinstance(first, MLKEM768PrivateKey) or not isinstance(second, X25519PrivateKey):
            raise VaultError(f"{path}: not an ML-KEM-768 and an X25519 key")
        return cls(first, second)

    @property
    def public(self) -> Custodian:
        return Custodian(self.mlkem.public_key(), self.x25519.public_key())

    def write(self, private: Path, public: Path, passphrase: str | None) -> None:
        """Write both halves; the private one first, readable by its owner only, never over another."""
        how = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        pair = (self.mlkem, self.x25519)
        blocks = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how) for key in pair]
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(b"".join(blocks))
            file.flush()
            os.fsync(file.fileno())
        form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with replacing(public) as file:
            file.write(b"".join(key.public_key().public_bytes(*form) for key in pair))

    def open(self, part: Path) -> dict[str, Any]:
        """What a part holds; raises VaultError."""
        sealed = part.read_bytes()
        if not sealed.startswith(_MAGIC):
            raise VaultError(f"{part}: not a part of a vault")
        private = hpke.MLKEM768X25519PrivateKey(self.mlkem, self.x25519)
        try:
            plain = _SUITE.decrypt(sealed[len(_MAGIC) :], private, _MAGIC)
        except (InvalidTag, ValueError):
            raise VaultError(f"{part}: another key closed it, or it was changed") from None
        content: dict[str, Any] = json.loads(gzip.decompress(plain))
        return content


@dataclass(frozen=True)
class Vault:
    """The folder of parts of one hub."""

    folder: Path
    custodian: Custodian

    def put(self, content: Mapping[str, Any], name: str | None = None) -> str:
        """Write a part, whole or not at all; a part of the same name is replaced. Gives the name."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = name or secrets.token_hex(16)
        path = self.folder / (name + SUFFIX)
        with replacing(path) as handle:
            handle.write(self.custodian.close(content))
        to_the_day(path)
        return name


def to_the_day(path: Path) -> None:
    """Let the file's times tell its day only."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    os.utime(path, (day, day))


def _blocks(path: Path) -> list[bytes]:
    """The two PEM blocks of a file."""
    text = path.read_bytes()
    found = [b"-----BEGIN" + part for part in text.split(b"-----BEGIN")[1:]]
    if len(found) != 2 or not all(_END in block for block in found):
        raise ValueError("not two keys")
    return found
