"""What a run writes of its lineage: a page that an officer reads, and events that machines read."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ffp_data.lineage.columns import packaged
from ffp_data.lineage.export import EVENTS, Export
from governance.policy import DEMO_DIRECTORY, compile_policy, load


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lineage")
    lock = compile_policy(load(DEMO_DIRECTORY), date(2026, 3, 31))
    Export(packaged(), lock.data, "a run", "2026-03-31").write(folder)
    return folder


def events(written: Path) -> dict[str, Any]:
    lines = (written / EVENTS).read_text("utf-8").splitlines()
    return {event["job"]["name"]: event for event in map(json.loads, lines)}


def columns_of(event: dict[str, Any]) -> dict[str, Any]:
    facet: dict[str, Any] = event["outputs"][0]["facets"]["columnLineage"]
    return facet


@pytest.mark.control("F01")
def test_the_page_tells_sources_agreements_and_recipients_of_a_column(written: Path) -> None:
    page = (written / "columns.html").read_text("utf-8")
    section = page.partition(">single_view.children.postcode</h2>")[2].partition("</section>")[0]
    assert "early_help.persons.postcode" in section
    assert "DSA-EH-01@1" in section
    assert "To fenmarch-family-help-north" in section
    assert "bears on it" in section


def test_the_page_needs_no_script_and_asks_nothing_of_others(written: Path) -> None:
    page = (written / "columns.html").read_text("utf-8")
    assert "<script" not in page
    assert "src=" not in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.control("F01")
def test_events_say_what_is_value_and_what_chooses(written: Path) -> None:
    facet = columns_of(events(written)["build.single_view.children"])
    made_of = facet["fields"]["postcode"]["inputFields"]
    assert {each["transformations"][0]["type"] for each in made_of} == {"DIRECT"}
    assert {each["transformations"][0]["type"] for each in facet["dataset"]} == {"INDIRECT"}


def test_events_mark_as_masked_what_leaves_changed_and_nothing_else(written: Path) -> None:
    facet = columns_of(events(written)["release.fenmarch-family-help-north/single_view.children"])
    masked = {
        name: field["inputFields"][0]["transformations"][0]["masking"]
        for name, field in facet["fields"].items()
    }
    assert masked["child_id_pseudonym"] is True
    assert masked["surname"] is False
