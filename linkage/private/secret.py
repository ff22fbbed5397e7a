"""The partners' secret: 32 random bytes in a file of its owner's, and a key derived for each purpose.

Keys come by HKDF-SHA-256 (RFC 5869) from secret, epoch and fingerprint of the parameters, each with
its own label (a column's filters, a blocking rule's tokens, record ids, ...). A key check value,
derived in the same way, lets the hub see that two files were made with one secret without learning
anything else of it. The secret is in no error, log or report, and its object does not print it.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from linkage.errors import LinkageError

KEY_BYTES = 32
_HEAD = "ffp-linkage-secret-1"
_LABEL = b"ffp-linkage/private/1/"


@dataclass(frozen=True)
class Secret:
    """The shared secret in memory; never shown."""

    _bytes: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Secret:
        """Read a secret's file; raises LinkageError if others may read it or it is malformed."""
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise LinkageError(f"{path}: the secret cannot be read") from error
        if stat.S_IMODE(mode) & 0o077:
            raise LinkageError(f"{path}: others may read the secret; run: chmod 600 {path}")
        head, _, body = text.strip().partition("\n")
        try:
            value = base64.b64decode(body, validate=True)
        except binascii.Error:
            value = b""
        if head != _HEAD or len(value) != KEY_BYTES:
            raise LinkageError(f"{path}: not a secret that 'ffp private keygen' made, or damaged")
        return cls(value)

    def key(self, context: str, purpose: str) -> bytes:
        """The 32-byte key of a purpose in a context (epoch and fingerprint of the parameters)."""
        derivation = HKDF(hashes.SHA256(), KEY_BYTES, context.encode(), _LABEL + purpose.encode())
        return derivation.derive(self._bytes)

    def check_value(self) -> str:
        """Equal for equal secrets, and says nothing else of them."""
        return self.key("", "key check value")[:8].hex()


def make(path: Path) -> None:
    """Write a new secret, readable by its owner only; raises LinkageError if the file exists."""
    text = f"{_HEAD}\n{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise LinkageError(f"{path}: exists already; a secret is never overwritten") from None
    except OSError as error:
        raise LinkageError(f"{path}: cannot be written ({error.strerror})") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        os.fchmod(handle, 0o600)  # whatever the umask
        file.write(text)


def refuse_inside(path: Path, home: Path, marker: str) -> None:
    """Raise LinkageError if a secret lies in a hub's home: ``home``, or any folder with ``marker``."""
    resolved = path.resolve()
    for folder in resolved.parents:
        if folder == home.resolve() or (folder / marker).exists():
            raise LinkageError(
                f"{path}: lies inside a hub's home ({folder}); the hub may never hold the partners' "
                "secret: keep it at the partner, outside the hub"
            )
