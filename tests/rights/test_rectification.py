"""What its source corrected stays corrected, the old value is told apart, and who had it is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffp_data.access import Access
from ffp_data.home.run import Run
from ffp_data.pipeline import identify, ingest
from ffp_data.rights.disclosures import DisclosureRegister
from ffp_data.warehouse import connect
from tests.feeds.samples import Landing
from tests.rights.small import NORTH, extracts, ids
from tests.sealing.homes import ANN, CONTRACTS, child_of, health, make, next_run, patient

pytestmark = pytest.mark.control("C04")


def send(run: Run, name: str, stamp: str) -> None:
    """The hospital sends its list again, with this name for Ann, and the hub takes it in."""
    out = Landing(run.landing, CONTRACTS, None)  # type: ignore[arg-type]  # it only writes here
    out.rows("health_csv", "children", [health(ANN) | {"first_name": name}], stamp)
    ingest.ingest_feed(next_run(run, stamp), CONTRACTS["health_csv"])
    identify.assemble(run)


def name_of(run: Run) -> str:
    key = f"health_csv|RXG|{patient(ANN)}"
    with connect(run.home, read_only=True) as con:
        query = "SELECT given_name FROM identity.person_records WHERE record_key = ?"
        (found,) = con.execute(query, [key]).fetchone() or ("",)
    return str(found)


@pytest.mark.slow  # a dozen deliveries
def test_a_correction_wins_over_every_older_list_and_the_old_rows_are_booked_as_superseded(
    tmp_path: Path,
) -> None:
    run = make(tmp_path)
    child, wrong = child_of(run, ANN), name_of(run)
    send(run, "Anneliese", "20260420T030000Z")
    assert name_of(run) == "Anneliese"
    for day in range(2, 5):
        send(run, wrong, f"202604{day:02}T030000Z")
    assert name_of(run) == "Anneliese", (
        "lists from before the correction come late and change nothing"
    )
    with connect(run.home, read_only=True) as con:
        (superseded,) = con.execute(
            "SELECT sum(rows_superseded) FROM meta.deliveries"
            " WHERE feed = 'health_csv' AND table_name = 'children'"
        ).fetchone() or (0,)
    assert superseded >= 1 + 3, "what was told before is in the books, as superseded"
    assert child_of(run, ANN) == child


def test_recipients_of_the_wrong_value_are_listed_with_the_field_they_had(run: Run) -> None:
    child = ids(run)["ann"]
    extracts(run)
    with connect(run.home) as con:
        con.execute(
            "UPDATE single_view.children SET given_name = 'anneliese' WHERE child_id = ?", [child]
        )
    register = DisclosureRegister(run.home, Access(run.home))
    log = register.of_child(register.identity(child))
    assert log.recipients == [NORTH]
    fields = {f"{f.relation}.{f.name}" for each in log.disclosures for f in each.fields}
    assert "single_view.children.given_name" in fields
