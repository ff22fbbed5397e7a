"""The workbook of Annex A: what a spreadsheet program shows, what the cover admits, what the council mends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from ffp_data.returns import LayoutError
from ffp_data.returns.annex_a import (
    Edition,
    Particulars,
    Query,
    check_lists,
    edition_on,
    editions,
    fill_lists,
    rules_version,
    write_annex_a,
)
from ffp_data.returns.annex_a.edition import FOLDER, load_edition
from tests.returns.annex_a_warehouse import ON, child, facts, put, warehouse

EDITION = edition_on(ON)
ABOUT = Particulars("Fenmarch, LA 999", ON, "DSA-OFS-01@1", "0" * 64)
FORMULA = '=HYPERLINK("http://example.invalid", "Kim")'


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse() as connection:
        yield connection


def write(con: duckdb.DuckDBPyConnection, path: Path, on: date = ON) -> Path:
    edition = edition_on(on)
    return write_annex_a(path, edition, fill_lists(con, edition, on), ABOUT)


def opened(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def queries(con: duckdb.DuckDBPyConnection, on: date = ON) -> list[Query]:
    return check_lists(edition_on(on), fill_lists(con, edition_on(on), on), on)


def test_the_tabs_are_the_lists_in_order_and_the_cover_stands_last(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    book = opened(write(con, tmp_path / "a.xlsx"))
    assert book.sheetnames == [*(f"List {number}" for number in range(1, 12)), "Cover"]


def test_each_tab_has_its_headers_though_nobody_is_on_it(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    book = opened(write(con, tmp_path / "a.xlsx"))
    counts = [book[f"List {number}"].max_column for number in range(1, 12)]
    assert counts == [7, 8, 11, 12, 14, 14, 17, 34, 17, 16, 19]  # as in the sample of January 2024
    assert [cell.value for cell in book["List 1"][1]] == [
        "Child Unique ID",
        "Gender",
        "Ethnicity",
        "Date of Birth",
        "Age of Child (Years)",
        "Date of Contact",
        "Contact Source",
    ]


def test_dates_are_dates_shown_day_first_and_numbers_are_numbers(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    facts(con, "contacts", "ada", contact_date=ON, source_code="2A")
    _, row = opened(write(con, tmp_path / "a.xlsx"))["List 1"].iter_rows()
    assert (row[5].value.date(), row[5].number_format) == (ON, "dd/mm/yyyy")
    assert (row[4].value, row[6].value) == (10, "e) 2A: Schools")


def test_no_text_becomes_a_formula(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    put(con, "professionals", {"professional_id": "W1", "professional_name": FORMULA})
    referral = {"referral_date": ON, "is_no_further_action": True, "worker_id": "W1"}
    facts(con, "referrals", "ada", referral_id="R", team="+1+1", **referral)
    _, row = opened(write(con, tmp_path / "a.xlsx"))["List 3"].iter_rows()
    assert [(cell.value, cell.data_type) for cell in row[9:]] == [("+1+1", "s"), (FORMULA, "s")]


def test_every_column_without_a_source_stands_on_the_cover_with_the_reason(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    cover = dict(opened(write(con, tmp_path / "a.xlsx"))["Cover"].iter_rows(values_only=True))
    for number, annex_list in EDITION.lists.items():
        for column in annex_list.columns:
            if column.no_source:
                assert cover[f"Empty: list {number}, {column.header}"] == column.no_source
    assert cover["Inspection date"] == "2026-02-28"
    assert "2025-08-28 to 2026-02-28, both included" in cover["List 1: Contacts"]
    assert "2025-02-28 to 2026-02-28" in cover["List 10: Adoption"]
    assert cover["Targeted early help data collection"] == "not shared"


def test_the_same_facts_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for order in (("ada", "ben", "cai"), ("cai", "ada", "ben")):
        with warehouse() as con:
            for name in order:
                facts(con, "contacts", name, contact_date=ON, source_code="6")
                facts(con, "care_episodes", name, start_date=ON)
            written.append(write(con, tmp_path / f"{order[0]}.xlsx").read_bytes())
    assert written[0] == written[1]


def test_from_april_2026_the_column_gender_is_called_sex(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    assert [each.edition for each in editions()] == ["2024-01", "2026-04"]
    for on, header in ((date(2026, 3, 31), "Gender"), (date(2026, 4, 1), "Sex")):
        book = opened(write(con, tmp_path / f"{header}.xlsx", on))
        for number in range(1, 12):
            headers = [cell.value for cell in book[f"List {number}"][1]]
            assert header in headers
            assert not {"Gender", "Sex"} - {header} & set(headers)
    assert rules_version(editions()[0]) != rules_version(editions()[1])


def test_an_inspection_before_the_first_edition_is_refused() -> None:
    with pytest.raises(LayoutError, match="the first edition held"):
        edition_on(date(2017, 12, 31))


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("    sql: 01_contacts.sql\n", "", "a list has columns with a source"),
        ("codes: Source, required", "codes: Sauce, required", "a code names its code set"),
        ("    title: Contacts\n", "    titel: Contacts\n", "titel"),
    ],
)
def test_an_edition_that_does_not_hold_together_is_refused(
    tmp_path: Path, old: str, new: str, wrong: str
) -> None:
    text = (FOLDER / "editions" / "2024-01.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "own.yaml").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(LayoutError, match=wrong):
        load_edition(tmp_path / "own.yaml")


def test_a_code_without_a_label_leaves_its_cell_empty_and_is_told_to_the_council(
    con: duckdb.DuckDBPyConnection,
) -> None:
    referral = {"referral_date": ON, "is_no_further_action": False, "closure_date": ON}
    facts(con, "referrals", "ada", referral_id="R", closure_reason_code="RC10", **referral)
    filled = fill_lists(con, EDITION, ON)[6]
    assert filled.without_label == (("Reason for Closure", "RC10", 1),)
    message = "code 'RC10' has no label in this edition (1 rows left empty)"
    assert Query(6, None, "Reason for Closure", message) in queries(con)


def test_the_council_is_told_whose_case_nobody_holds(con: duckdb.DuckDBPyConnection) -> None:
    facts(con, "referrals", "ada", referral_id="R", referral_date=ON, is_no_further_action=False)
    told = {(each.number, each.header) for each in queries(con) if each.child == "ada"}
    assert told == {(n, f"Allocated {what}") for n in (3, 6) for what in ("Team", "Worker")}


@pytest.mark.parametrize(("number", "table"), [(7, "protection_plans"), (8, "care_episodes")])
def test_the_council_is_told_of_a_child_under_a_plan_or_in_care_who_is_not_open_on_list_6(
    con: duckdb.DuckDBPyConnection, number: int, table: str
) -> None:
    expected = Query(number, "ada", "Child Unique ID", "open here, but not open on list 6")
    facts(con, table, "ada", start_date=ON)
    assert expected in queries(con)
    facts(con, "referrals", "ada", referral_id="R", referral_date=ON, is_no_further_action=False)
    assert expected not in queries(con)


def test_nothing_recorded_after_the_inspection_is_shown(con: duckdb.DuckDBPyConnection) -> None:
    later = date(2026, 3, 1)
    child(con, "ada", later)
    facts(
        con,
        "care_episodes",
        "ada",
        start_date=ON,
        end_date=later,
        reviewing_officer_contact_date=later,
    )
    facts(con, "protection_plans", "ada", plan_id="P", start_date=ON, end_date=later)
    facts(con, "protection_reviews", "ada", review_date=later)
    assert [each for each in queries(con) if each.message == "later than the inspection date"] == []


def test_an_edition_names_the_query_of_each_list_that_has_a_source() -> None:
    edition: Edition = EDITION
    named = {each.sql for each in edition.lists.values() if each.sql}
    assert named == {path.name for path in (FOLDER / "lists").glob("*.sql")}
