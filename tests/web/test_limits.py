"""A person never meets the limit; a script does, and is let in again after a while."""

from __future__ import annotations

import pytest

from ffp_data.web.limits import Limiter, TooOftenError


def test_a_burst_passes_then_the_pace_counts() -> None:
    now = [0.0]
    limiter = Limiter(per_minute=60, burst=3, clock=lambda: now[0])
    for _ in range(3):
        limiter.take("a")
    with pytest.raises(TooOftenError):
        limiter.take("a")
    limiter.take("b")
    now[0] = 1.0
    limiter.take("a")
    with pytest.raises(TooOftenError):
        limiter.take("a")
