"""What the hub publishes: counts under an agreement, protected with what was published before, and covered."""

from __future__ import annotations

import ast
import csv
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.pipeline.ingest import ingest_feed
from ffp_data.publications.published import Publication, publish_counts, read_history
from ffp_data.publications.published_files import write_csv
from ffp_data.settings import make_demonstration
from ffp_data.warehouse import connect
from governance.disclosure_control.attack import attack, recovered
from governance.release import not_released

DAY, LATER = date(2025, 12, 31), date(2026, 3, 31)
ROOT = Path(__file__).parents[2]
MARTS = """
CREATE SCHEMA IF NOT EXISTS rights;
CREATE TABLE rights.withheld_children (child_id VARCHAR, purpose VARCHAR, recipient VARCHAR);
CREATE TABLE rights.withheld_numbers (child_id VARCHAR, recipient VARCHAR);
CREATE TABLE identity.shielded (child_id VARCHAR);
CREATE TABLE identity.child_membership (record_key VARCHAR, child_id VARCHAR);
CREATE TABLE identity.person_records (record_key VARCHAR, is_restricted BOOLEAN);
CREATE TABLE single_view.children AS
SELECT 'C' || i AS child_id, (i % 18)::BIGINT AS age_years, false AS is_unborn, i = 7 AS is_restricted,
    ['XF1', 'XF6', 'XF8', 'XF14', 'XF99'][1 + i % 5] || ' 1AA' AS postcode
FROM range(120) t(i);
CREATE TABLE single_view.involvements AS
SELECT 'C' || i AS child_id, service, 'current' AS state
FROM range(120) t(i), (VALUES ('education', 1), ('social_care', 4), ('youth_justice', 40)) s (service, every)
WHERE i % every = 0;
CREATE TABLE single_view.chronology AS
SELECT 'C' || i AS child_id, 'early_help_started' AS event_type, DATE '2025-05-01' + i::INTEGER AS event_date
FROM range(0, 120, 2) t(i);
CREATE TABLE timeliness.clocks AS
SELECT 'TM-02' AS measure_id, 'C' || i AS child_id, if(i % 3 = 0, 'North', 'South') AS team,
    i % 20 <> 0 AS is_in_numerator, true AS is_counted
FROM range(60) t(i);
CREATE TABLE timeliness.measures AS
SELECT 'TM-02' AS measure_id, 'partnership' AS level, DATE '2025-04-01' AS period_start, DATE '2025-12-31' AS as_at;
"""


def at(home: Path, day: date) -> Run:
    run = Run.at(run_id=f"r-{day}", home=home, landing=home, as_at=day)
    assert policy.compile_lock(run).problems == []
    return run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run.at(run_id="r0", home=tmp_path / "home", landing=tmp_path, as_at=DAY)
    make_demonstration(made.home)
    with connect(made.home) as con:
        con.execute(MARTS)
    return at(made.home.root, DAY)


def change(run: Run, statement: str) -> None:
    with connect(run.home) as con:
        con.execute(statement)


def counts(outcome: Publication, table: str) -> dict[tuple[str, ...], str]:
    assert outcome.folder is not None
    with (outcome.folder / f"{table}.csv").open(encoding="utf-8", newline="") as handle:
        _, *rows = csv.reader(handle)
    return {tuple(codes): count for *codes, count in rows}


@pytest.mark.control("E01")
def test_children_by_service_are_published_with_nobody_to_be_found(run: Run) -> None:
    made = publish_counts(run, "children_by_service")
    assert made.permitted
    by_age = counts(made, "children_by_service_and_age")
    assert by_age["youth_justice", "all"] == "c"
    assert by_age["education", "all"] in ("120", "c")
    assert recovered(attack(read_history(run.home)["children_by_service"]), 5) == {}
    book = load_workbook(made.folder / "children_by_service.xlsx")  # type: ignore[operator]
    assert book.sheetnames[0] == "Notes"
    notes = {row[0]: row[1] for row in book["Notes"].iter_rows(values_only=True)}
    assert "1 to 5" in str(notes["c"])


@pytest.mark.control("B08")
def test_a_child_who_must_not_be_located_counts_under_no_area(run: Run) -> None:
    before = counts(publish_counts(run, "children_by_service"), "children_by_service_and_area")
    shielded = ", ".join(f"('C{i}')" for i in range(0, 120, 5))
    change(run, f"INSERT INTO identity.shielded VALUES {shielded}")
    after = counts(publish_counts(run, "children_by_service"), "children_by_service_and_area")
    assert before["all", "North"] == "25"  # 24, rounded
    assert after["all", "North"] in ("0", "c")


@pytest.mark.control("C05")
def test_a_child_kept_out_by_a_right_is_not_counted(run: Run) -> None:
    change(
        run,
        "INSERT INTO rights.withheld_children SELECT 'C' || i, 'statistics', NULL FROM range(40) t(i)",
    )
    by_age = counts(publish_counts(run, "children_by_service"), "children_by_service_and_age")
    assert by_age["all", "all"] == "80"


