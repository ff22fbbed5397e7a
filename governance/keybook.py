"""The book of purpose keys: one random key for each kind of thing, wrapped under the root key.

``keyring.json`` in the key directory lists every key there ever was, by name and generation: what state it
is in, and its bytes wrapped (AES key wrap, RFC 3394) under a key derived from the root. So a new root
rewraps a few lines and touches nothing else, and a new purpose key re-encrypts only what lies under it. A
MAC under the root covers the whole book, so that a public key cannot be slipped in. The book is replaced
in one step; it is useless without the root, and the root without the book: back up both, apart.

States: *active* is used; *next* will be, once the rotation under way is done; *kept* opens or derives what
is older (pseudonyms of earlier years); *retired* is a signing key of which only the public half is left;
of a *destroyed* key only the line is left.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from pydantic import BaseModel, ConfigDict, ValidationError

from governance.canonical import canonical_bytes
from governance.files import replacing
from governance.roots import KEY_BYTES, RootKeyError, new_root

BOOK_FILE = "keyring.json"
_SALT = b"ffp-data/governance/keys/1"  # fixed: a change makes every stored secret unreadable

SIGNING, PSEUDONYMS = "signing", "pseudonyms"
FOLLOWS = ("hub", "models", "serving", "subjects", "warehouse")
"""Keys of stores that a rotation encrypts anew."""
CARRIED = ("general", "ledger", "review", "seal")
"""Keys of one-way tokens that lie in stores: they cannot be made anew, so they are rewrapped, never changed."""
NAMES = tuple(sorted((*FOLLOWS, *CARRIED, SIGNING, PSEUDONYMS)))

State = Literal["active", "next", "kept", "retired", "destroyed"]


def derive(key: bytes, purpose: str) -> bytes:
    """Return the 32 bytes for one purpose from a root or purpose key (HKDF-SHA-256, RFC 5869)."""
    return HKDF(hashes.SHA256(), KEY_BYTES, _SALT, purpose.encode("utf-8")).derive(key)


def fingerprint(root: bytes) -> str:
    """Sixteen hex digits that tell roots apart and say nothing of them."""
    return derive(root, "fingerprint").hex()[:16]


def name_of(purpose: str) -> str:
    """Return which purpose key a purpose belongs to."""
    head = purpose.partition("/")[0]
    if purpose.startswith('["pseudonym"'):
        return PSEUDONYMS
    return {"sign": SIGNING}.get(head, head if head in NAMES else "general")


class PurposeKey(BaseModel):
    """One line of the book. ``epoch``: first year whose pseudonyms it makes.

    Of a retired signing key: ``public`` (hex), ``until`` the number of ledger events it signed last, and
    ``signed`` the SHA-256 of each other statement it signed; nothing later counts as signed by it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    generation: int
    state: State
    wrapped: str | None = None
    epoch: str = ""
    public: str | None = None
    until: int = 0
    signed: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """How records name the key."""
        return f"{self.name}#{self.generation}"


