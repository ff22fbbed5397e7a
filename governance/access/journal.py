"""Reads at the pace of an API: on file before the answer, in the ledger a moment later, together.

A ledger's append waits for the disk twice, ten milliseconds and more, which a look-up can't. So
each read is first a line of a journal beside the ledger, handed to the operating system before the answer is
given: a process that is killed loses none. Every `INTERVAL` a thread takes the lines over into the
ledger in one durable batch. Only a power cut can take the last moments' lines. Lines that a killed process left
are taken over by the next that opens the ledger's directory, once: each has a name of its own (``entry``), and
those that the process had taken over itself before it died are passed over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from governance.canonical import sha256_hex
from governance.journal_lines import journals
from governance.ledger import FRESH_SECONDS, CheckpointsStoppedError, Ledger, utc_now

INTERVAL = 0.1


class Journal:
    """Appends events that soon stand in a ledger; safe for several threads. Use as a context."""

    def __init__(self, directory: Path, ledger: Ledger, interval: float = INTERVAL) -> None:
        """Take over what others left; raises what the ledger raises."""
        self._directory, self._ledger, self._interval = Path(directory), ledger, interval
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._stop = threading.Event()
        self._name = secrets.token_hex(6)
        self._number = 0
        self._part = 0
        self.recover()
        self._file = self._open()
        self.problem: str | None = None
        self._problem_since = 0.0
        self._thread = threading.Thread(target=self._work, name="read-journal", daemon=True)

    def append(self, kind: str, /, **facts: Any) -> None:
        """Put an event on file; raises OSError, or ValueError when the journal is closed.

        Raises CheckpointsStoppedError when lines have waited longer than the ledger's limit: an answer is a
        release too.
        """
        with self._lock:
            if self._stop.is_set():
                raise ValueError("the journal is closed")
            if self.problem and time.monotonic() - self._problem_since > FRESH_SECONDS:
                raise CheckpointsStoppedError(f"{self._directory}: {self.problem}; answers stop")
            self._number += 1
            entry, at = f"{self._name}:{self._number}", _now()
            line = self._ledger.waiting_line(entry, at, kind, facts)
            written = os.write(self._file, line)
        if written != len(line):
            raise OSError(f"{self._directory}: a line of the journal was cut; is the disk full?")

    def flush(self) -> None:
        """Take everything over into the ledger now."""
        with self._flushing:
            with self._lock:
                full, held = self._path(), self._file
                self._part += 1
                self._file = self._open()
            try:
                _take_over(full, self._ledger, self._ledger.append_many)
            finally:
                os.close(held)  # until now its lock tells others that it is being taken over

    def recover(self) -> int:
        """Take over the journals of processes that are gone; gives how many events."""
        return take_over_left(self._ledger, self._directory)

    def __enter__(self) -> Self:
        """Begin to take lines over."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the rest over and close."""
        self._stop.set()
        self._thread.join()
        self.flush()
        with self._lock:
            os.close(self._file)
            self._path().unlink(missing_ok=True)

    def _work(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                if self.problem:
                    self.recover()
                if self._path().stat().st_size:
                    self.flush()
                self.problem = None
            except Exception as error:  # noqa: BLE001 - told by the health page; the lines stay on file
                self._problem_since = self._problem_since if self.problem else time.monotonic()
                self.problem = (
                    f"{type(error).__name__}: reads wait to be taken over into the ledger"
                )

    def _path(self) -> Path:
        return self._directory / f"reads-{self._name}-{self._part:08d}.journal"

    def _open(self) -> int:
        """A new file, locked for as long as this process has it open."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        handle = os.open(self._path(), flags, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        return handle


def take_over_left(ledger: Ledger, directory: Path | None = None) -> int:
    """Take over into the ledger what processes that are gone left beside it; gives how many events."""
    left = _left(directory or ledger.directory)
    return sum(_take_over(path, ledger, ledger.append_left) for path in left)


def _left(directory: Path) -> Iterator[Path]:
    """Journals that no living process holds."""
    for path in journals(directory):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield path


def _take_over(
    path: Path,
    ledger: Ledger,
    append: Callable[[Sequence[tuple[str, Mapping[str, Any]]]], list[str]],
) -> int:
    """Append a journal's lines to the ledger, then remove it; a cut last line was never acknowledged."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return 0
    events, wrong = ledger.waiting_events(path.name, text)
    taken = len(append(events)) if events else 0
    if wrong:
        name = f"unsigned-{sha256_hex(text)[:16]}.jsonl"
        ledger.append("journal_set_aside", journal=path.name, file=name, problems=wrong)
        path.rename(path.with_name(name))
    path.unlink(missing_ok=True)
    return taken


def _now() -> str:
    return utc_now().isoformat(timespec="milliseconds")
