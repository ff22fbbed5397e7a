"""The keys of one hub: a root that opens the book of purpose keys, and a derived key for each purpose.

The root key comes from the environment, a file or the system's keyring (`governance.roots`); it opens
``keyring.json`` (`governance.keybook`), from whose purpose keys HKDF-SHA-256 (RFC 5869) derives every key
that is used, each with its own label, so that one derived key says nothing about another. A home from
before the book gets one at first use in which every purpose key is its root, so that what was derived from
it stays what it was. ``root.id`` says that there must be a book: without it a lost book would look like a
new home.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from governance.canonical import sha256_hex
from governance.files import replacing
from governance.key_use import KeysInUseError, changing, in_use
from governance.keybook import (
    BOOK_FILE,
    NAMES,
    PSEUDONYMS,
    SIGNING,
    OpenBook,
    PurposeKey,
    derive,
    fingerprint,
    name_of,
    open_book,
)
from governance.roots import (
    KEY_BYTES,
    ROOT_KEY_VARIABLE,
    SOURCE_VARIABLE,
    RootKeyError,
    RootSource,
    new_root,
    source_of,
)

__all__ = [
    "KEY_BYTES",
    "ROOT_KEY_VARIABLE",
    "SOURCE_VARIABLE",
    "KeyStore",
    "KeysInUseError",
    "RootKeyError",
    "RotationUnfinishedError",
    "TrustedKeys",
    "Verifier",
    "key_id",
]

_SIGN = "sign/ed25519"
_HAS_BOOK = "keyring.json"  # stands in root.id where a book was made


class RotationUnfinishedError(RootKeyError):
    """A rotation of keys was begun and is not done: some stores are under new keys, some under old."""


class Verifier(Protocol):
    """What checks a signature: one public key, or all that a hub ever signed with."""

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raise InvalidSignature unless ``signature`` is good for ``data``."""


def key_id(public_key: Ed25519PublicKey) -> str:
    """Return the first 16 hex digits of the SHA-256 of a public key: its name in records."""
    return sha256_hex(public_key.public_bytes_raw())[:16]


@dataclass(frozen=True)
class TrustedKeys:
    """The public key that signs now, and those before it for what they signed while they did."""

    active: Ed25519PublicKey
    retired: tuple[PurposeKey, ...] = ()

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raise InvalidSignature unless the active key signed, or a retired one in its time."""
        try:
            return self.active.verify(signature, data)
        except InvalidSignature:
            for line in self.retired:
                if _is_of(line, signature, data) and _is_in_time(line, data):
                    return None
            raise

    def pem(self) -> bytes:
        """Return all keys as PEM, the active one first."""
        form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        former = (_public_of(line) for line in reversed(self.retired))
        return b"".join(key.public_bytes(*form) for key in (self.active, *former))


def _public_of(line: PurposeKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(str(line.public)))


def _is_of(line: PurposeKey, signature: bytes, data: bytes) -> bool:
    try:
        _public_of(line).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _is_in_time(line: PurposeKey, data: bytes) -> bool:
    """A checkpoint counts up to the last event of the key's time, anything else if it was listed then."""
    if sha256_hex(data) in line.signed:
        return True
    try:
        statement = json.loads(data)
        return "head" in statement and bool(statement["count"] <= line.until)
    except (ValueError, KeyError, TypeError):
        return False


