"""A run that would change too many identifiers stops and asks; whoever lets it is written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ffp_data.hub import HubChangeLimit
from ffp_data.pipeline import identify
from tests.pipeline.town import Town


@pytest.mark.slow
def test_a_delivery_that_shuffles_who_is_who_stops_before_anything_is_written(
    tmp_path: Path,
) -> None:
    """A feed's columns have slipped: every record now tells of somebody else."""
    town = Town.make(tmp_path / "home", households=120)
    before = town.ids()
    for number, record in enumerate(town.records.values()):
        record |= {"surname": f"Slipped{number}", "nhs_number": None, "upn": None, "uprn": None}
        record |= {"postcode": None, "date_of_birth": None, "phone": None, "email": None}
    with pytest.raises(HubChangeLimit) as stopped:
        town.run()
    assert town.ids() == before
    assert "ffp run --allow-large-change" in str(stopped.value)
    assert "Nothing was written" in str(stopped.value)
    run = replace(town.at("allowed"), allow_large_change=True)
    identify.link_records(run)
    identify.assign_identifiers(run)
    assert town.ids() != before
    told = [e["facts"] for e in town.events() if e["kind"] == "large_change_allowed"]
    assert [(t["run_id"], bool(t["by"])) for t in told] == [("allowed", True)]
