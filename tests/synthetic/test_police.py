"""Both forces' files hold what such files get wrong, and each planted thing can be found again."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import pytest

from tests.synthetic.conftest import Made


@pytest.fixture(scope="module")
def night(made: Made) -> dict[str, list[dict[str, str]]]:
    """Rows of the members of the night's zip, by table."""
    (path,) = (made.folder / "landing" / "police_safeguarding").iterdir()
    with zipfile.ZipFile(path) as archive:
        texts = {name.split("_")[2]: archive.read(name).decode() for name in archive.namelist()}
    return {name: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}


@pytest.fixture(scope="module")
def document(made: Made) -> dict[str, Any]:
    (path,) = (made.folder / "landing" / "police_pole").iterdir()
    return dict(json.loads(path.read_bytes()))


def test_the_night_is_one_zip_of_five_tables(night: dict[str, list[dict[str, str]]]) -> None:
    assert list(night) == ["persons", "events", "links", "missing", "custody"]


def test_every_link_and_detail_is_of_a_person_and_an_event_of_the_set(
    night: dict[str, list[dict[str, str]]],
) -> None:
    people = {row["nominal_id"] for row in night["persons"]}
    events = {row["event_id"] for row in night["events"]}
    for table in ("links", "missing", "custody"):
        assert {row["nominal_id"] for row in night[table]} <= people
        assert {row["event_id"] for row in night[table]} <= events
    assert {row["merged_into"] for row in night["persons"]} - {""} <= people


def test_the_known_faults_of_doorstep_notes_are_there(
    night: dict[str, list[dict[str, str]]], made: Made
) -> None:
    people = night["persons"]
    unborn = [p for p in people if p["expected_delivery_date"]]
    aged = [p for p in people if p["approximate_age_from"] and not p["date_of_birth"]]
    merged = [p for p in people if p["merged_into"]]
    assert unborn
    assert not any(p["given_names"] or p["date_of_birth"] for p in unborn)
    assert len(aged) > 0.04 * len(people)
    assert merged
    of = {row["record_key"]: row["person_id"] for row in made.truth("record_person")}
    key = "police_safeguarding|51|"
    assert all(of[key + p["nominal_id"]] == of[key + p["merged_into"]] for p in merged)


def test_a_notice_and_an_encompass_message_share_their_occurrence(
    night: dict[str, list[dict[str, str]]],
) -> None:
    incidents = {e["occurrence_ref"] for e in night["events"] if e["event_type"] == "DA_INCIDENT"}
    copies = [e for e in night["events"] if e["event_type"] == "OP_ENCOMPASS"]
    assert copies
    assert all(e["occurrence_ref"] in incidents for e in copies)


def test_a_child_in_custody_is_asked_a_bed_for_only_overnight(
    night: dict[str, list[dict[str, str]]],
) -> None:
    assert night["custody"]
    asked = [row for row in night["custody"] if row["s38_transfer_requested"] == "1"]
    assert all(row["overnight"] == "1" for row in asked)
    moved = [row for row in night["custody"] if row["s38_transfer_made"] == "1"]
    assert all(row in asked for row in moved)


def test_the_neighbours_document_links_only_what_it_includes(document: dict[str, Any]) -> None:
    people = {r["id"] for r in document["included"] if r["type"] == "person"}
    linked = {
        link["id"]
        for resource in [*document["data"], *document["included"]]
        for relation in resource.get("relationships", {}).values()
        for link in relation["data"]
    }
    assert linked <= people
    assert {r["type"] for r in document["included"]} == {"person", "location", "telephone"}


def test_the_neighbours_tell_of_few_families(document: dict[str, Any], made: Made) -> None:
    people = [r for r in document["included"] if r["type"] == "person"]
    assert 3 < len(document["data"]) < 40
    assert len(people) < 0.05 * made.summary.children
