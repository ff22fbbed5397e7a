"""The demonstration's returns: valid in shape, traced to the record, reconciled, kept and signed."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from openpyxl import load_workbook

from ffp_data.access import Access
from ffp_data.settings import Home
from tests.end_to_end.commands import Demo, ffp

pytestmark = pytest.mark.slow
YEAR = "2025-26"


def council(demo: Demo, collection: str) -> Path:
    return demo.home / "council" / collection / YEAR


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("collection", ["cin", "tehadc"])
def test_the_return_passes_the_schema_of_its_specification(demo: Demo, collection: str) -> None:
    schema = ffp("returns", "schema", collection, "--year", YEAR)
    checker = etree.XMLSchema(etree.fromstring(schema.stdout.encode()))
    (path,) = (demo.home / "out" / "returns" / collection / YEAR).glob("*.xml")
    checker.assertValid(etree.parse(path))


def test_each_finding_leads_to_the_line_of_a_record_of_the_child(demo: Demo) -> None:
    findings = read(council(demo, "cin") / "report.json")
    traced = [finding for finding in findings if finding["child"]]
    assert traced
    for finding in traced:
        assert finding["sources"], finding["rule"]
        for source in finding["sources"]:
            lines = (
                (demo.landing / source["feed"] / source["file"]).read_text("utf-8-sig").split("\n")
            )
            person = source["record_key"].split("|")[2]
            assert person in lines[source["line"] - 1], source


@pytest.mark.parametrize("collection", ["cin", "tehadc"])
def test_every_difference_to_feed_and_single_view_is_explained(demo: Demo, collection: str) -> None:
    found = read(council(demo, collection) / "reconciliation.json")
    assert found["unexplained"] == 0
    assert {total["against"] for total in found["totals"]} == {"feed", "single view"}
    for total in (t for t in found["totals"] if t["against"] == "feed"):
        away = sum(d["number"] for d in found["differences"] if d["module"] == total["module"]
                   and d["against"] == "feed")  # fmt: skip
        assert total["there"] == total["in_return"] + away, total


def test_the_pre_match_finds_every_conflict_that_was_planted(demo: Demo) -> None:
    path = demo.landing.parent / "truth" / "planted_faults.csv"
    faults = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    planted = [f for f in faults if re.fullmatch(r"conflict:\w+|TE01[567]", f["explains"])]
    assert planted
    match = read(council(demo, "tehadc") / "pre-match.json")
    told = {(c["item"], c["early_help_record_key"]) for c in match["between_systems"]}
    checks = {(check["rule"], check["child"]) for check in match["overlap_and_sequence"]}
    for finding in read(council(demo, "tehadc") / "report.json"):
        if (finding["rule"], finding["child"]) in checks:
            told |= {(finding["rule"], source["record_key"]) for source in finding["sources"]}
    for fault in planted:
        what = fault["explains"].removeprefix("conflict:")
        who = f"|{fault['source_person_id']}"
        assert any(found == what and key.endswith(who) for found, key in told), fault


@pytest.mark.control("F03")
@pytest.mark.parametrize("collection", ["cin", "tehadc"])
def test_a_kept_version_is_made_again_byte_for_byte(demo: Demo, collection: str) -> None:
    (folder,) = (demo.home / "council" / "versions" / collection / YEAR).iterdir()
    made = ffp("returns", "rebuild", folder)
    assert made.returncode == 0, made.stderr
    record = read(folder / "build.json")
    known = {d["delivery_id"] for d in read_deliveries(demo)}
    assert set(record["inputs"]) <= known


def read_deliveries(demo: Demo) -> list[dict[str, str]]:
    events = Access(Home(demo.home)).ledger.events()
    return [event["facts"] for event in events if event["kind"] == "delivery_loaded"]


def test_a_return_is_signed_in_the_ledger_and_reasons_come_back(demo: Demo, tmp_path: Path) -> None:
    who = ("--by", "A. Director", "--role", "director of children's services")
    refused = ffp("returns", "sign", "cin", *who, "--home", demo.home)
    assert refused.returncode == 1
    assert "mend them, or give --reason" in refused.stderr
    reason = ("--reason", "the planted faults stay")
    assert ffp("returns", "sign", "cin", *who, *reason, "--home", demo.home).returncode == 0
    listed = ffp("returns", "versions", "cin", "--json", "--home", demo.home)
    (version,) = json.loads(listed.stdout)
    assert version["signed by"].startswith("A. Director (director of children's services)")

    book = load_workbook(council(demo, "cin") / "queries.xlsx")
    book["Queries"]["J2"].value, book["Queries"]["K2"].value = "asked the school", "A. Analyst"
    book.save(tmp_path / "answered.xlsx")
    kept = ffp("returns", "queries", "import", tmp_path / "answered.xlsx", "--home", demo.home)
    assert kept.returncode == 0, kept.stderr
    assert ffp("returns", "build", "cin", "--home", demo.home).returncode == 0
    again = load_workbook(council(demo, "cin") / "queries.xlsx")["Queries"]
    assert (again["J2"].value, again["K2"].value) == ("asked the school", "A. Analyst")
    assert len(list((demo.home / "council" / "versions" / "cin" / YEAR).iterdir())) == 1


def test_another_year_is_built_of_its_own_tables_and_nothing_else_is_left_in_it(demo: Demo) -> None:
    folder = demo.home / "out" / "returns" / "cin" / YEAR
    before = _without_witness(folder)
    made = ffp("returns", "build", "cin", "--year", "2026-27", "--json", "--home", demo.home)
    assert made.returncode == 0, made.stderr
    outcome = json.loads(made.stdout)
    assert "PROVISIONAL" in outcome["notes"]
    assert outcome["folder"].endswith("returns/cin/2026-27")
    signed = ffp("returns", "sign", "cin", "--year", "2026-27", "--by", "A", "--role", "B",
                 "--home", demo.home)  # fmt: skip
    assert signed.returncode == 1
    assert "PROVISIONAL" in signed.stderr
    assert ffp("returns", "build", "cin", "--home", demo.home).returncode == 0
    assert _without_witness(folder) == before
    not_held = ffp("returns", "build", "cin", "--year", "2030-31", "--home", demo.home)
    assert not_held.returncode == 1
    assert "no CIN census 2030-31 is held here" in not_held.stderr


def _without_witness(folder: Path) -> dict[str, Any]:
    """What a manifest says, but for the checkpoint of the ledger, which each release carries anew."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))["manifest"]
    return {name: value for name, value in manifest.items() if name != "witness"}
