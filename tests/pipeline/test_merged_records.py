"""Records that their sender merged are one person's, however little they look alike; a reviewer may part them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ffp_data.feeds.people import PERSON_COLUMNS
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub import Hub, Verdict
from ffp_data.pipeline import identify
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect
from tests.hub.stories import decide

SURVIVOR, MERGED, LOST = "police|51|N1", "police|51|N2", "police|51|N3"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home").prepare()
    make_demonstration(home)
    policy.compile_lock(Run.at(run_id="lock", home=home.root, as_at=date(2026, 4, 1)))
    return home


def linked(home: Home, day: int) -> dict[str, tuple[str, float | None]]:
    """Identifier and confidence of each record after one more run."""
    run = Run.at(run_id=f"r{day}", home=home.root, as_at=date(2026, 4, day))
    with connect(run.home) as con:
        declared = ", ".join(f"{name} {kind}" for name, kind in PERSON_COLUMNS.items())
        con.execute(f"CREATE OR REPLACE TABLE identity.person_records ({declared})")
        rows = pa.Table.from_pylist(_people())  # noqa: F841 -- read by name
        con.execute("INSERT INTO identity.person_records BY NAME SELECT * FROM rows")
    identify.link_records(run)
    identify.assign_identifiers(run)
    with connect(run.home) as con:
        query = "SELECT record_key, child_id, link_confidence FROM identity.child_membership"
        return {key: (child, sure) for key, child, sure in con.execute(query).fetchall()}


def _people() -> list[dict[str, object]]:
    named = {
        SURVIVOR: ("Aisha", "Khan", date(2012, 3, 4), None),
        MERGED: ("Bethany", "Longbottom", date(1999, 11, 30), SURVIVOR),
        LOST: ("Carl", "Nowak", date(2010, 1, 2), "police|51|N999"),
    }
    return [
        {"record_key": key, "feed": "police", "system": "51", "given_name": given, "surname": surname,
         "date_of_birth": born, "replaced_by": into}
        for key, (given, surname, born, into) in named.items()
    ]  # fmt: skip


def test_a_merged_record_follows_the_one_that_survives(home: Home) -> None:
    found = linked(home, 1)
    assert found[MERGED][0] == found[SURVIVOR][0] != found[LOST][0]
    assert found[MERGED][1] in {None, 1.0}


def test_a_reviewer_who_parts_them_is_obeyed(home: Home) -> None:
    linked(home, 1)
    with Hub.open(home.hub_url) as hub:
        decide(hub, SURVIVOR, MERGED, Verdict.NOT_SAME)
    found = linked(home, 2)
    assert found[MERGED][0] != found[SURVIVOR][0]
