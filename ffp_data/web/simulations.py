"""Simulated withdrawals while they are worked out, and their answers until the next run.

Each is a process of its own, one at a time, so that pages are answered meanwhile and a large home's memory is given
back. An answer counts for the policy and the run that it was asked of; both are in its name.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from ffp_data.settings import Home

LONGEST = 1800.0
"""Seconds after which one is given up."""
_KEPT = 32
_log = logging.getLogger("uvicorn.error")
FAILED = "it could not be worked out. After an update of this program a run is needed first; else tell the data team"


class Asked(NamedTuple):
    """What an answer is to: the lock's digest and the run, the agreement, and the status that it would get."""

    policy: str
    run_id: str
    agreement: str
    status: str


class BusyError(Exception):
    """Another simulation is being worked out."""


@dataclass
class Work:
    """One simulation: being worked out, or with its answer."""

    began: float
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    answer: Mapping[str, Any] | None = None

    @property
    def seconds(self) -> int:
        return int(time.monotonic() - self.began)

    def look(self) -> None:
        """Take the answer over when it is there."""
        if self.answer is not None:
            return
        if self.process.poll() is None:
            if self.seconds < LONGEST:
                return
            self.process.kill()
            self.process.wait()
        self.output.seek(0)
        text = self.output.read()
        self.output.close()
        self.answer = json.loads(text) if self.process.returncode == 0 else {"problem": FAILED}
        if self.process.returncode:
            _log.error("a simulated withdrawal ended with status %d", self.process.returncode)


@dataclass
class Simulations:
    """Those of one home; safe for several threads. `close` it."""

    home: Home
    _works: dict[Asked, Work] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, asked: Asked) -> Work | None:
        """What is known of one."""
        with self._lock:
            work = self._works.get(asked)
            if work is not None:
                work.look()
            return work

    def start(self, asked: Asked) -> Work:
        """Begin to work one out, unless it is known or under way; one that failed is tried again.

        Raises BusyError while another is worked out.
        """
        with self._lock:
            for work in self._works.values():
                work.look()
            known = self._works.get(asked)
            if known is not None and not (known.answer or {}).get("problem"):
                return known
            if any(work.answer is None for work in self._works.values()):
                raise BusyError
            self._works.pop(asked, None)
            while len(self._works) >= _KEPT:
                del self._works[next(iter(self._works))]
            self._works[asked] = work = self._begun(asked)
            return work

    def _begun(self, asked: Asked) -> Work:
        command = [sys.executable, "-m", "ffp_data.web.simulated", str(self.home.root)]
        output = tempfile.TemporaryFile()  # noqa: SIM115 - closed when its answer is read
        process = subprocess.Popen(  # noqa: S603 - an agreement of the lock and one of two words
            [*command, asked.agreement, asked.status],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,  # a message of the engine's may quote a value
        )
        return Work(time.monotonic(), process, output)

    def close(self) -> None:
        """End what is still under way."""
        with self._lock:
            for work in self._works.values():
                if work.process.poll() is None:
                    work.process.kill()
                    work.process.wait()
                work.output.close()
            self._works.clear()
