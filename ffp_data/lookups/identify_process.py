"""`Identify` in a process of its own, so that other look-ups of a service don't wait for it.

A search computes for ten milliseconds and more, and Python computes one thing at a time: in one process
a look-up by identifier would wait for every search. The process does all of the look-up, from the gate to the
answer's bytes, with its own journal of reads; the service only hands questions in and answers out. It opens
the home by itself, changes over to newer snapshots by itself, and ends with the service, however that ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from types import TracebackType
from typing import Self

from ffp_data.access import Access
from ffp_data.lookups.demographics import Demographics
from ffp_data.lookups.identify import Identify
from ffp_data.lookups.register import Register
from ffp_data.serving import Served, Serving, load
from ffp_data.settings import Home
from governance.access import Gate, Journal, Principal

_ANSWER_SECONDS = 30
_TRIES = 2
_NICENESS = 5
"""A look-up by identifier goes first, a run in the background last."""


class SearchDiedError(Exception):
    """The process of the search ended amid an answer, twice."""


class IdentifyProcess:
    """Identifies in another process, one question at a time. Use as a context."""

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
        """End the process, once its reads are in the ledger."""
        with self._starting:
            pool, self._pool = self._pool, None
        if pool is None:
            return
        # Of one that died the journal stays on file, and the next that opens the ledger takes it over.
        with suppress(BrokenProcessPool):
            pool.submit(_close).result()
        pool.shutdown()

    async def answer(self, who: Principal, known: Demographics, reason: str | None) -> bytes:
        """The `Answer` as JSON. A process that died is started anew.

        Raises SearchDiedError, and what `Identify` raises.
        """
        for _ in range(_TRIES):
            pool = self._running()
            try:
                return await asyncio.wrap_future(pool.submit(_answer, who, known, reason))
            except BrokenProcessPool:
                self._drop(pool)
        raise SearchDiedError("the search ended twice without an answer; ask again in a minute")

    @property
    def problem(self) -> str | None:
        """Why the newest snapshot is not searched, or reads are not in the ledger; None when all is well."""
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


# In the other process:


@dataclass(frozen=True)
class _Work:
    records: Serving[Served]
    journal: Journal
    identify: Identify


_opened = ExitStack()
_works: list[_Work] = []


def _open(home: Home) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service is told, and ends this process
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    access, register, records = Access(home), Register.open(home.hub_url), Serving(home, load)
    journal = _opened.enter_context(Journal(home.ledger_dir, access.ledger))
    _opened.callback(register.close)
    _opened.callback(records.stop)
    records.start()
    gate = Gate(access.roles, access.gate.subjects, journal.append)
    _works.append(_Work(records, journal, Identify(register, records, gate)))


def _close() -> None:
    _opened.close()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "started by multiprocessing"
    connection.wait([parent.sentinel])
    os._exit(1)


def _answer(who: Principal, known: Demographics, reason: str | None) -> bytes:
    return _works[0].identify(who, known, reason).model_dump_json().encode()


def _problem() -> str | None:
    work = _works[0]
    return work.records.problem or work.journal.problem