class KeyStore:
    """Derives every key of one hub from its purpose keys; derived keys are never stored."""

    def __init__(self, directory: Path, *, rotating: bool = False) -> None:
        """Open or create the store in ``directory``; raise RootKeyError if root or book are unfit.

        ``rotating``: open it in the middle of a rotation too, to go on with that.
        """
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.use = in_use(self._directory)  # for as long as this object lives
        self.opened = _opened(self._directory)
        if self.opened.book.is_rotating and not rotating:
            raise RotationUnfinishedError(
                f"{self._directory}: a rotation of keys was begun and is not done; run"
                " `ffp keys rotate` again to its end"
            )

    @property
    def directory(self) -> Path:
        """Where the book lies."""
        return self._directory

    def key(self, purpose: str, epoch: str = "") -> bytes:
        """Return the 32-byte key for ``purpose``; equal purposes give equal keys.

        ``epoch``: the year of a pseudonym, whose key stays the same until the year is over.
        """
        if not purpose:
            raise ValueError("a key needs a purpose")
        name = name_of(purpose)
        line = self._of_epoch(epoch) if name == PSEUDONYMS else self._in_use(name)
        return derive(self._unwrapped(line), purpose)

    def next_key(self, purpose: str) -> bytes:
        """Return what `key` will return once the rotation under way is done."""
        coming = self.opened.book.of(name_of(purpose), "next")
        return derive(self._unwrapped(coming[-1]), purpose) if coming else self.key(purpose)

    @cached_property
    def signing_key(self) -> Ed25519PrivateKey:
        """The Ed25519 key that signs locks, checkpoints and manifests."""
        return Ed25519PrivateKey.from_private_bytes(self.key(_SIGN))

    @cached_property
    def public_key(self) -> Ed25519PublicKey:
        """The public half of the signing key."""
        return self.signing_key.public_key()

    @cached_property
    def trusted(self) -> TrustedKeys:
        """What checks signatures of this hub, those of before a rotation too."""
        return TrustedKeys(self.public_key, self.opened.book.of(SIGNING, "retired"))

    @property
    def warehouse_key(self) -> str:
        """The DuckDB ENCRYPTION_KEY: 32 derived bytes in base64."""
        return as_duckdb_key(self.key(WAREHOUSE))

    def write_public_key(self, path: Path) -> None:
        """Write the public signing keys as PEM, newest first, for `verify_ledger.py` and recipients."""
        path.write_bytes(self.trusted.pem())

    def __repr__(self) -> str:
        """Name the store, never a secret."""
        return f"KeyStore({str(self._directory)!r})"

    def _in_use(self, name: str) -> PurposeKey:
        return self.opened.book.of(name, "active")[-1]

    def _of_epoch(self, epoch: str) -> PurposeKey:
        """The newest key of pseudonyms that was made for this year or one before."""
        book = self.opened.book
        lines = (*book.of(PSEUDONYMS, "kept"), *book.of(PSEUDONYMS, "active"))
        fit = [each for each in lines if not each.epoch or each.epoch <= epoch]
        return max(fit, key=lambda each: each.generation)

    def _unwrapped(self, line: PurposeKey) -> bytes:
        return self.opened.unwrapped(line)


WAREHOUSE = "warehouse/duckdb"


def as_duckdb_key(key: bytes) -> str:
    """Return a key as DuckDB and dbt take it for the warehouse."""
    return base64.b64encode(key).decode("ascii")


def _opened(directory: Path) -> OpenBook:
    source = source_of(directory)
    opened = open_book(directory, source.read(), source.place)
    if opened is None or not set(NAMES) <= {each.name for each in opened.book.keys}:
        with changing(directory):
            opened = _made(directory, source)
    return opened


def _made(directory: Path, source: RootSource) -> OpenBook:
    """Make the book of a new or an old home, or what a newer version needs in it; first come, first served."""
    roots = source.read()
    opened = open_book(directory, roots, source.place)
    if opened is None:
        opened = _first(directory, source, roots)
    for name in NAMES:
        if not any(each.name == name for each in opened.book.keys):
            opened = opened.adding(name, "active", new_root())
    opened.write(directory)
    with replacing(directory / "root.id") as handle:
        handle.write(_HAS_BOOK.encode("ascii") + b"\n")
    return opened


def _first(directory: Path, source: RootSource, roots: Sequence[bytes]) -> OpenBook:
    known = _known(directory)
    if known == _HAS_BOOK:
        raise RootKeyError(
            f"{directory / BOOK_FILE}: missing; restore it from its backup: the root key alone opens"
            " nothing of this home"
        )
    if known is None:
        if not roots:
            roots = [new_root()]
            source.write(roots)
        return OpenBook.first(roots[0])
    for root in roots:
        if fingerprint(root) == known:
            return OpenBook.first(root, _always(root))
    got = ", ".join(map(fingerprint, roots)) or "none"
    raise RootKeyError(
        f"{source.place}: the root key is not the one this hub was made with "
        f"(expected {known}, got {got}); restore the root key, or use a new home"
    )


def _always(root: bytes) -> Callable[[], bytes]:
    return lambda: root


def _known(directory: Path) -> str | None:
    try:
        return (directory / "root.id").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
