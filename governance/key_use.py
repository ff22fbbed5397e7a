"""Who works with a key directory: many at once, or one alone that changes keys.

Everybody who opened the keys holds a shared lock on the directory for as long as they may use what they
read; a rotation holds it alone. So a server or run with old keys in its memory keeps a rotation waiting,
and never writes under a key that is gone. The kernel frees the locks of a process that dies.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from governance.roots import RootKeyError

_POLL = 0.1


class KeysInUseError(RootKeyError):
    """Keys are to be changed while another process works with them, or the other way round."""


class Use:
    """A hold of this process on one key directory; freed when nobody refers to it any more."""

    def __init__(self, directory: Path) -> None:
        """Take a share; raises KeysInUseError while keys are being changed."""
        self._directory = directory
        self._handle = os.open(directory, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)
        if not self._lock(fcntl.LOCK_SH):
            raise KeysInUseError(
                f"{directory}: keys are being changed by another process; wait until it is done"
            )

    @contextmanager
    def alone(self, wait: float) -> Iterator[None]:
        """Hold the directory alone; raises KeysInUseError when others still use it after ``wait`` seconds."""
        until = time.monotonic() + wait
        while not self._lock(fcntl.LOCK_EX):
            if time.monotonic() >= until:
                self._lock(fcntl.LOCK_SH)
                raise KeysInUseError(
                    f"{self._directory}: another process works with these keys (a run, a command, the"
                    " API, Dagster); stop it or wait until it ends, then do this again"
                )
            time.sleep(_POLL)
        try:
            yield
        finally:
            self._lock(fcntl.LOCK_SH)

    def _lock(self, how: int) -> bool:
        try:
            fcntl.flock(self._handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_USES: weakref.WeakValueDictionary[tuple[int, Path], Use] = weakref.WeakValueDictionary()
_GUARD = threading.Lock()


def in_use(directory: Path) -> Use:
    """Return the hold of this process on a directory, shared by all who ask for it."""
    key = (os.getpid(), directory.resolve())  # a fork has its own
    with _GUARD:
        use = _USES.get(key)
        if use is None:
            use = _USES[key] = Use(directory)
        return use


@contextmanager
def changing(directory: Path) -> Iterator[None]:
    """One at a time through the making or changing of the directory's files."""
    handle = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
