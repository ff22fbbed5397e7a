"""Reasons written in the queries workbook come back with the next load; figures are held year on year."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from ffp_data.returns import Header, build_return, reconcile
from ffp_data.returns.reconcile import (
    Change,
    NotAQueriesFileError,
    Query,
    Reason,
    Reconciliation,
    changes,
    queries_of,
    read_queries,
    write_queries,
    write_reconciliation,
)
from ffp_data.returns.reconcile.differences import Count, Difference, Total, categories
from ffp_data.returns.reconcile.queries import load_reasons, merged, save_reasons
from ffp_data.returns.versions import Version, version_id
from tests.returns.test_versions import a_census

ABOUT = {"Collection": "cin", "Year": "2025-26"}
FINDING = {
    "rule": "1520",
    "severity": "error",
    "child": "77",
    "module": "ChildIdentifiers",
    "fields": ["UPN"],
    "values": ["=K00"],
    "message": "Another child in the return has the same UPN.",
    "sources": [
        {"feed": "case_system", "record_key": "case_system|x|77", "table": "ssd_person",
         "delivery_id": "d1", "line": 4, "file": "p.csv"}
    ],
}  # fmt: skip
NOTHING = Reconciliation((), (), ())
LOST = Difference(
    "single view", "Child", "single view", "unexplained", "9", None, None, None, None, None
)


def workbook(path: Path, queries: list[Query], reasons: Mapping[str, Reason] | None = None) -> Path:
    write_queries(path, queries, reasons or {}, ABOUT)
    return path


def answered(path: Path, reason: str | None, by: str | None, row: int = 2) -> Path:
    book = load_workbook(path)
    sheet = book["Queries"]
    sheet.cell(row, 10).value, sheet.cell(row, 11).value = reason, by
    book.save(path)
    return path


def test_a_reason_once_given_is_there_again_whatever_the_words_of_the_rule(tmp_path: Path) -> None:
    (query,) = queries_of([FINDING], NOTHING, [])
    about, given_back = read_queries(
        answered(workbook(tmp_path / "q.xlsx", [query]), "twins", "A. Analyst")
    )
    assert about == ABOUT
    reason = given_back[query.key]
    assert reason == Reason(reason="twins", by="A. Analyst", rule="1520", child="77", values="=K00")
    (later,) = queries_of([FINDING | {"message": "Other words."}], NOTHING, [])
    again = workbook(tmp_path / "again.xlsx", [later], merged({}, given_back))
    row = list(load_workbook(again)["Queries"].iter_rows(values_only=True))[1]
    assert row[-2:] == ("twins", "A. Analyst")
    assert row[8] == "case_system, ssd_person, case_system|x|77: p.csv, line 4"


def test_a_reason_whose_query_is_gone_stays_on_a_sheet_of_its_own(tmp_path: Path) -> None:
    kept = {"k1": Reason(reason="twins", by="A", rule="1520", child="77", values="K00")}
    book = load_workbook(workbook(tmp_path / "q.xlsx", [], kept))
    rows = list(book["No longer found"].iter_rows(values_only=True))
    assert rows[1] == ("k1", "1520", "77", "K00", "twins", "A")


def test_what_the_analyst_deletes_is_taken_back_and_what_is_not_in_the_file_stays() -> None:
    first, second, third = (
        Reason(reason=str(n), by="A", rule="1", child=None, values="") for n in range(3)
    )
    kept = {"a": first, "b": second}
    assert merged(kept, {"a": None, "c": third}) == {"b": second, "c": third}
    assert merged(kept, {"a": third}) == {"a": third, "b": second}
    assert merged(kept, {}) == kept


def test_reasons_are_kept_in_a_file(tmp_path: Path) -> None:
    kept = {"a": Reason(reason="r", by="A", rule="1", child=None, values="")}
    path = tmp_path / "reasons" / "2025-26.json"
    assert load_reasons(path) == {}
    save_reasons(path, kept)
    assert load_reasons(path) == kept


def test_a_reason_without_a_name_is_refused_with_its_row(tmp_path: Path) -> None:
    path = workbook(tmp_path / "q.xlsx", queries_of([FINDING], NOTHING, []))
    with pytest.raises(NotAQueriesFileError, match="row 2: a reason without a name"):
        read_queries(answered(path, "twins", " "))


def _no_sheet(path: Path) -> None:
    book = load_workbook(path)
    del book["About"]
    book.save(path)


def _other_columns(path: Path) -> None:
    book = load_workbook(path)
    book["Queries"]["A1"].value = "Schlüssel"
    book.save(path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_no_sheet, "no sheets About and Queries"),
        (_other_columns, "columns of sheet Queries were changed"),
        (lambda path: path.write_bytes(b"PK\x03\x04 no archive"), "not a workbook"),
        (lambda path: path.unlink(), "not a workbook"),
    ],
)
def test_a_file_that_is_no_queries_workbook_is_refused(
    tmp_path: Path, spoil: Any, reason: str
) -> None:
    path = workbook(tmp_path / "q.xlsx", queries_of([FINDING], NOTHING, []))
    spoil(path)
    with pytest.raises(NotAQueriesFileError, match=reason):
        read_queries(path)


def test_everything_to_answer_is_in_the_workbook() -> None:
    change = Change("2024-25 v001", "Children", 100, 150, is_outside=True)
    calm = Change("2024-25 v001", "Episodes", 100, 101, is_outside=False)
    found = Reconciliation((), (), (LOST,))
    kinds = [query.kind for query in queries_of([FINDING], found, [change, calm])]
    assert kinds == ["error", "year on year", "reconciliation"]


@given(st.lists(st.tuples(*[st.sampled_from(["", "a", "b"])] * 5), unique=True, max_size=20))
def test_what_is_found_elsewhere_has_another_key(facts: list[tuple[str, ...]]) -> None:
    queries = [Query(k, r, c, "M", f, v, "says", "where") for k, r, c, f, v in facts]
    assert len({query.key for query in queries}) == len(queries)


def built(folder: Path, children: int, year: str) -> Version:
    dated = datetime(2026, 5, 1, tzinfo=UTC)
    header = Header.for_year("CIN", year, "999", dated)
    build_return(a_census(*[{}] * children), folder, header, keep=True)
    return Version(1, version_id(folder), folder)


def test_a_figure_that_changed_by_more_than_its_tolerance_is_told(tmp_path: Path) -> None:
    before = built(tmp_path / "before", 50, "2024-25")
    now = built(tmp_path / "now", 55, "2025-26")
    more = built(tmp_path / "more", 56, "2025-26")
    calm = {c.figure: c for c in changes(now, before)}
    assert (calm["Children"].before, calm["Children"].now) == (50, 55)
    assert calm["Children"].percent == 10.0
    assert not calm["Children"].is_outside, "ten percent is within the tolerance"
    told = {c.figure for c in changes(more, before) if c.is_outside}
    assert {"Children", "Episodes"} <= told
    assert "Unborn children" not in told
    assert calm["Referrals in the year"].before == 0, "each version is counted by its own year"
    assert calm["Referrals in the year"].percent is None


def test_every_reason_that_the_sql_gives_is_explained() -> None:
    given = {
        name
        for path in Path(reconcile.__file__).parent.glob("*.sql")
        for name in re.findall(r"(?:THEN|ELSE) '(\w+)'|'(set_aside)'", path.read_text("utf-8"))
    }
    assert {a or b for a, b in given} == set(categories())


def test_the_reconciliation_is_a_workbook_and_counts_that_name_no_child(tmp_path: Path) -> None:
    found = Reconciliation(
        (Total("feed", "CINdetails", 3, 2, 2),),
        (Count("feed", "CINdetails", "feed", "before_the_year", 1),),
        (LOST,),
    )
    write_reconciliation(found, [Change("v", "Children", 0, 7, is_outside=True)], tmp_path, "t")
    book = load_workbook(tmp_path / "reconciliation.xlsx")
    differences = list(book["Differences"].iter_rows(values_only=True))
    assert differences[1][-1] == categories()["before_the_year"].says
    assert list(book["To look at"].iter_rows(values_only=True))[1][4] == "9"
    assert '"9"' not in (tmp_path / "reconciliation.json").read_text("utf-8")
