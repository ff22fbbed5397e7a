"""Reading what was published: load it whole, answer from memory, change over when a newer one is there.

Loading runs beside the answers, in a thread of its own, and most of it outside Python's lock; the change
is one assignment. What was loaded before stays until its last answer is given.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import duckdb
import pyarrow as pa

from ffp_data.identity.model_store import ModelStore
from ffp_data.serving import store
from ffp_data.serving.snapshot import META, PEOPLE, PROTECTED, TABLES
from ffp_data.settings import Home
from linkage.catalogue import KEYS, RECORDS, Catalogue
from linkage.lookup import Lookup
from linkage.model import Model
from linkage.state import state_digest

_TRIES = 3


class NothingPublishedError(Exception):
    """No run has published anything that could be read here."""


@dataclass(frozen=True)
class People:
    """Who the children of a snapshot are, in memory."""

    path: Path
    meta: dict[str, str]
    people: pa.Table
    protected: frozenset[str]

    def person(self, child_id: str) -> dict[str, Any] | None:
        """What the single view says of a child; None for a child that it doesn't have."""
        at = _position(self.people["child_id"].chunk(0), child_id) if len(self.people) else None
        if at is None:
            return None
        (found,) = self.people.slice(at, 1).to_pylist()
        return dict(found)


@dataclass(frozen=True)
class Served(People):
    """A whole snapshot in memory: the people, and their records to search."""

    model: Model
    lookup: Lookup
    _child_of: pa.Array

    def child_of(self, record_id: str) -> str:
        """The child that a record of the snapshot belongs to."""
        at = _position(self.lookup.catalogue.ids, record_id)
        assert at is not None, "a match is a record of the snapshot"
        child_id: str = self._child_of[at].as_py()
        return child_id


def _position(values: pa.Array, wanted: str) -> int | None:
    """Place of a value among sorted ones."""
    at = bisect_left(values, wanted, key=lambda scalar: scalar.as_py())
    return at if at < len(values) and values[at].as_py() == wanted else None


def load(home: Home) -> Served:
    """The snapshot that counts now, whole; raises NothingPublishedError."""
    return _newest(home, _load)


def load_people(home: Home) -> People:
    """Of the snapshot that counts now the people alone; raises NothingPublishedError."""
    return _newest(home, _load_people)


_P = TypeVar("_P", bound=People)


def _newest(home: Home, load_from: Callable[[Home, Path], _P]) -> _P:
    for _ in range(_TRIES):
        path = store.current(home)
        if path is None:
            break
        try:
            return load_from(home, path)
        except duckdb.IOException:
            if path.is_file():
                raise
    raise NothingPublishedError(
        f"{home.serving}: no run has published anything for look-ups; make one: ffp run"
    )


def _load_people(home: Home, path: Path) -> People:
    return _people(path, _tables(home, path, (META, PEOPLE, PROTECTED)))


def _load(home: Home, path: Path) -> Served:
    tables = _tables(home, path, TABLES)
    who = _people(path, tables)
    kept = ModelStore(home).load(who.meta["model"])
    if who.meta["made_for"] != state_digest(kept.model):
        raise NothingPublishedError(
            f"{path}: made with another version of DuckDB or of the model's tables; make it anew: ffp run"
        )
    records = tables[RECORDS].combine_chunks()
    child_of = records["child_id"].combine_chunks()
    catalogue = Catalogue.from_tables(records.drop_columns("child_id"), tables[KEYS], kept.model)
    lookup = Lookup(catalogue, kept.model, kept.fitted)
    lookup.warm_up()
    return Served(path, who.meta, who.people, who.protected, kept.model, lookup, child_of)


def _tables(home: Home, path: Path, names: Iterable[str]) -> dict[str, pa.Table]:
    with store.reading(home, path) as con:
        return {name: con.execute(f"SELECT * FROM {name}").to_arrow_table() for name in names}


def _people(path: Path, tables: Mapping[str, pa.Table]) -> People:
    (meta,) = tables[META].to_pylist()
    protected = frozenset(tables[PROTECTED]["child_id"].to_pylist())
    return People(path, meta, tables[PEOPLE].combine_chunks(), protected)


class Serving(Generic[_P]):
    """Keeps the newest snapshot of a home loaded; safe for several threads."""

    def __init__(self, home: Home, load_newest: Callable[[Home], _P], every: float = 1.0) -> None:
        """Nothing is loaded before the first `start` or `served`; looks each `every` seconds."""
        self._home, self._load, self._every = home, load_newest, every
        self._served: _P | None = None
        self._stop = threading.Event()
        self._loading = threading.Lock()
        self._thread: threading.Thread | None = None
        self.problem: str | None = None

    def served(self) -> _P:
        """The newest loaded snapshot; loads one if there is none. Raises NothingPublishedError."""
        if self._served is None:
            self.refresh()
        assert self._served is not None
        return self._served

    def refresh(self) -> None:
        """Load what the pointer names, unless it is loaded."""
        with self._loading:
            if self._served is None or store.current(self._home) != self._served.path:
                self._served = self._load(self._home)

    def start(self) -> None:
        """Watch the pointer from now on."""
        self._thread = threading.Thread(target=self._watch, name="serving", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        while True:
            try:
                self.refresh()
                self.problem = None
            except (NothingPublishedError, duckdb.Error, OSError, ValueError) as error:
                self.problem = f"{type(error).__name__}: the newest snapshot cannot be loaded"
            if self._stop.wait(self._every):
                return
