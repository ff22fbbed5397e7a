"""Workbooks whose text never computes and whose bytes repeat, written by openpyxl.

Every text is a string cell with the quote-prefix style, so it stays text also after a user edits the
cell, whatever it begins with; dates are dates; the heading row is frozen and can be filtered. The file
tells no time of making: openpyxl writes the clock into its properties and into the archive, and both
are set right. openpyxl keeps unfinished sheets in temporary files; here they lie beside the workbook,
where its own protection holds, and are gone when it is done.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from governance.files import replacing

MAX_ROWS = 1_048_575  # below the heading row
MAX_TEXT = 32_767
Cell = str | int | float | bool | date | datetime | Decimal | None

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TIMES = re.compile(rb"<dcterms:(created|modified)[^>]*>[^<]*</dcterms:\1>")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_DAY, _DAY_FIRST = "yyyy-mm-dd", "dd/mm/yyyy"
_BOLD = Font(bold=True)
_WRAPPED = Alignment(wrap_text=True, vertical="top")


class WorkbookError(Exception):
    """A sheet does not fit the format: a text too long, or a name not allowed."""


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, header, rows and the width of each column in characters.

    Rows beyond MAX_ROWS go on to further sheets of the same name with a number. ``is_day_first`` shows
    dates as dd/mm/yyyy, for a recipient who prescribes it.
    """

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    widths: Sequence[int] = ()
    is_prose: bool = False
    is_day_first: bool = False


def write_workbook(path: Path, sheets: Sequence[Sheet], title: str) -> None:
    """Write the sheets to ``path``, whole or not at all; raise WorkbookError when one does not fit."""
    _refuse_bad_names([each.name for each in sheets])
    book = Workbook(write_only=True)
    book.properties.title = title
    book.properties.creator = None
    made = io.BytesIO()
    with _temporary_files_in(path.parent):
        for sheet in sheets:
            _add(book, sheet)
        book.save(made)
    with zipfile.ZipFile(made) as source, replacing(path) as handle:
        _copy_without_times(source, handle)


def column_letters(number: int) -> str:
    """Return the letters of a column number: 1 is A, 27 is AA."""
    return get_column_letter(number)


def _refuse_bad_names(names: Sequence[str]) -> None:
    for name in names:
        if not re.fullmatch(r"[^\[\]:*?/\\]{1,31}", name):
            raise WorkbookError(f"sheet name {name!r}: give 1 to 31 characters without []:*?/\\")
    if len({name.lower() for name in names}) != len(names):
        raise WorkbookError(f"sheet names repeat: {', '.join(names)}")


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix=".xlsx-", dir=folder) as own:
        before, tempfile.tempdir = tempfile.tempdir, own
        try:
            yield
        finally:
            tempfile.tempdir = before


def _add(book: Workbook, sheet: Sheet) -> None:
    rows = iter(sheet.rows)
    _fill(book.create_sheet(sheet.name), sheet, islice(rows, MAX_ROWS))
    for number in count(2):
        if not (first := list(islice(rows, 1))):
            return
        further = book.create_sheet(f"{sheet.name[:27]} {number}")
        _fill(further, sheet, chain(first, islice(rows, MAX_ROWS - 1)))


def _fill(target: Any, sheet: Sheet, rows: Iterable[Sequence[Cell]]) -> None:
    """Write one of openpyxl's sheets, which types none of them that only write."""
    target.freeze_panes = "A2"
    for position, width in enumerate(sheet.widths, start=1):
        target.column_dimensions[column_letters(position)].width = width
    last = 1
    try:
        target.append([_styled(target, each, font=_BOLD) for each in sheet.header])
        for row in rows:
            target.append([_cell(target, each, sheet) for each in row])
            last += 1
        if not sheet.is_prose and sheet.header:
            target.auto_filter.ref = f"A1:{column_letters(len(sheet.header))}{last}"
    finally:
        target.close()


def _cell(target: Any, value: Cell, sheet: Sheet) -> Any:
    if isinstance(value, str):
        wrapped = {"alignment": _WRAPPED} if sheet.is_prose else {}
        return _styled(target, value, number_format="@", **wrapped)
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=None)  # a sheet's time has no zone
        return _styled(target, moment, number_format="yyyy-mm-dd hh:mm")
    if isinstance(value, date):
        return _styled(target, value, number_format=_DAY_FIRST if sheet.is_day_first else _DAY)
    return value


def _styled(target: Any, value: Any, **styles: Any) -> Any:
    cell = WriteOnlyCell(target, value=_clean(value) if isinstance(value, str) else value)
    for name, style in styles.items():
        setattr(cell, name, style)
    if isinstance(value, str):
        cell.data_type = "s"  # openpyxl takes text that begins with = for a formula
        cell.quotePrefix = True
    return cell


def _clean(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise WorkbookError(f"a text of {len(text)} characters; a cell holds {MAX_TEXT}")
    return _ILLEGAL.sub("\ufffd", text)


def _copy_without_times(source: zipfile.ZipFile, handle: Any) -> None:
    with zipfile.ZipFile(handle, "w") as archive:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _TIMES.sub(b"", content)
            archive.writestr(entry, content)
