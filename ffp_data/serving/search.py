"""Searching the records of a snapshot: here, or in a process of its own.

A search computes for ten milliseconds and more, and Python computes one thing at a time: in one process
a look-up by identifier would wait for every search. The process opens the home by itself, changes over to
newer snapshots by itself, and ends with the one that began it, however that ends.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from ffp_data.serving.reader import Served, Serving, load
from ffp_data.settings import Home
from linkage.lookup import Match
from linkage.spec import Thresholds

_ANSWER_SECONDS = 30
_TRIES = 2


class SearchDiedError(Exception):
    """The process of the search ended amid an answer, twice."""


class Found(NamedTuple):
    """The records that may be the one looked for, with the child of each, and what they rest on."""

    matches: list[Match]
    child_of: dict[str, str]
    thresholds: Thresholds
    meta: dict[str, str]


class Search(Protocol):
    """Finds records like one that is given."""

    def find(self, record: Mapping[str, str | None]) -> Found:
        """Raises NothingPublishedError, and TooLittleError and TooManyError of linkage."""

    @property
    def problem(self) -> str | None:
        """Why the newest snapshot is not searched; None when it is."""


class SearchHere:
    """Searches in this process."""

    def __init__(self, serving: Serving[Served]) -> None:
        """`serving` keeps the snapshot."""
        self._serving = serving

    def find(self, record: Mapping[str, str | None]) -> Found:
        """See `Search`."""
        served = self._serving.served()
        matches = served.lookup.find(record)
        own = {match.record_id: served.child_of(match.record_id) for match in matches}
        return Found(matches, own, served.model.thresholds, served.meta)

    @property
    def problem(self) -> str | None:
        """See `Search`."""
        return self._serving.problem


class SearchProcess:
    """Searches in another process, one search at a time. Use as a context."""

    def __init__(self, home: Home) -> None:
        """Nothing is started before the context is entered."""
        self._home = home
        self._starting = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Start the process; it loads the snapshot meanwhile."""
        self._running().submit(_problem)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        with self._starting:
            pool, self._pool = self._pool, None
        if pool:
            pool.shutdown()

    def find(self, record: Mapping[str, str | None]) -> Found:
        """See `Search`; a process that died is started anew. Raises SearchDiedError."""
        for _ in range(_TRIES):
            pool = self._running()
            try:
                return pool.submit(_find, dict(record)).result()
            except BrokenProcessPool:
                self._drop(pool)
        raise SearchDiedError("the search ended twice without an answer; ask again in a minute")

    @property
    def problem(self) -> str | None:
        """See `Search`."""
        pool = self._running()
        try:
            return pool.submit(_problem).result(timeout=_ANSWER_SECONDS)
        except TimeoutError:
            return "the search gives no answer"
        except BrokenProcessPool:
            self._drop(pool)
            return "the search died and is started anew"

    def _running(self) -> ProcessPoolExecutor:
        with self._starting:
            if self._pool is None:
                # spawned, not forked: the service has threads, and a lock that one of them holds stays held
                self._pool = ProcessPoolExecutor(1, get_context("spawn"), _open, (self._home,))
            return self._pool

    def _drop(self, pool: ProcessPoolExecutor) -> None:
        with self._starting:
            if self._pool is pool:
                self._pool = None
        pool.shutdown(wait=False)


# In the process of the search:

_searches: list[SearchHere] = []


def _open(home: Home) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service is told, and ends this process
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    serving = Serving(home, load)
    serving.start()
    _searches.append(SearchHere(serving))


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "started by multiprocessing"
    connection.wait([parent.sentinel])
    os._exit(1)


def _find(record: Mapping[str, str | None]) -> Found:
    return _searches[0].find(record)


def _problem() -> str | None:
    return _searches[0].problem
