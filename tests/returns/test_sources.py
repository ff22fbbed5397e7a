"""A finding in our own return leads to the records to mend, and to no others."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import load_workbook

from ffp_data.returns import cin, reports
from ffp_data.returns.checks import validate_tables
from ffp_data.returns.findings import Finding
from ffp_data.returns.sources import COLUMNS, SOURCES, with_sources
from tests.returns.cin_returns import CASES, YEAR, add_children, empty_return

BOOK = cin.rule_book(YEAR)
OWN_KEYS = {
    "cin_details": "cin_key",
    "cin_assessments": "assessment_key",
    "cin_section47": "s47_key",
    "cin_protection_plans": "cpp_key",
    "cin_plan_dates": "plan_key",
}
Source = tuple[str, str, str | None, str | None, int]  # table, row key, column, value, line


def found(change: dict[str, Any], *sources: Source) -> list[Finding]:
    """Findings of a return of one child, with the sources given (child 1, episode 1)."""
    con = duckdb.connect()
    empty_return(con)
    add_children(con, [change])
    con.execute(f"CREATE TABLE returns.{SOURCES} ({', '.join(' '.join(c) for c in COLUMNS)})")
    for table, key, column, value, line in (("cin_children", "1", None, None, 1), *sources):
        values = (
            table,
            "1",
            None,
            key,
            column,
            value,
            "case_system|x|7",
            table,
            "d1",
            line,
            "f.csv",
        )
        con.execute(f"INSERT INTO returns.{SOURCES} VALUES ({', '.join('?' * 11)})", values)
    findings = validate_tables(con, BOOK, date(2026, 3, 31), "returns")
    return with_sources(con, findings, BOOK.layouts, "returns")


def lines(finding: Finding) -> list[int]:
    return [source.line for source in finding.sources]


def test_the_record_of_the_very_assessment_is_named_and_that_of_its_referral() -> None:
    early = {"assessment_actual_start_date": date(2025, 6, 1)}
    second = {
        "assessment_actual_start_date": date(2025, 7, 1),
        "assessment_authorisation_date": date(2025, 7, 9),
    }
    (finding,) = (
        f
        for f in found(
            {"set": {"assessment": early}, "add": {"assessment": [second]}},
            ("cin_details", "1", None, None, 10),
            ("cin_assessments", "1", None, None, 20),
            ("cin_assessments", "2", None, None, 21),
        )
        if f.rule == "1103"
    )
    assert lines(finding) == [20, 10]
    assert str(finding.sources[0]) == "case_system (x), cin_assessments, person 7: f.csv, line 20"
    assert finding.as_dict()["sources"][0] == {  # type: ignore[index]
        "feed": "case_system",
        "record_key": "case_system|x|7",
        "table": "cin_assessments",
        "delivery_id": "d1",
        "line": 20,
        "file": "f.csv",
    }


def test_the_record_that_speaks_for_the_column_wins_over_that_of_the_row() -> None:
    (finding,) = found({"set": {"child": {"sex": "X"}}}, ("cin_children", "1", "sex", None, 5))
    assert (finding.rule, lines(finding)) == ("4180", [5])


def test_a_value_that_nobody_gave_belongs_in_the_councils_own_record() -> None:
    (finding,) = found(
        {"set": {"child": {"ethnicity": None}}}, ("cin_children", "1", "sex", None, 5)
    )
    assert (finding.rule, lines(finding)) == ("4220", [1])


def test_of_several_reviews_the_one_with_the_date_is_named() -> None:
    findings = found(
        {"add": {"review": [{"cpp_review_date": date(2025, 7, 10)}]}},
        ("cin_reviews", "1", None, "2025-09-30", 30),
        ("cin_reviews", "1", None, "2025-07-10", 31),
        ("cin_protection_plans", "1", None, None, 40),
    )
    assert [(f.rule, lines(f)) for f in findings] == [("8841", [31, 40])]


def test_two_records_that_contradict_each_other_are_both_named() -> None:
    plan = {"cin_plan_start_date": date(2026, 1, 5)}
    findings = found(
        {"add": {"plan": [plan]}},
        ("cin_plan_dates", "1", None, None, 50),
        ("cin_plan_dates", "2", None, None, 51),
    )
    assert {f.rule: lines(f) for f in findings} == {"4004": [50, 51], "4014": [50, 51]}


def test_a_child_without_an_episode_leads_to_its_own_record() -> None:
    modules = ["episode", "assessment", "factor", "s47", "cpp", "review", "plan"]
    by_rule = {f.rule: f for f in found({"drop": modules})}
    assert lines(by_rule["8590"]) == [1]


def test_a_return_from_elsewhere_has_no_sources() -> None:
    con = duckdb.connect()
    empty_return(con)
    add_children(con, [{"set": {"child": {"sex": "X"}}}])
    findings = validate_tables(con, BOOK, date(2026, 3, 31), "returns")
    assert with_sources(con, findings, BOOK.layouts, "returns") == findings
    assert "sources" not in findings[0].as_dict()


@pytest.fixture(scope="module")
def breaches() -> list[Finding]:
    con = duckdb.connect()
    empty_return(con)
    add_children(con, (case for both in CASES["cases"].values() for case in both["breaks"]))
    return validate_tables(con, BOOK, date(2026, 3, 31), "returns")


def test_every_rule_names_the_rows_that_it_speaks_of(breaches: list[Finding]) -> None:
    """Of each module that its fields stand in alone, a breach gives the key."""
    tables: dict[str, set[str]] = {}
    for table in BOOK.layout.tables:
        for item in table.items:
            tables.setdefault(item.element, set()).add(table.name)
    for finding in breaches:
        if finding.child is None or finding.rule in ("4000", "4001", "8832", "2991Q"):
            continue  # of the episode as a whole: all its plans, enquiries or assessments
        places = [tables[field] for field in finding.fields if field in tables]
        needed = {
            OWN_KEYS[next(iter(place))]
            for place in places
            if len(place) == 1 and place <= OWN_KEYS.keys()
        }
        needed |= {"cin_key"} if needed else set()
        given = {key for key, values in finding.keys.items() if values}
        assert needed <= given, (finding.rule, needed, given)


def test_reports_say_where_to_mend_it(tmp_path: Path) -> None:
    findings = found({"set": {"child": {"sex": "X"}}})
    dated = datetime(2026, 5, 1, tzinfo=UTC)
    path = reports.write_report(findings, tmp_path / "r.xlsx", "t", dated)
    header, row = load_workbook(path)["Findings"].iter_rows(values_only=True)
    assert (header[-1], row[-1]) == (
        "Where to mend it",
        "case_system (x), cin_children, person 7: f.csv, line 1",
    )
    page = reports.write_report(findings, tmp_path / "r.html", "t", dated).read_text("utf-8")
    assert "f.csv, line 1" in page
