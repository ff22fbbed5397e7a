"""Reports of findings, and returns built with their report and manifest."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import load_workbook

from ffp_data.returns import Finding, Header, LayoutError, build_return, cin, reports, write_report
from ffp_data.returns.build import rules_version
from tests.returns.cin_returns import YEAR, add_children, empty_return

DATED = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
HOSTILE = '=HYPERLINK("http://x.invalid")<script>&\x02'
FINDING = Finding(
    "4180", "error", HOSTILE, "ChildIdentifiers", ("Sex",), (None,), "Sex is missing."
)


def test_json_has_the_seven_keys_in_order(tmp_path: Path) -> None:
    path = write_report([FINDING], tmp_path / "r.json", "t", DATED)
    (found,) = json.loads(path.read_text(encoding="utf-8"))
    assert list(found) == ["rule", "severity", "child", "module", "fields", "values", "message"]
    assert found["values"] == [None]


def test_a_workbook_holds_no_formula_and_no_character_that_xml_forbids(tmp_path: Path) -> None:
    path = write_report([FINDING], tmp_path / "r.xlsx", "t", DATED)
    cells = [cell for row in load_workbook(path)["Findings"].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert cells[9].value == HOSTILE.replace("\x02", "\ufffd")


def test_a_page_shows_hostile_text_as_text_and_loads_nothing(tmp_path: Path) -> None:
    page = write_report([FINDING], tmp_path / "r.html", "<t>", DATED).read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "src=" not in page
    assert "href=" not in page


@pytest.mark.parametrize("kind", ["xlsx", "html"])
def test_a_value_without_end_is_cut_where_people_read_and_whole_for_machines(
    tmp_path: Path, kind: str
) -> None:
    endless = Finding("1550", "error", "Z" * 60_000, "", ("UPN",), ("Z" * 60_000,), "Z" * 60_000)
    path = write_report([endless], tmp_path / f"r.{kind}", "t", DATED)
    assert path.stat().st_size < 60_000
    if kind == "xlsx":
        (row,) = load_workbook(path)["Findings"].iter_rows(min_row=2, values_only=True)
        assert str(row[5]).endswith("Z… (60,000 characters)")
    whole = write_report([endless], tmp_path / "r.json", "t", DATED).read_text(encoding="utf-8")
    assert json.loads(whole)[0]["values"] == ["Z" * 60_000]


def test_a_page_says_how_many_findings_it_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "HTML_ROWS", 2)
    page = write_report([FINDING] * 5, tmp_path / "r.html", "t", DATED).read_text(encoding="utf-8")
    assert "3 further findings" in page


def test_equal_findings_give_equal_bytes_in_every_format(tmp_path: Path) -> None:
    for kind in reports.FORMATS:
        first = write_report([FINDING], tmp_path / f"a.{kind}", "t", DATED).read_bytes()
        assert write_report([FINDING], tmp_path / f"b.{kind}", "t", DATED).read_bytes() == first


def a_return(*changes: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    empty_return(con)
    add_children(con, changes)
    return con


HEADER = Header.for_year("CIN", YEAR, "999", DATED)


def test_a_built_return_has_its_report_and_a_manifest_of_everything(tmp_path: Path) -> None:
    con = a_return({}, {"set": {"child": {"sex": "X"}}})
    result = build_return(con, tmp_path, HEADER, delivery_ids=["b", "a"])
    assert (result.errors, result.queries, result.counts["cin_children"]) == (1, 0, 2)
    assert result.findings_by_rule == {"4180": 1}
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in result.files)
    manifest = json.loads((tmp_path / "build.json").read_text(encoding="utf-8"))
    assert manifest["inputs"] == ["a", "b"]
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_a_return_built_again_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    con = a_return(*[{}] * 3, {"set": {"child": {"sex": "X"}}})
    for folder in ("a", "b"):
        build_return(con, tmp_path / folder, HEADER)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_the_rule_version_changes_with_a_rule() -> None:
    book = cin.rule_book(YEAR)
    changed = book.rules[0].model_copy(update={"sql": book.rules[0].sql + " AND TRUE"})
    other = type(book)(**{**vars(book), "rules": (changed, *book.rules[1:])})
    assert rules_version(book) != rules_version(other)


@pytest.mark.parametrize(("collection", "year"), [("CLA", YEAR), ("CIN", "2010-11")])
def test_an_unknown_collection_or_year_is_named(tmp_path: Path, collection: str, year: str) -> None:
    header = Header.for_year(collection, year, "999", DATED)
    with pytest.raises(LayoutError, match=f"{collection}|{year}"):
        build_return(a_return({}), tmp_path, header)


def test_a_schema_without_tables_says_which_are_missing(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="cin_children"):
        build_return(duckdb.connect(), tmp_path, HEADER)


def test_validation_leaves_nothing_behind_in_the_connection(tmp_path: Path) -> None:
    con = a_return({})
    build_return(con, tmp_path, HEADER)
    left = con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    assert left == []
