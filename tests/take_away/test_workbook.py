"""The children of one practitioner as a workbook: every cell a word or a date, and nothing that computes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from ffp_data.take_away import workbook
from ffp_data.take_away.copies import Copy, take
from tests.take_away.conftest import PLAIN, TAKER, Desk

SHEETS = [
    "Read first", "Children", "Who works with them", "To look at", "What is due", "Events of 90 days",
    "Family", "Attendance",
]  # fmt: skip


@pytest.fixture(scope="module")
def copy(desk: Desk) -> Copy:
    world = desk.world
    children = [world.mine, world.other, world.hidden, world.bare]
    return take(desk.hub, TAKER, desk.view, children, workbook.compose)


@pytest.fixture(scope="module")
def book(copy: Copy) -> Any:
    return load_workbook(io.BytesIO(copy.content))


def _rows(book: Any, sheet: str) -> list[Mapping[str, Any]]:
    heading, *rows = book[sheet].iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def test_one_sheet_for_each_subject_with_its_heading_in_view(book: Any) -> None:
    assert book.sheetnames == SHEETS
    assert {sheet.freeze_panes for sheet in book} == {"A2"}


def test_no_cell_is_empty_and_none_computes(book: Any) -> None:
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert len(cells) > 200
    assert [c.coordinate for c in cells if c.value is None or c.value == ""] == []
    assert {c.data_type for c in cells} == {"s", "d", "n"}
    assert all(c.quotePrefix for c in cells if c.data_type == "s")


def test_what_begins_like_a_formula_stays_the_text_that_it_is(book: Any) -> None:
    assert PLAIN in {row["Child"].removesuffix(" Ottoway") for row in _rows(book, "Children")}
    assert "@SUM(1)" in {row["Facts"] for row in _rows(book, "To look at")}
    assert f"{PLAIN}, -2+3" in {row["Whom to ring"] for row in _rows(book, "Who works with them")}


@pytest.mark.parametrize("sheet", SHEETS[1:])
def test_each_row_has_its_child_its_source_and_its_date(book: Any, sheet: str) -> None:
    rows = _rows(book, sheet)
    assert rows
    for row in rows:
        assert row["Child"]
        assert row["Identifier"]
        assert any("ource" in name and value for name, value in row.items())
        assert any("Date" in name or name.endswith(": date") for name in row)


def test_dates_are_dates(book: Any, desk: Desk) -> None:
    (mine,) = [r for r in _rows(book, "Children") if r["Identifier"] == desk.world.mine]
    assert mine["Birth date"] == datetime(2014, 7, 3)  # noqa: DTZ001 -- a sheet's day has no zone
    assert mine["Address: date"] == datetime(2026, 3, 1)  # noqa: DTZ001
    (event,) = [r for r in _rows(book, "Events of 90 days") if r["Event"] == "Reported missing"]
    assert event["Date"].date() == date(2026, 3, 2)
    assert "Joined a school" not in {r["Event"] for r in _rows(book, "Events of 90 days")}


def test_a_protected_child_has_no_place(book: Any, desk: Desk) -> None:
    of_hidden = [
        row
        for sheet in SHEETS[1:]
        for row in _rows(book, sheet)
        if row["Identifier"] == desk.world.hidden
    ]
    words = " ".join(str(value) for row in of_hidden for value in row.values())
    assert "Yes: tell nobody where" in words
    assert [
        p for p in ("Ash Lane", "XF1", "990155", "01632", "Family Help North") if p in words
    ] == []


def test_a_feed_that_the_agreement_does_not_name_is_on_no_sheet(book: Any) -> None:
    words = " ".join(str(c.value) for s in book for row in s.iter_rows() for c in row).lower()
    assert [w for w in ("domestic", "marac", "ordinator", "high risk") if w in words] == []


def test_the_first_sheet_says_whose_copy_it_is(book: Any, copy: Copy) -> None:
    told = dict(book["Read first"].iter_rows(values_only=True))
    assert told["Copy"].startswith(copy.number)
    assert told["Taken by"].startswith("Georgie Kemble, ")
    assert told["Agreement"].startswith("DSA-PRA-01@1")
    assert told["Keep it"] == "1 month from the day of the copy, then destroyed by whoever took it"
