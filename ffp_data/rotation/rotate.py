"""A rotation from its first step to its last, told in the ledger before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ffp_data.home.pending import require_none
from ffp_data.identity.model_store import MODELS
from ffp_data.rotation.statements import signed_before
from ffp_data.rotation.stores import steps
from ffp_data.settings import Home
from governance import rotation
from governance.access.journal import take_over_left
from governance.keys import KeyStore, key_id
from governance.ledger import Ledger


@dataclass(frozen=True)
class Outcome:
    """What a rotation came to: fingerprint of the root, ids of the keys now in use."""

    root: str
    keys: tuple[str, ...]


def rotate(
    home: Home,
    *,
    root_only: bool = False,
    wait: float = 5.0,
    on_step: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Put new keys in the place of all, or go on with a rotation that was cut off.

    ``on_step`` is told each step when it is done. Raises KeysInUseError while another process works with
    the keys, StoreUnreadableError, RootKeyError, OSError; run it again when the reason is mended.
    """
    require_none(home)
    keys = KeyStore(home.keys_dir, rotating=True)
    with keys.use.alone(wait):
        _sweep(home)
        if not keys.opened.book.is_rotating:
            take_over_left(Ledger(home.ledger_dir, keys))  # signed by the key that goes
            _write_down(home, keys, "key_rotation_begun")
        keys = _begin(home, root_only=root_only)
        on_step("root")
        if keys.opened.book.is_rotating:
            for name, take in steps(home):
                take(keys)
                on_step(name)
            last = Ledger(home.ledger_dir, keys).last_checkpoint()
            rotation.finish(keys, last.count if last else 0, signed_before(home, keys))
            on_step("book")
        keys = KeyStore(home.keys_dir)
        _write_down(home, keys, "keys_rotated")
        return Outcome(keys.opened.book.root, _in_use(keys))


def _sweep(home: Home) -> None:
    """Remove what a kill left half-written; nobody else writes here now."""
    for folder in (home.root, home.keys_dir, home.serving, home.root / MODELS):
        deep = folder in (home.serving, home.root / MODELS)
        for path in folder.rglob(".*.part*") if deep else folder.glob(".*.part*"):
            if path.is_file():
                path.unlink()


def _begin(home: Home, *, root_only: bool) -> KeyStore:
    now = datetime.now(UTC)
    names = () if root_only else rotation.ROTATED
    at = now.isoformat(timespec="seconds")
    return rotation.begin(home.keys_dir, at, _next_epoch(home, now.year), names)


def _next_epoch(home: Home, year: int) -> str:
    """The first year of which no pseudonym can have been made yet, as far as the home tells."""
    told = (path.name[:4] for path in (home.out / "extracts").glob("*/*-*-*"))
    return str(max([year, *(int(each) for each in told if each.isdigit())]) + 1)


def _write_down(home: Home, keys: KeyStore, kind: str) -> None:
    signs = key_id(keys.public_key)
    facts = {"root": keys.opened.book.root, "keys": _in_use(keys), "signing_key": signs}
    Ledger(home.ledger_dir, keys).append(kind, **facts)


def _in_use(keys: KeyStore) -> tuple[str, ...]:
    return tuple(each.id for each in keys.opened.book.keys if each.state == "active")
