"""A run that was killed in a step does not make the next one wait for its place in Dagster's pool."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from assets.resources import _clear_away


@pytest.mark.slow  # makes a Dagster instance
def test_the_place_of_a_killed_run_is_free_for_the_next(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        storage = instance.event_log_storage
        storage.set_concurrency_slots("warehouse", 1)
        assert storage.claim_concurrency_slot("warehouse", "killed", "links").is_claimed
        assert not storage.claim_concurrency_slot("warehouse", "next", "links").is_claimed
        _clear_away(instance, "next")
        assert storage.claim_concurrency_slot("warehouse", "next", "links").is_claimed
        _clear_away(instance, "next")
        assert [s.run_id for s in storage.get_concurrency_info("warehouse").claimed_slots] == [
            "next"
        ]
