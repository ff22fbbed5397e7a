"""One root key, and a derived key for each purpose (HKDF-SHA-256, RFC 5869).

The root key is 32 random bytes. It comes from the environment variable FFP_ROOT_KEY (base64) or
from the file ``root.key`` in the key directory, which is made on first use and readable by its
owner only. No other secret is stored: warehouse key, ledger and manifest signatures, seals and
pseudonyms are all derived from it, each with its own label, so that one derived key says nothing
about another. ``root.id`` holds a fingerprint, so that a wrong root key is refused at once
instead of making an unreadable warehouse or a second line of pseudonyms.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance.canonical import sha256_hex
from governance.files import fsync_directory, replacing

ROOT_KEY_VARIABLE = "FFP_ROOT_KEY"
KEY_BYTES = 32
_SALT = b"ffp-data/governance/keys/1"  # fixed: a change makes every stored secret unreadable


class RootKeyError(Exception):
    """The root key is missing, malformed, readable by others, or not the one used before."""


def key_id(public_key: Ed25519PublicKey) -> str:
    """Return the first 16 hex digits of the SHA-256 of a public key: its name in records."""
    return sha256_hex(public_key.public_bytes_raw())[:16]


class KeyStore:
    """Derives every key of one hub from its root key; keys are cached per object, never stored."""

    def __init__(self, directory: Path) -> None:
        """Open or create the store in ``directory``; raise RootKeyError if the root is unfit."""
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = _root_from_environment() or _root_from_file(self._directory / "root.key")
        self._check_fingerprint()

    def key(self, purpose: str) -> bytes:
        """Return the 32-byte key for ``purpose``; equal purposes give equal keys."""
        if not purpose:
            raise ValueError("a key needs a purpose")
        derivation = HKDF(hashes.SHA256(), KEY_BYTES, _SALT, purpose.encode("utf-8"))
        return derivation.derive(self._root)

    @cached_property
    def signing_key(self) -> Ed25519PrivateKey:
        """The Ed25519 key that signs locks, checkpoints and manifests."""
        return Ed25519PrivateKey.from_private_bytes(self.key("sign/ed25519"))

    @cached_property
    def public_key(self) -> Ed25519PublicKey:
        """The public half of the signing key, to hand to recipients."""
        return self.signing_key.public_key()

    @property
    def warehouse_key(self) -> str:
        """The DuckDB ENCRYPTION_KEY: 32 derived bytes in base64."""
        return base64.b64encode(self.key("warehouse/duckdb")).decode("ascii")

    def write_public_key(self, path: Path) -> None:
        """Write the public signing key as PEM, for `verify_ledger.py` and for recipients."""
        path.write_bytes(
            self.public_key.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def __repr__(self) -> str:
        """Name the store, never a secret."""
        return f"KeyStore({str(self._directory)!r})"

    def _check_fingerprint(self) -> None:
        path = self._directory / "root.id"
        fingerprint = self.key("fingerprint").hex()[:16]
        try:
            known = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            with replacing(path) as handle:
                handle.write(fingerprint.encode("ascii") + b"\n")
            return
        if known != fingerprint:
            raise RootKeyError(
                f"{path}: the root key is not the one this hub was made with "
                f"(expected {known}, got {fingerprint}); restore the root key, or use a new home"
            )


def _root_from_environment() -> bytes | None:
    text = os.environ.get(ROOT_KEY_VARIABLE)
    return None if text is None else _decode(text, f"environment variable {ROOT_KEY_VARIABLE}")


def _root_from_file(path: Path) -> bytes:
    if not path.exists():
        _create_root(path)
    if path.stat().st_mode & 0o077:
        raise RootKeyError(f"{path}: readable by other users; run: chmod 600 {path}")
    return _decode(path.read_text(encoding="ascii"), str(path))


def _create_root(path: Path) -> None:
    """Write a fresh root beside and link it in: of two first users one wins, none reads half."""
    part = path.with_name(f".root.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(part)
    except FileExistsError:
        return
    finally:
        part.unlink()
    fsync_directory(path.parent)


def _decode(text: str, where: str) -> bytes:
    try:
        root = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise RootKeyError(f"{where}: not base64; give 32 random bytes in base64") from None
    if len(root) != KEY_BYTES:
        raise RootKeyError(f"{where}: {len(root)} bytes; give 32 random bytes in base64")
    return root
