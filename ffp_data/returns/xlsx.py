"""Write workbooks that a spreadsheet program cannot be tricked by, byte for byte the same.

Every value is written as text or as a date, never as a formula, whatever it begins with. The
file holds no time of writing: the date in its properties is given, and the archive's own time
stamps are fixed.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

MAX_ROWS = 1_000_000  # a sheet holds 1,048,576 rows
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Sheet:
    """One sheet: a heading row, rows of values, and widths of columns in characters."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[object]]
    widths: Sequence[int] = field(default=())


def write_workbook(path: Path, sheets: Iterable[Sheet], dated: datetime) -> None:
    """Write the sheets; rows beyond MAX_ROWS go on to further sheets of the same title."""
    book = Workbook(write_only=True)
    book.properties.creator = "FFP data hub"
    book.properties.created = dated.replace(tzinfo=None, microsecond=0)
    for sheet in sheets:
        _add_sheets(book, sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    _write_fixed(buffer, path, dated)


def _add_sheets(book: Workbook, sheet: Sheet) -> None:
    rows = iter(sheet.rows)
    number = 1
    target = _start(book, sheet, sheet.title)
    for count, row in enumerate(rows):
        if count and count % MAX_ROWS == 0:
            number += 1
            target = _start(book, sheet, f"{sheet.title} {number}")
        target.append([_cell(target, value) for value in row])


def _start(book: Workbook, sheet: Sheet, title: str) -> Any:  # openpyxl types no write-only sheet
    target: Any = book.create_sheet(title)
    target.freeze_panes = "A2"
    for position, width in enumerate(sheet.widths, 1):
        target.column_dimensions[get_column_letter(position)].width = width
    target.append([_cell(target, heading, bold=True) for heading in sheet.headings])
    return target


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    text = isinstance(value, str)
    cell = WriteOnlyCell(sheet, value=_ILLEGAL.sub("\ufffd", value) if text else value)
    if text:
        cell.data_type = "s"  # text that begins with = stays text
    if isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    if bold:
        cell.font = Font(bold=True)
    return cell


def _write_fixed(buffer: io.BytesIO, path: Path, dated: datetime) -> None:
    stamp = dated.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            info = zipfile.ZipInfo(name, _ARCHIVE_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, content)