@pytest.mark.control("E02")
def test_the_same_counts_are_the_same_edition_and_others_are_audited_against_it(run: Run) -> None:
    first, again = (publish_counts(run, "children_by_service") for _ in range(2))
    assert (first.edition, again.edition) == (1, 1)
    change(
        run, "DELETE FROM single_view.involvements WHERE child_id = 'C5' AND service = 'education'"
    )
    second = publish_counts(run, "children_by_service")
    assert second.edition == 2
    one, two = (
        {
            t.frame.name: t
            for t in read_history(run.home)["children_by_service"]
            if t.frame.edition == n
        }
        for n in (1, 2)
    )
    for name, table in one.items():
        for key, seen in table.cells.items():
            now = two[name].cells[key]
            assert seen is None or now is None or not 0 < abs(seen - now) <= 5, (name, key)


@pytest.mark.control("E02")
def test_early_help_since_april_less_the_quarter_before_shows_no_few_children(run: Run) -> None:
    publish_counts(run, "early_help")
    change(
        run,
        "INSERT INTO single_view.chronology VALUES ('C1', 'early_help_started', DATE '2026-02-01')",
    )
    publish_counts(at(run.home.root, LATER), "early_help")
    before, after = read_history(run.home)["early_help"]
    assert recovered(attack([before, after]), 5) == {}
    for key, seen in after.cells.items():
        then = before.cells[key]
        assert seen is None or then is None or not 0 < seen - then <= 5


@pytest.mark.control("E03")
def test_a_share_does_not_tell_of_those_few_who_were_late(run: Run) -> None:
    made = publish_counts(run, "timeliness")
    with (made.folder / "timeliness.csv").open(encoding="utf-8") as handle:  # type: ignore[operator]
        rows = {(r["outcome"], r["team"]): r for r in csv.DictReader(handle)}
    late = rows["not in the share", "all"]
    assert (late["clocks"], late["percent"]) == ("c", "c")
    for row in rows.values():
        if row["percent"] not in ("c", "z"):
            assert row["clocks"] != "c"
    assert recovered(attack(read_history(run.home)["timeliness"]), 5) == {}


@pytest.mark.control("E04")
def test_nothing_is_published_once_its_agreement_is_suspended(run: Run) -> None:
    policy.start_policy(run.home)
    file = run.home.root / "policy" / "agreements" / "DSA-PUB-01.yaml"
    file.write_text(file.read_text("utf-8").replace("status: live", "status: suspended"), "utf-8")
    refused = publish_counts(at(run.home.root, DAY), "children_by_service")
    assert not refused.permitted
    assert "suspended" in refused.reason
    assert not (run.home.out / "published").exists()


def test_every_file_under_out_is_of_a_release_that_the_ledger_knows(run: Run) -> None:
    for name in ("children_by_service", "early_help", "timeliness"):
        assert publish_counts(run, name).permitted
    assert not_released(run.home.out, run.keys.public_key, run.ledger) == []
    released = [e["facts"] for e in run.ledger.events() if e["kind"] == "released"]
    assert len(released) == 3
    assert all(each["columns"] and each["rows"] and each["manifest"] for each in released)


@pytest.mark.control("A12")
def test_a_file_that_the_hub_released_is_refused_when_somebody_delivers_it(run: Run) -> None:
    made = publish_counts(run, "early_help")
    assert made.folder is not None
    released = made.folder / "early_help_by_type_and_age.csv"
    feed = run.landing / "health_csv"
    feed.mkdir()
    (feed / "health_children_20251230T060000Z.csv").write_bytes(released.read_bytes())
    outcome = ingest_feed(run, run.contracts["health_csv"])
    assert [result.error.rule for result in outcome.results if result.error] == ["circular"]
    assert not any(result.status == "loaded" for result in outcome.results)


GATED = {"publish", "publish_documents", "write_extract"}
READING = {
    "ffp_data/settings.py": "says where it is",
    "ffp_data/pipeline/summary.py": "reads manifests",
    "ffp_data/pipeline/ingest.py": "refuses a delivery that is a file of our own",
    "ffp_data/releases/kept_returns.py": "reads a released return",
    "ffp_data/releases/kept_quarters.py": "reads a released quarter",
    "ffp_data/lookups/service.py": "reads what was asked",
    "ffp_data/rotation/rotate.py": "reads the years of extracts",
    "ffp_data/web/governance.py": "shows the documents",
    "ffp_data/web/programme.py": "gives out what was published",
    "ffp_data/withdrawal/releases.py": "reads manifests, takes back through the gate",
}


def test_only_modules_that_go_through_the_gate_name_the_folder_of_releases() -> None:
    """A new writer beside the gate is found here, and in a run's out/ by `not_released`."""
    naming = {
        str(path.relative_to(ROOT)): path
        for folder in ("ffp_data", "assets")
        for path in (ROOT / folder).rglob("*.py")
        if any(_names_out(node) for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    }
    assert "ffp_data/publications/published.py" in naming
    ungated = {name for name, path in naming.items() if not _imports_gate(path)}
    assert ungated - set(READING) == set()


def _names_out(node: ast.AST) -> bool:
    """`home.out`, `run.home.out` and the like."""
    if not isinstance(node, ast.Attribute) or node.attr != "out":
        return False
    of = node.value
    return (isinstance(of, ast.Attribute) and of.attr == "home") or (
        isinstance(of, ast.Name) and of.id in ("home", "place")
    )


def _imports_gate(path: Path) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("governance.release")
        and GATED & {alias.name for alias in node.names}
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


@pytest.mark.control("D08")
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1"])
def test_text_of_a_published_csv_does_not_begin_as_a_formula(text: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", ["team", "clocks"], [[text, -3]])
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as handle:
        assert list(csv.reader(handle)) == [["team", "clocks"], [f"'{text}", "-3"]]
