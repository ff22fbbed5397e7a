"""Waiting for another process or thread: until something holds, not for as long as it takes on a fast machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

PATIENCE = 600.0
"""Seconds: a limit for what has gone wrong, not an expectation."""
TEST = timedelta(minutes=2)
"""Longer than a test that asks for today."""

Found = TypeVar("Found")


def wait_until(look: Callable[[], Found], what: str, step: float = 0.02) -> Found:
    """What `look` finds, asked every `step` seconds until it is true; raises AssertionError with `what` at the end."""
    until = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < until, what
        time.sleep(step)
    return found


def today() -> str:
    """The day in UTC, which does not end before the test does: just before midnight tomorrow is waited for."""
    while (now := datetime.now(UTC)).date() != (now + TEST).date():
        time.sleep(1)
    return now.date().isoformat()
