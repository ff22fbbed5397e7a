"""A run that is killed leaves no trace but its lease; 200 kills on each database: benchmarks/hub/kill_nine.py."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.hub import kill_nine

pytestmark = pytest.mark.slow  # kills processes


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> kill_nine.Bench:
    if request.param == "sqlite":
        return kill_nine.Sqlite(tmp_path)
    return kill_nine.Postgres(request.getfixturevalue("postgres_url"))


@pytest.mark.control("B04", "D11")
def test_a_run_that_was_killed_and_made_again_gives_what_the_undisturbed_run_gives(
    bench: kill_nine.Bench,
) -> None:
    expected = kill_nine.undisturbed(bench)
    reached = set(kill_nine.kill_at_points(bench, expected, every=11))
    assert {"before the run's commit", "after the end"} <= reached
    dice = random.Random(5)
    for _ in range(2):
        kill_nine.kill_after(bench, expected, dice.uniform(0, expected.seconds))
