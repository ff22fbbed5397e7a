"""What the rest of a home holds of an identity: extracts, builds of returns, logs, look-up snapshots.

What the next run makes again is removed; a database loses the rows, a JSON file the entries. What was signed
as a return is the statutory record of what the council told: it stays, and the seal's report lists it. A file
of no known place is not touched, and the seal is not done while one names the identity.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffp_data.hub.seals import without_words
from ffp_data.sealing import sweep
from ffp_data.sealing.search import Wanted, names_any
from ffp_data.settings import Home
from governance.container import CONTAINER
from governance.files import replacing, sha256_of_file
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import MANIFEST, read_manifest
from governance.pseudonym import pseudonym_key, pseudonymise
from governance.release import withdraw

REMOVED, REWRITTEN, KEPT, UNKNOWN = "removed", "rewritten", "kept", "unknown"
WITHDRAWN = "an identity was sealed"
_VERSION_PARTS = 5  # council/versions/<return>/<year>/<version>
_KINDS = {
    "council": ("report to the council", REMOVED),
    "scratch": ("working file", REMOVED),
    "ledger": ("ledger", KEPT),
    "dagster": ("record of runs", REWRITTEN),
    "serving": ("snapshot for look-ups", REWRITTEN),
    "models": ("linkage model", REWRITTEN),
}
_OF_THE_SEAL = {"keys", "vault"}
_OWN_FILES = ("seal.pending", "run.lock", "policy.lock.json", ".lock")


@dataclass(frozen=True)
class Place:
    """A file or folder that names the identity: what kind of place it is, and what is to be done."""

    path: Path
    kind: str
    fate: str


@dataclass(frozen=True)
class Finder:
    """Looks through all of a home but the warehouse, the hub's database, keys and vault."""

    home: Home
    keys: KeyStore
    ledger: Ledger
    wanted: Wanted
    child_ids: Collection[str]

    def places(self) -> Iterator[Place]:
        """Every place that names the identity, each once."""
        seen: set[Path] = set()
        for path in self._files():
            place = self._place_of(path)
            if place.path not in seen and self._names_it(path):
                seen.add(place.path)
                yield place

    def _names_it(self, path: Path) -> bool:
        if path.name == CONTAINER and (path.parent / MANIFEST).is_file():
            return True  # only its recipient can look inside: taken back unseen, and released anew without
        if _kind_of(path) == "duckdb":
            with sweep.opened(self.home, path) as con:
                return bool(sweep.count(con, self.wanted.words))
        return names_any(self.home, path, self._wanted_in(path))

    def deal_with(self, place: Place, words: Collection[str]) -> None:
        """Do what the place's fate says; doing it again finds nothing."""
        if place.fate == REMOVED and (place.path / MANIFEST).is_file():
            withdraw(place.path, WITHDRAWN, keys=self.keys, ledger=self.ledger)
        elif place.fate == REMOVED:
            shutil.rmtree(place.path) if place.path.is_dir() else place.path.unlink()
        elif place.fate == REWRITTEN:
            _REWRITE[_kind_of(place.path)](self.home, place.path, words)

    def _files(self) -> Iterator[Path]:
        apart = {self.home.warehouse, self.home.warehouse.with_name("warehouse.duckdb.wal")}
        for path in sorted(self.home.root.rglob("*")):
            parts = path.relative_to(self.home.root).parts
            is_own = parts[0] in _OF_THE_SEAL or path.name in _OWN_FILES
            is_hub = len(parts) == 1 and parts[0].startswith("hub.db")
            is_landing = path.is_relative_to(self.home.landing)
            is_apart = path in apart or path.suffix == ".duckdb_extension"
            if path.is_file() and not (
                path.is_symlink() or is_own or is_hub or is_landing or is_apart
            ):
                yield path

    def _place_of(self, path: Path) -> Place:
        parts = path.relative_to(self.home.root).parts
        if parts[:2] == ("council", "versions"):
            folder = self.home.root.joinpath(*parts[:_VERSION_PARTS])
            is_signed = sha256_of_file(folder / "build.json") in self._signed
            return Place(folder, "kept build of a return", KEPT if is_signed else REMOVED)
        if parts[0] == "out":
            folder = next((p for p in path.parents if (p / MANIFEST).is_file()), path)
            fate = KEPT if self._is_signed_return(folder) else REMOVED
            return Place(folder, "released files", fate)
        kind, fate = _KINDS.get(parts[0], ("file of no known place", UNKNOWN))
        whole = path.with_name(path.name.removesuffix("-wal").removesuffix("-shm"))
        path = whole if whole.is_file() else path  # a log is a part of its database
        if fate == REWRITTEN and not _kind_of(path):
            fate = REMOVED
        return Place(path, kind, fate)

    def _wanted_in(self, path: Path) -> Wanted:
        """In a release the identity stands under the recipient's own pseudonym too."""
        folder = next((p for p in path.parents if (p / MANIFEST).is_file()), None)
        if folder is None:
            return self.wanted
        try:
            told = read_manifest(folder, self.keys.trusted)
        except ValueError:
            return self.wanted
        if told["recipient"] is None:  # documents about the sharing, which have no pseudonyms
            return self.wanted
        as_told = (told["recipient"], told["purpose"], told.get("epoch", told["as_at"][:4]))
        key = pseudonym_key(self.keys, *as_told)
        tokens = [token for token in pseudonymise(key, self.child_ids) if token]
        return Wanted([*self.wanted.words, *tokens], self.wanted.people)

    @property
    def _signed(self) -> frozenset[str]:
        return frozenset(
            event["facts"]["build_sha256"] for event in self.ledger.events("return_signed")
        )

    def _is_signed_return(self, folder: Path) -> bool:
        """Whether these are the very files that somebody put their name to."""
        if not (folder / MANIFEST).is_file():
            return False
        own = sha256_of_file(folder / MANIFEST)
        return any(
            event["facts"]["manifest_sha256"] == own
            for event in self.ledger.events("return_signed")
        )


