"""How often one may ask: a bucket of tokens for each asker, refilled steadily (the token bucket)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_ASKERS = 10_000


class TooOftenError(Exception):
    """Asked more often than a person does."""


@dataclass
class _Bucket:
    tokens: float
    at: float


class Limiter:
    """Lets ``burst`` requests pass at once and ``per_minute`` in the long run; safe for several threads."""

    def __init__(
        self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` gives seconds."""
        self._rate, self._burst, self._clock = per_minute / 60, burst, clock
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def take(self, asker: str) -> None:
        """Let one request pass; raises TooOftenError."""
        now = self._clock()
        with self._lock:
            bucket = self._buckets.pop(asker, None) or _Bucket(self._burst, now)
            bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
            bucket.at = now
            self._buckets[asker] = bucket  # the newest last
            while len(self._buckets) > _ASKERS:
                del self._buckets[next(iter(self._buckets))]
            if bucket.tokens < 1:
                raise TooOftenError
            bucket.tokens -= 1
