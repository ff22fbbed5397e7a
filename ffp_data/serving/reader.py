"""Reading what was published: load it whole, answer from memory, change over when a newer one is there.

Loading runs beside the answers, in a thread of its own, and most of it outside Python's lock; the change
is one assignment. What was loaded before stays until its last answer is given.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ffp_data.pipeline.model_store import ModelStore
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
class Served:
    """One snapshot in memory."""

    path: Path
    meta: dict[str, str]
    model: Model
    lookup: Lookup
    people: pa.Table
    protected: frozenset[str]
    _child_of: pa.Array

    def child_of(self, record_id: str) -> str:
        """The child that a record of the snapshot belongs to."""
        at = _position(self.lookup.catalogue.ids, record_id)
        assert at is not None, "a match is a record of the snapshot"
        child_id: str = self._child_of[at].as_py()
        return child_id

    def person(self, child_id: str) -> dict[str, Any] | None:
        """What the single view says of a child; None for a child that it doesn't have."""
        at = _position(self.people["child_id"].chunk(0), child_id) if len(self.people) else None
        if at is None:
            return None
        (found,) = self.people.slice(at, 1).to_pylist()
        return dict(found)


def _position(values: pa.Array, wanted: str) -> int | None:
    """Place of a value among sorted ones."""
    at = bisect_left(values, wanted, key=lambda scalar: scalar.as_py())
    return at if at < len(values) and values[at].as_py() == wanted else None


def load(home: Home) -> Served:
    """The snapshot that counts now; raises NothingPublishedError."""
    for _ in range(_TRIES):
        path = store.current(home)
        if path is None:
            break
        try:
            return _load(home, path)
        except duckdb.IOException:
            if path.is_file():
                raise
    raise NothingPublishedError(
        f"{home.serving}: no run has published anything for look-ups; make one: ffp run"
    )


def _load(home: Home, path: Path) -> Served:
    with store.reading(home, path) as con:
        tables = {name: con.execute(f"SELECT * FROM {name}").to_arrow_table() for name in TABLES}
    (meta,) = tables[META].to_pylist()
    kept = ModelStore(home).load(meta["model"])
    if meta["made_for"] != state_digest(kept.model):
        raise NothingPublishedError(
            f"{path}: made with another version of DuckDB or of the model's tables; make it anew: ffp run"
        )
    records = tables[RECORDS].combine_chunks()
    child_of = records["child_id"].combine_chunks()
    catalogue = Catalogue.from_tables(records.drop_columns("child_id"), tables[KEYS], kept.model)
    lookup = Lookup(catalogue, kept.model, kept.fitted)
    lookup.warm_up()
    protected = frozenset(tables[PROTECTED]["child_id"].to_pylist())
    people = tables[PEOPLE].combine_chunks()
    return Served(path, meta, kept.model, lookup, people, protected, child_of)


class Serving:
    """Keeps the newest snapshot of a home loaded; safe for several threads."""

    def __init__(self, home: Home, every: float = 1.0) -> None:
        """Nothing is loaded before the first `start` or `served`; looks each `every` seconds."""
        self._home, self._every = home, every
        self._served: Served | None = None
        self._stop = threading.Event()
        self._loading = threading.Lock()
        self._thread: threading.Thread | None = None
        self.problem: str | None = None

    def served(self) -> Served:
        """The newest loaded snapshot; loads one if there is none. Raises NothingPublishedError."""
        if self._served is None:
            self.refresh()
        assert self._served is not None
        return self._served

    def refresh(self) -> None:
        """Load what the pointer names, unless it is loaded."""
        with self._loading:
            if self._served is None or store.current(self._home) != self._served.path:
                self._served = load(self._home)

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
