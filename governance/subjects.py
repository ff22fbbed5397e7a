"""One random key for each child: what stands for the child in records, and what erases it there.

A child's `reference` is an HMAC of its identifier under the child's own key. The ledger, the journals of
reads and the lists of whom a release disclosed hold references only. Whoever has the keys finds all that
was written of a child; once the child's key is destroyed nobody can tell any more whose reference one was,
and what was encrypted under the key stays unreadable, also in copies and backups, while every chain of
hashes over the references still holds. Keys lie wrapped (RFC 3394) under one key-encryption key (KEK), so
that a rotation wraps them anew and changes no reference. Nothing is kept in memory: a key that was
destroyed is gone for every process at once. A backup taken before still holds the wrapped key; it is dead
once the KEK was rotated and the old one destroyed.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

KEK_LABEL = "subjects/kek"
"""Purpose of the KEK in the hub's key store."""

REFERENCE_BYTES = 16
_MAC_BYTES, _CIPHER_BYTES, _NONCE_BYTES = 32, 32, 12
_BATCH = 10_000


class UnknownSubjectError(Exception):
    """A child that the store doesn't know: never issued, sealed or erased. Names nobody."""


class SubjectKeyError(Exception):
    """A wrapped key that none of the KEKs opens, or a text that the child's key does not."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A child's key, wrapped; ``kek``: the name of the KEK that opens it."""

    kek: str
    wrapped: bytes


class WrappedKeys(Protocol):
    """Where wrapped keys lie. Each method is one transaction."""

    def read(self, child_ids: Collection[str]) -> dict[str, Wrapped]:
        """The keys of those that have one."""

    def add(self, new: Mapping[str, Wrapped]) -> None:
        """Keep keys of children who are known and have none yet; the others are left out."""

    def lacking(self) -> list[str]:
        """Known children without a key, in order."""

    def is_complete(self) -> bool:
        """Whether there are as many keys as known children: a glance, where `lacking` is a search."""

    def remove(self, child_ids: Collection[str]) -> int:
        """Forget keys, so that no page or log of the store keeps them; gives how many there were."""

    def under(self, kek: str, limit: int) -> dict[str, Wrapped]:
        """Some keys that are wrapped under this KEK, ``limit`` at most."""

    def replace(self, kek: str, new: Mapping[str, Wrapped]) -> None:
        """Put keys in the place of those that still are wrapped under ``kek``."""


def kek_name(kek: bytes) -> str:
    """Sixteen hex digits by which a KEK is known beside what it wraps; says nothing of the KEK."""
    return hmac.digest(kek, b"name of this key", "sha256")[:8].hex()


class SubjectKeys:
    """The keys of children. ``former``: KEKs from before a rotation that is not finished."""

    def __init__(self, store: WrappedKeys, kek: bytes, former: Iterable[bytes] = ()) -> None:
        """Open the keys that lie in ``store``."""
        self._store, self._kek, self._name = store, kek, kek_name(kek)
        self._keks = {kek_name(each): each for each in (kek, *former)}

    def reference(self, child_id: str) -> str:
        """What stands for a child in records: 32 hex digits. Raises UnknownSubjectError."""
        return self.references([child_id])[0]

    def references(self, child_ids: Sequence[str]) -> list[str]:
        """The references in order; keys are made where there are none. Raises UnknownSubjectError."""
        keys = self._keys(child_ids)
        return [_reference(keys[child], child) for child in child_ids]

    def known(self, child_ids: Collection[str]) -> dict[str, str]:
        """The references of those that have a key; makes none, writes nothing."""
        return {child: _reference(key, child) for child, key in self._read(child_ids).items()}

    def ensure(self) -> int:
        """Make a key for every known child that lacks one; gives how many were made."""
        lacking = self._store.lacking()
        for at in range(0, len(lacking), _BATCH):
            self._make(lacking[at : at + _BATCH])
        return len(lacking)

    def is_complete(self) -> bool:
        """Whether every known child has a key."""
        return self._store.is_complete()

    def encrypt(self, child_id: str, data: bytes) -> bytes:
        """Close ``data`` so that it opens for this child alone, and never after `destroy`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = _cipher(self._keys([child_id])[child_id])
        return nonce + cipher.encrypt(nonce, data, child_id.encode())

    def decrypt(self, child_id: str, data: bytes) -> bytes:
        """Open what was encrypted for the child. Raises UnknownSubjectError, SubjectKeyError."""
        key = self._read([child_id]).get(child_id)
        if key is None:
            raise UnknownSubjectError(
                "no key of this child is here: it was destroyed, or never made"
            )
        nonce, closed = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
        try:
            return _cipher(key).decrypt(nonce, closed, child_id.encode())
        except InvalidTag:
            raise SubjectKeyError("not encrypted for this child, or changed since") from None

    def destroy(self, *child_ids: str) -> int:
        """Destroy keys for good; gives how many there were. Doing it again finds none."""
        return self._store.remove(child_ids)

    def rewrap(self, old: bytes, new: bytes, batch: int = _BATCH) -> int:
        """Wrap every key under ``new`` that lies under ``old``; gives how many.

        One transaction for each batch: killed in between, both KEKs are needed until it is run again.
        References and ciphertexts stay as they are.
        """
        old_name, new_name, done = kek_name(old), kek_name(new), 0
        while found := self._store.under(old_name, batch):
            moved = {
                child: Wrapped(new_name, aes_key_wrap(new, _unwrap(old, each)))
                for child, each in found.items()
            }
            self._store.replace(old_name, moved)
            done += len(moved)
        return done

    def _keys(self, child_ids: Collection[str]) -> dict[str, bytes]:
        """Every child's key; made where there is none."""
        keys = self._read(child_ids)
        if missing := sorted(set(child_ids) - keys.keys()):
            self._make(missing)
            keys |= self._read(missing)
        if unknown := set(child_ids) - keys.keys():
            raise UnknownSubjectError(f"{len(unknown)} identifiers are not this hub's")
        return keys

    def _make(self, child_ids: Collection[str]) -> None:
        fresh = (secrets.token_bytes(_MAC_BYTES + _CIPHER_BYTES) for _ in child_ids)
        wrapped = (Wrapped(self._name, aes_key_wrap(self._kek, key)) for key in fresh)
        self._store.add(dict(zip(child_ids, wrapped, strict=True)))

    def _read(self, child_ids: Collection[str]) -> dict[str, bytes]:
        found = self._store.read(child_ids)
        return {child: _unwrap(self._kek_of(each), each) for child, each in found.items()}

    def _kek_of(self, wrapped: Wrapped) -> bytes:
        try:
            return self._keks[wrapped.kek]
        except KeyError:
            raise SubjectKeyError(
                f"a child's key is wrapped under {wrapped.kek}, which is not here; restore that root key"
            ) from None


def _unwrap(kek: bytes, wrapped: Wrapped) -> bytes:
    try:
        return aes_key_unwrap(kek, wrapped.wrapped)
    except InvalidUnwrap:
        raise SubjectKeyError(f"a child's key under {wrapped.kek} was changed") from None


def _reference(key: bytes, child_id: str) -> str:
    mac = hmac.digest(key[:_MAC_BYTES], child_id.encode(), "sha256")
    return mac[:REFERENCE_BYTES].hex()


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key[_MAC_BYTES:])
