"""The demonstration keeps its promises: everything comes out, and a second run changes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ffp_data.feeds import load_contracts
from governance.manifest import MANIFEST
from tests.end_to_end.commands import Demo, ffp, run_demo

pytestmark = pytest.mark.slow


def test_every_feed_is_loaded_and_its_rows_reconcile(demo: Demo) -> None:
    feeds = {row["feed"]: row for row in demo.summary["feeds"]}
    assert set(feeds) == set(load_contracts())
    for row in feeds.values():
        assert row["loaded"] > 0
        assert row["delivered"] == row["loaded"] + row["quarantined"] + row["superseded"], row
        assert row["refused"] == 0


def test_records_of_one_person_carry_one_identifier_nearly_always(demo: Demo) -> None:
    of = {row["of"]: row for row in demo.summary["linkage"]}
    assert of["records (B-cubed)"]["F1"] > 0.95
    assert of["pairs of records"]["precision"] > 0.95


def test_each_finding_of_the_validators_is_explained_by_a_planted_fault(demo: Demo) -> None:
    returns = {row["return"]: row for row in demo.summary["returns"]}
    assert set(returns) == {"cin", "tehadc"}
    for row in returns.values():
        assert row["children"] > 0
        assert row["unexplained"] == 0, row["by_rule"]
        assert row["planted"] + row["missed_link"] == row["errors"] + row["queries"]
    assert returns["cin"]["errors"] > 0, "faults were planted, so the validator must find some"


def test_what_is_for_the_council_is_not_in_a_folder_that_is_released(demo: Demo) -> None:
    def kinds(folder: str) -> set[str]:
        return {path.name for path in (demo.home / folder).rglob("*") if path.is_file()}

    reports = {"report.json", "report.xlsx", "report.html", "build.json", "queries.xlsx"}
    reports |= {"reconciliation.csv", "reconciliation.json", "reconciliation.xlsx"}
    assert kinds("council/cin") == reports
    assert kinds("council/tehadc") == reports | {"pre-match.json", "tehadc-2025-26-999.xlsx"}
    assert kinds("out/returns/cin") == {"cin-2025-26-999.xml", "manifest.json"}
    assert {name.rpartition(".")[2] for name in kinds("out/returns/tehadc")} == {
        "xml",
        "csv",
        "json",
    }
    assert demo.summary["withdrawn"] == []


def test_an_extract_names_its_agreement_and_lies_under_its_recipient(demo: Demo) -> None:
    extracts = demo.summary["extracts"]
    assert [each["agreement"][:11] for each in extracts] == ["DSA-FHN-01@", "DSA-LIST-01"]
    for extract in extracts:
        folder = demo.home / extract["where"]
        assert {path.suffix for path in folder.iterdir()} == {".parquet", ".xlsx", ".json"}
        assert extract["for"] in extract["where"]


def test_the_ledger_is_whole_and_each_crossing_stands_in_it(demo: Demo) -> None:
    verified = ffp("ledger", "verify", "--home", demo.home)
    assert verified.returncode == 0, verified.stderr
    kinds = (demo.home / "ledger" / "ledger.jsonl").read_text("utf-8")
    for kind in ("policy_compiled", "ingest_decision", "delivery_loaded", "released"):
        assert f'"kind":"{kind}"' in kinds


def test_the_warehouse_holds_no_readable_name_or_number(demo: Demo) -> None:
    content = (demo.home / "warehouse.duckdb").read_bytes()
    register = next(demo.landing.glob("education_attendance/attendance_pupils_*.csv"))
    header, *rows = register.read_text("utf-8-sig").splitlines()
    upn = header.split(",").index("upn")
    numbers = {row.split(",")[upn].strip('"') for row in rows[:50]} - {""}
    assert numbers
    assert not [number for number in numbers if number.encode() in content]


def test_running_again_keeps_identifiers_and_bytes_and_loads_nothing_twice(demo: Demo) -> None:
    before_ids, before_files = _identifiers(demo), _digests(demo.home / "out")
    again = run_demo(demo.folder)
    assert _identifiers(demo) == before_ids
    assert _digests(demo.home / "out") == before_files
    assert again.summary["feeds"] == demo.summary["feeds"]


def _identifiers(demo: Demo) -> str:
    done = ffp("hub", "export", "--csv", demo.folder / "ids.csv", "--home", demo.home)
    assert done.returncode == 0, done.stderr
    return (demo.folder / "ids.csv").read_text("utf-8")


def _digests(folder: Path) -> dict[str, str]:
    """What leaves, but for what names the run: manifests hold the ledger's newest checkpoint."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST and path.parent.name != "lineage"
    }
