"""Workbooks read back by another library: text is text, dates are dates, bytes repeat."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from governance.xlsx import MAX_TEXT, Cell, Sheet, WorkbookError, write_workbook

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "＝1+1", "'=1"]


def read_back(path: Path, sheet: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in load_workbook(path)[sheet].iter_rows(values_only=True)]


def written(directory: Path, rows: Sequence[tuple[Cell, ...]]) -> Path:
    path = directory / "book.xlsx"
    write_workbook(path, [Sheet("data", ["a"] * len(rows[0]), rows)], "a book")
    return path


@pytest.mark.control("D08")
@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_looks_like_a_formula_stays_text_also_when_edited(
    text: str, tmp_path: Path
) -> None:
    cell = load_workbook(written(tmp_path, [(text,)]))["data"]["A2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


def test_no_part_of_a_workbook_holds_a_formula_element(tmp_path: Path) -> None:
    with zipfile.ZipFile(written(tmp_path, [(text,) for text in FORMULAS])) as archive:
        assert not any(
            b"<f" in archive.read(name) for name in archive.namelist() if "sheet1" in name
        )


def test_each_kind_of_value_keeps_its_kind(tmp_path: Path) -> None:
    row = ("Ōlüwa & <Żoë>", 7, 2.5, Decimal("1.25"), True, date(2015, 2, 28), None)
    moment = datetime(2026, 3, 31, 9, 30)  # noqa: DTZ001 - a sheet's time has no zone
    back = read_back(written(tmp_path, [(*row, moment)]), "data")[1]
    assert back[:5] == ("Ōlüwa & <Żoë>", 7, 2.5, 1.25, True)
    assert back[5:] == (datetime(2015, 2, 28), None, moment)  # noqa: DTZ001


def test_the_header_row_is_frozen_and_filterable(tmp_path: Path) -> None:
    sheet = load_workbook(written(tmp_path, [("x", "y")]))["data"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B2"


def test_the_same_rows_give_the_same_bytes_and_no_date_of_making(tmp_path: Path) -> None:
    first = written(tmp_path, [("x", 1)]).read_bytes()
    assert written(tmp_path, [("x", 1)]).read_bytes() == first
    with zipfile.ZipFile(tmp_path / "book.xlsx") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not {b"created", b"modified"} & set(
            re.findall(rb"\\w+", archive.read("docProps/core.xml"))
        )


def test_many_columns_get_letters_in_order(tmp_path: Path) -> None:
    path = tmp_path / "wide.xlsx"
    write_workbook(path, [Sheet("wide", [f"c{n}" for n in range(703)], [])], "wide")
    assert load_workbook(path)["wide"].auto_filter.ref == "A1:AAA1"


@settings(max_examples=60)
@given(text=st.text(max_size=40))
def test_every_text_comes_back_but_for_characters_that_xml_forbids(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    back = read_back(written(tmp_path_factory.mktemp("x"), [("key", text)]), "data")[1][1]
    legal = "".join(
        letter
        if letter in "\t\n\r"
        or " " <= letter <= "\ud7ff"
        or "\ue000" <= letter <= "\ufffd"
        or letter > "\uffff"
        else "\ufffd"
        for letter in text
    )
    assert (back or "") == legal


def test_a_text_that_does_not_fit_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError):
        written(tmp_path, [("x",), ("x" * (MAX_TEXT + 1),)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("rows", "sheets"),
    [(2, {"data": 3}), (4, {"data": 3, "data 2": 3}), (5, {"data": 3, "data 2": 3, "data 3": 2})],
)
def test_rows_beyond_the_limit_go_on_to_a_further_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, sheets: dict[str, int]
) -> None:
    monkeypatch.setattr("governance.xlsx.MAX_ROWS", 2)
    book = load_workbook(written(tmp_path, [(number,) for number in range(rows)]))
    assert {sheet.title: sheet.max_row for sheet in book} == sheets
    values = [row[0] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert values == list(range(rows))


def test_no_copy_of_what_is_written_lies_elsewhere_even_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    seen = []

    def rows() -> Iterator[tuple[Cell, ...]]:
        for number in range(3):
            yield (number,)
            seen.append([*elsewhere.iterdir()])

    (tmp_path / "own").mkdir()
    write_workbook(tmp_path / "own" / "book.xlsx", [Sheet("data", ["n"], rows())], "t")
    assert seen == [[], [], []]
    assert [each.name for each in (tmp_path / "own").iterdir()] == ["book.xlsx"]


@pytest.mark.parametrize("names", [["a/b"], [""], ["x" * 32], ["a", "A"], ["[1]"]])
def test_sheet_names_that_excel_refuses_are_refused(names: list[str], tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="sheet name"):
        write_workbook(tmp_path / "b.xlsx", [Sheet(name, ["h"], []) for name in names], "t")