def _kind_of(path: Path) -> str:
    """How a file can be rewritten without some of its rows; empty where it can't."""
    with path.open("rb") as handle:
        head = handle.read(16)
    if head[8:12] == b"DUCK":
        return "duckdb"
    if head.startswith(b"SQLite format 3\0"):
        return "sqlite"
    return "json" if path.suffix == ".json" else ""


def _rewrite_duckdb(home: Home, path: Path, words: Collection[str]) -> None:
    with sweep.opened(home, path) as con:
        sweep.delete(con, words)
    sweep.rewrite(home, path)


def _rewrite_sqlite(_home: Home, path: Path, words: Collection[str]) -> None:
    pattern = Wanted(words).pattern
    with closing(sqlite3.connect(path, timeout=60)) as con:
        con.create_function(
            "names_it", 1, lambda v: int(bool(v is not None and pattern.search(_as_text(v))))
        )
        tables = con.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            columns = [c[1] for c in con.execute(f'PRAGMA table_info("{table}")')]
            test = " OR ".join(f'names_it("{column}")' for column in columns)
            con.execute(f'DELETE FROM "{table}" WHERE {test}')
        con.commit()
        con.execute("VACUUM")
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _as_text(value: Any) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _rewrite_json(_home: Home, path: Path, words: Collection[str]) -> None:
    left = without_words(json.loads(path.read_bytes()), words)
    with replacing(path) as handle:
        handle.write(json.dumps(left, indent=1, ensure_ascii=False).encode())


_REWRITE: Mapping[str, Callable[[Home, Path, Collection[str]], None]] = {
    "duckdb": _rewrite_duckdb,
    "sqlite": _rewrite_sqlite,
    "json": _rewrite_json,
}