class Book(BaseModel):
    """The whole book. ``root``: fingerprint of the root that opens it; ``rotation``: when one began."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    root: str
    rotation: str | None = None
    keys: tuple[PurposeKey, ...]

    @property
    def is_rotating(self) -> bool:
        """Whether a rotation was begun and is not done."""
        return self.rotation is not None

    def of(self, name: str, state: State) -> tuple[PurposeKey, ...]:
        """Return the keys of a name in a state, oldest first."""
        return tuple(each for each in self.keys if (each.name, each.state) == (name, state))


@dataclass(frozen=True)
class OpenBook:
    """A book and the root that opens it."""

    book: Book
    root: bytes

    @classmethod
    def first(cls, root: bytes, make: Callable[[], bytes] = new_root) -> OpenBook:
        """Return the book of a new hub; ``make`` gives each purpose key."""
        opened = cls(Book(root=fingerprint(root), keys=()), root)
        for name in NAMES:
            opened = opened.adding(name, "active", make())
        return opened

    def adding(self, name: str, state: State, key: bytes, epoch: str = "") -> OpenBook:
        """Return the book with one more generation of a name."""
        generation = 1 + max(
            (each.generation for each in self.book.keys if each.name == name), default=0
        )
        public = _public(key) if name == SIGNING else None
        line = PurposeKey(
            name=name,
            generation=generation,
            state=state,
            wrapped=self._wrap(key),
            epoch=epoch,
            public=public,
        )
        return self.saying((*self.book.keys, line))

    def saying(self, keys: Iterable[PurposeKey], rotation: str | None = None) -> OpenBook:
        """Return the book with other lines; ``rotation`` stays when not given."""
        ordered = sorted(keys, key=lambda each: (each.name, each.generation))
        changed = {"keys": tuple(ordered), "rotation": rotation or self.book.rotation}
        return OpenBook(self.book.model_copy(update=changed), self.root)

    def under(self, root: bytes) -> OpenBook:
        """Return the same keys under another root."""
        new = OpenBook(self.book.model_copy(update={"root": fingerprint(root)}), root)
        lines = (
            each.model_copy(update={"wrapped": new._wrap(self.unwrapped(each))})
            if each.wrapped
            else each
            for each in self.book.keys
        )
        return new.saying(lines)

    def active(self, name: str) -> bytes:
        """Return the key in use of a name."""
        return self.unwrapped(self.book.of(name, "active")[-1])

    def unwrapped(self, line: PurposeKey) -> bytes:
        """Return the bytes of a key that has them."""
        if line.wrapped is None:
            raise RootKeyError(f"key {line.id} is {line.state}: nothing opens with it any more")
        try:
            return aes_key_unwrap(self._kek, base64.b64decode(line.wrapped))
        except InvalidUnwrap:
            raise RootKeyError(f"key {line.id} was changed; restore {BOOK_FILE}") from None

    def write(self, directory: Path) -> None:
        """Put the book in the place of the one before, in one step."""
        said = self.book.model_dump(mode="json")
        with replacing(directory / BOOK_FILE) as handle:
            handle.write(canonical_bytes({"book": said, "mac": self._mac(said)}) + b"\n")

    @property
    def _kek(self) -> bytes:
        return derive(self.root, "book/wrap")

    def _wrap(self, key: bytes) -> str:
        return base64.b64encode(aes_key_wrap(self._kek, key)).decode("ascii")

    def _mac(self, said: object) -> str:
        return hmac.digest(derive(self.root, "book/mac"), canonical_bytes(said), "sha256").hex()


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    book: Book
    mac: str


def open_book(directory: Path, roots: Iterable[bytes], place: str) -> OpenBook | None:
    """Return the book, opened; None where there is none yet. Raises RootKeyError.

    ``roots`` come from ``place``, which errors name.
    """
    stored = _read(directory)
    if stored is None:
        return None
    by_name = {fingerprint(root): root for root in roots}
    root = by_name.get(stored.book.root)
    if root is None:
        raise RootKeyError(_wrong_root(directory, stored.book, by_name, place))
    opened = OpenBook(stored.book, root)
    if not hmac.compare_digest(opened._mac(stored.book.model_dump(mode="json")), stored.mac):
        raise RootKeyError(
            f"{directory / BOOK_FILE}: changed by something other than this hub; restore it from its backup"
        )
    return opened


def _wrong_root(directory: Path, book: Book, found: Iterable[str], place: str) -> str:
    got = ", ".join(found)
    if not got:
        return (
            f"{place}: no root key there, and {directory / BOOK_FILE} opens with {book.root} alone;"
            " restore the root key from its backup: without it the warehouse, the hub's database, fits,"
            " snapshots and pseudonyms of this home are lost"
        )
    return (
        f"{place}: the root key is not the one this hub was made with (expected {book.root}, got {got});"
        " restore the root key, or use a new home"
    )


def _read(directory: Path) -> _Stored | None:
    path = directory / BOOK_FILE
    try:
        return _Stored.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise RootKeyError(f"{path}: not a book of keys; restore it from its backup") from None


def _public(key: bytes) -> str:
    signing = Ed25519PrivateKey.from_private_bytes(derive(key, "sign/ed25519"))
    return signing.public_key().public_bytes_raw().hex()
