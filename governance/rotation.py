"""New keys for old, in steps that may be cut off anywhere: a second call goes on to the end.

`begin` puts a new root in the place of the old one and, for each key that a store or signature is under, a
next generation into the book, in one write: from then on nobody but the rotation opens the keys. The
caller encrypts each store anew; each is under one key or the other, so trying tells what is done. `finish`
makes the next keys the active ones, again in one write. The old data keys are destroyed, the old signing
key leaves its public half and the list of what it signed, and pseudonyms keep their key until the year
that `begin` was given, so that no recipient sees a child change its name in the middle of a year.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from governance.key_use import changing
from governance.keybook import FOLLOWS, PSEUDONYMS, SIGNING, PurposeKey, fingerprint
from governance.keys import KeyStore
from governance.roots import RootKeyError, RootSource, new_root, set_source, source_of

ROTATED = tuple(sorted((*FOLLOWS, SIGNING, PSEUDONYMS)))


def begin(directory: Path, at: str, epoch: str, names: Collection[str] = ROTATED) -> KeyStore:
    """Begin a rotation, or go on with the one that was begun; return the keys to encrypt stores with.

    ``at``: the time, for the book; ``epoch``: the first year that gets other pseudonyms; ``names``: the
    keys to change, none for the root alone, which is then done. Raises RootKeyError.
    """
    keys = KeyStore(directory, rotating=True)
    source = source_of(directory)
    if not keys.opened.book.is_rotating:
        _commit(keys, source, at, epoch, names)
        keys = KeyStore(directory, rotating=True)
    source.write([keys.opened.root])  # the old root is not needed any more
    return keys


def _commit(
    keys: KeyStore, source: RootSource, at: str, epoch: str, names: Collection[str]
) -> None:
    old = keys.opened
    root = _other_root(source, old.root) or new_root()
    source.write([old.root, root])
    book = old.under(root)
    for name in sorted(names):
        book = book.adding(name, "next", new_root(), epoch if name == PSEUDONYMS else "")
    with changing(keys.directory):
        book.saying(book.book.keys, at if names else None).write(keys.directory)


def _other_root(source: RootSource, root: bytes) -> bytes | None:
    """A root that waits in the source: the operator's choice, or what a cut-off beginning left."""
    others = (each for each in source.read() if fingerprint(each) != fingerprint(root))
    return next(others, None)


def finish(keys: KeyStore, until: int, signed: Collection[str]) -> None:
    """Make the next keys the active ones; does nothing when no rotation is under way.

    ``until``: the number of the last ledger event before; ``signed``: SHA-256 of every other statement
    that the old signing key signed and that must stay good.
    """
    opened = keys.opened
    if not opened.book.is_rotating:
        return
    changed = {each.name for each in opened.book.keys if each.state == "next"}
    lines = [_after(each, changed, until, signed) for each in opened.book.keys]
    done = opened.saying(lines)
    book = done.book.model_copy(update={"rotation": None})
    with changing(keys.directory):
        type(done)(book, done.root).write(keys.directory)


def _after(
    line: PurposeKey, changed: Collection[str], until: int, signed: Collection[str]
) -> PurposeKey:
    if line.state == "next":
        return line.model_copy(update={"state": "active"})
    if line.state != "active" or line.name not in changed:
        return line
    if line.name == PSEUDONYMS:
        return line.model_copy(update={"state": "kept"})
    if line.name == SIGNING:
        facts = {
            "state": "retired",
            "wrapped": None,
            "until": until,
            "signed": tuple(sorted(signed)),
        }
        return line.model_copy(update=facts)
    return line.model_copy(update={"state": "destroyed", "wrapped": None})


def move(directory: Path, to: str) -> tuple[str, str]:
    """Take the root key from where it lies to another source; return both places, for people.

    Whoever is killed in between has it in both, and `move` again ends it. Raises RootKeyError.
    """
    keys = KeyStore(directory)
    old, new = source_of(directory), source_of(directory, to)
    if old.name == new.name:
        raise RootKeyError(f"{old.place}: the root key lies there already; name another source")
    new.write([keys.opened.root])
    if keys.opened.root not in new.read():
        raise RootKeyError(f"{new.place}: does not give back what was put there; nothing was moved")
    set_source(directory, new)
    if old.name != "env":
        old.write([])
    return old.place, new.place
