"""An adopted child: the old identity is sealed, the new one comes by ordinary feeds, and nothing ties them.

The home is that of `ffp demo`: Dagster's storage, dbt's target, extracts, builds of returns and all. The old
identity's tokens are taken from the agencies' own files before the seal, and every file of the home is
opened and searched for them, before (so that the search is known to see) and after.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ffp_data.access import Access
from ffp_data.hub.child_id import check_symbol
from ffp_data.sealing.search import search
from ffp_data.settings import Home
from tests.end_to_end.adoption import NEW, Story, new_number
from tests.end_to_end.commands import ffp

pytestmark = pytest.mark.slow


def test_the_search_sees_the_identity_wherever_it_was(story: Story) -> None:
    """The control: what the search must not find afterwards it did find before, in every kind of file."""
    places = "\n".join(story.before)
    for kind in (
        "warehouse.duckdb:raw.",
        "warehouse.duckdb:identity.",
        "warehouse.duckdb:single_view.",
        "hub.db:hub_membership",
        ".parquet",
        ".xlsx/xl/",
        ".xml",
    ):
        assert kind in places, kind


def test_nothing_of_the_old_identity_is_left_in_any_file_of_the_home(story: Story) -> None:
    assert story.loose_ends == {}, "after the seal"
    assert story.left == {}, "after the next run, with late rows"
    assert story.report["exceptions"] == {}, "nothing was signed, so nothing is a statutory record"


def test_the_landing_folder_keeps_the_files_without_the_rows(story: Story) -> None:
    left = Home(story.demo.folder / "partnership")
    found = {k: n for k, n in search(left, story.old.wanted).items() if k.startswith("landing/")}
    assert found == {}


def test_late_rows_are_in_the_vault_and_nowhere_else(story: Story) -> None:
    late = [part for part in story.vault if str(part["part"]).startswith("late-")]
    assert {part["feed"] for part in late} == {"case_system", "health_csv"}
    text = json.dumps(late)
    assert story.old.patient_id in text
    assert story.old.person_id in text
    assert NEW["surname"] not in text
    assert new_number() not in text
    kept_out = [e for e in _ledger(story) if e["kind"] == "late_rows_kept_out"]
    assert {e["facts"]["feed"] for e in kept_out} == {"case_system", "health_csv"}


def test_the_custodian_has_the_whole_old_identity(story: Story) -> None:
    (identity,) = [part["identity"] for part in story.vault if "identity" in part]
    assert identity["child_id"] == story.old.child_id
    assert set(story.old.records) <= set(identity["records"])
    pieces = json.dumps([part["pieces"] for part in story.vault if "pieces" in part])
    assert all(number in pieces for number in story.old.numbers if not number.isdigit())


@pytest.mark.control("B05")
def test_no_file_and_no_row_ties_the_two(story: Story) -> None:
    """Not by a value of each in one place, and not by a keyed value that the two would share."""
    assert any("single_view" in place for place in story.new), "the new child is an ordinary child"
    files = {place.split(":")[0] for place in story.new}
    assert not files & {place.split(":")[0] for place in story.left}
    assert story.tied == {}, "and no unkeyed hash of name and birth date"


def test_a_sealed_identifier_is_answered_as_one_that_was_never_issued(story: Story) -> None:
    never = next(n + c for n in (f"{k:012}" for k in range(10**6)) if (c := check_symbol(n)))
    for command in ("resolve", "history"):
        answers = [
            ffp("hub", command, each, "--home", story.home.root)
            for each in (story.old.child_id, never)
        ]
        sealed, unknown = ((a.returncode, a.stdout, a.stderr) for a in answers)
        plain = str(sealed).replace(story.old.child_id, "X"), str(unknown).replace(never, "X")
        assert plain[0] == plain[1]


def test_the_ledger_is_whole_and_names_nobody(story: Story) -> None:
    assert ffp("ledger", "verify", "--home", story.home.root).returncode == 0
    (event,) = [e for e in _ledger(story) if e["kind"] == "identity_sealed"]
    assert set(event["facts"]) >= {"by", "reason", "reference", "hub", "landing", "warehouse"}


def _ledger(story: Story) -> list[dict[str, Any]]:
    return list(Access(story.home).ledger.events())
