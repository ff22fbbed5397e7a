"""The error report that goes back to an agency: each fault with its place in the agency's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from ffp_data import feeds
from ffp_data.pipeline.error_report import HEADER, write_error_report

NAME = "young_carers_20260327T030000Z.csv"
CARERS = feeds.load_contracts(
    Path(__file__).parents[1] / "end_to_end" / "young_carers" / "young_carers.yaml"
)
TOP = (
    "Carer No,First Name,Last Name,Born,Protected,Assessed On,Outcome,Parent,Place,Supported From,"
    "Supported To,Worker,Worker Phone,Hidden\n"
)
GOOD = "YC1,Ada,Vale,01/05/2012,no,02/02/2026,support,yes,Mill House,05/02/2026,,Pat Oak,,no\n"
FOLDED = 'YC2,Ben,Moss,14/09/2014,no,,none,no,"Mill\nHouse",10/10/2025,,Pat Oak,,no\n'
LATER = "YC3,Cid,Reed,07/07/2013,no,31/02/2026,=cmd|'/c calc'!A1,yes,,15/01/2026,,,,no\n"
NAMELESS = ",Dot,Lane,30/03/2011,no,,waiting,yes,,21/01/2026,,,,no\n"


def report(folder: Path, text: str, *, keep: bool = True, **chosen: str) -> list[dict[str, Any]]:
    """Rows of the report on one delivery of young carers, by column."""
    file = folder / "landing" / "young_carers" / NAME
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    with duckdb.connect(":memory:", config={"threads": "2"}) as con:
        feeds.create_empty_raw_tables(con, CARERS)
        contract = CARERS["young_carers"]
        feeds.load(con, feeds.delivery_at(file, contract, CARERS), contract)
        if not keep:
            file.write_text(text + GOOD, "utf-8")
        path = folder / "report.xlsx"
        count = write_error_report(con, CARERS, folder / "landing", path, **chosen)
    sheet = openpyxl.load_workbook(path)["Faults"]
    header, *rows = sheet.iter_rows()
    assert [cell.value for cell in header] == list(HEADER)
    assert {cell.data_type for row in rows for cell in row} <= {"s", "n", "inlineStr"}
    assert len(rows) == count
    return [dict(zip(HEADER, (cell.value for cell in row), strict=True)) for row in rows]


def places(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("line", "spreadsheet row", "spreadsheet column", "column", "rule")
    return [tuple(row[name] for name in names) for row in rows]


def test_a_fault_has_the_row_and_letter_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    assert places(report(tmp_path, TOP + GOOD + FOLDED + LATER + NAMELESS)) == [
        (5, 4, "F", "Assessed On", "not_a_date"),  # the line break in a quoted value is no row
        (5, 4, "G", "Outcome", "unknown_code"),
        (6, 5, "A", "Carer No", "required"),
    ]


def test_values_are_shapes_and_say_what_to_do(tmp_path: Path) -> None:
    rows = report(tmp_path, TOP + GOOD + LATER)
    assert rows[0]["value (shape only)"] == "99/99/9999"
    for row in rows:
        assert "calc" not in str(row)
        assert row["what to do"]
        assert row["file"] == NAME


@pytest.mark.parametrize("chosen", [{"feed": "probation"}, {"delivery": "no such id"}])
def test_what_is_not_asked_for_is_left_out(tmp_path: Path, chosen: dict[str, str]) -> None:
    assert report(tmp_path, TOP + GOOD + LATER, **chosen) == []


def test_a_file_with_other_bytes_now_gives_lines_alone(tmp_path: Path) -> None:
    rows = report(tmp_path, TOP + GOOD + LATER, keep=False)
    assert places(rows) == [
        (3, None, None, "Assessed On", "not_a_date"),
        (3, None, None, "Outcome", "unknown_code"),
    ]
