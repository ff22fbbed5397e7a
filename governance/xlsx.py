"""Workbooks written part by part (ECMA-376), so that bytes repeat and text never computes.

A library writes the clock into the file, keeps a copy in a temporary directory and takes text that
begins with '=' for a formula. Here every text is an inline string with the quote-prefix style, so
it stays text also after a user edits the cell; dates are dates; the header row is frozen; and
the zip holds fixed times, so that equal sheets give equal bytes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from governance.files import replacing

MAX_ROWS = 1_048_576
MAX_TEXT = 32_767
Cell = str | int | float | bool | date | datetime | Decimal | None

_EPOCH = date(1899, 12, 30)  # day 0 of a sheet's serial dates
_EPOCH_INSTANT = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet's time has no zone
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN, _HEADER, _TEXT, _DATE, _INSTANT, _WRAPPED, _DAY_FIRST = range(
    7
)  # positions in cellXfs below
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


class WorkbookError(Exception):
    """A sheet does not fit the format: too many rows, a text too long, or a name not allowed."""


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, header, rows and the width of each column in characters.

    ``is_day_first`` shows dates as dd/mm/yyyy, for a recipient who prescribes it.
    """

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    widths: Sequence[int] = ()
    is_prose: bool = False
    is_day_first: bool = False


def write_workbook(path: Path, sheets: Sequence[Sheet], title: str) -> None:
    """Write the sheets to ``path``; raise WorkbookError when one does not fit."""
    _refuse_bad_names([each.name for each in sheets])
    parts = [*_fixed_parts(sheets, title)]
    with replacing(path) as handle, zipfile.ZipFile(handle, "w") as archive:
        for name, text in parts:
            archive.writestr(_entry(name), text.encode("utf-8"))
        for number, sheet in enumerate(sheets, start=1):
            with archive.open(_entry(f"xl/worksheets/sheet{number}.xml"), "w") as part:
                for text in _sheet_xml(sheet):
                    part.write(text.encode("utf-8"))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _refuse_bad_names(names: Sequence[str]) -> None:
    for name in names:
        if not re.fullmatch(r"[^\[\]:*?/\\]{1,31}", name):
            raise WorkbookError(f"sheet name {name!r}: give 1 to 31 characters without []:*?/\\")
    if len({name.lower() for name in names}) != len(names):
        raise WorkbookError(f"sheet names repeat: {', '.join(names)}")


def _sheet_xml(sheet: Sheet) -> Iterator[str]:
    yield f'{_DECLARATION}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    yield '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    yield "</sheetView></sheetViews>"
    if sheet.widths:
        yield f"<cols>{''.join(_column_widths(sheet.widths))}</cols>"
    yield "<sheetData>"
    yield _row(1, [_text(each, _HEADER) for each in sheet.header])
    count = 1
    for count, row in enumerate(sheet.rows, start=2):
        if count > MAX_ROWS:
            raise WorkbookError(f"{sheet.name}: more than {MAX_ROWS - 1} rows; use Parquet")
        yield _row(count, [_cell(each, sheet) for each in row])
    yield "</sheetData>"
    if not sheet.is_prose and sheet.header:
        yield f'<autoFilter ref="A1:{column_letters(len(sheet.header))}{count}"/>'
    yield "</worksheet>"


def _column_widths(widths: Sequence[int]) -> Iterator[str]:
    for number, width in enumerate(widths, start=1):
        yield f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'


def _row(number: int, cells: Sequence[str]) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(value: Cell, sheet: Sheet) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime):
        days = (value.replace(tzinfo=None) - _EPOCH_INSTANT).total_seconds()
        return f'<c s="{_INSTANT}"><v>{days / 86_400!r}</v></c>'  # seconds in a day
    if isinstance(value, date):
        style = _DAY_FIRST if sheet.is_day_first else _DATE
        return f'<c s="{style}"><v>{(value - _EPOCH).days}</v></c>'
    if isinstance(value, int | float | Decimal):
        return f"<c><v>{value}</v></c>"
    return _text(value, _WRAPPED if sheet.is_prose else _TEXT)


def _text(value: str, style: int) -> str:
    if len(value) > MAX_TEXT:
        raise WorkbookError(f"a text of {len(value)} characters; a cell holds {MAX_TEXT}")
    clean = escape(_ILLEGAL.sub("\ufffd", value)).replace("\r", "&#13;")
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{clean}</t></is></c>'


def column_letters(number: int) -> str:
    """Return the letters of a column number: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _fixed_parts(sheets: Sequence[Sheet], title: str) -> Iterator[tuple[str, str]]:
    numbers = range(1, len(sheets) + 1)
    yield "[Content_Types].xml", _content_types(numbers)
    yield (
        "_rels/.rels",
        _relationships(
            [
                (f"{_OFFICE}/relationships/officeDocument", "xl/workbook.xml"),
                (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
            ]
        ),
    )
    yield "docProps/core.xml", _core_properties(title)
    yield "xl/workbook.xml", _workbook([each.name for each in sheets])
    targets = [(f"{_OFFICE}/relationships/worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    targets.append((f"{_OFFICE}/relationships/styles", "styles.xml"))
    yield "xl/_rels/workbook.xml.rels", _relationships(targets)
    yield "xl/styles.xml", _STYLES


def _content_types(numbers: Iterable[int]) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = [
        ("/xl/workbook.xml", f"{kind}.sheet.main+xml"),
        ("/xl/styles.xml", f"{kind}.styles+xml"),
        ("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
        *((f"/xl/worksheets/sheet{number}.xml", f"{kind}.worksheet+xml") for number in numbers),
    ]
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{content}"/>' for name, content in parts
    )
    defaults = (
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
    )
    return f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types">{defaults}{overrides}</Types>'


def _relationships(targets: Sequence[tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return (
        f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'
    )


def _core_properties(title: str) -> str:
    return (
        f'{_DECLARATION}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(title)}</dc:title></cp:coreProperties>"
    )


def _workbook(names: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, start=1)
    )
    return (
        f'{_DECLARATION}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships">'
        f"<sheets>{sheets}</sheets></workbook>"
    )


_STYLES = (
    f'{_DECLARATION}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/>'
    '<numFmt numFmtId="166" formatCode="dd/mm/yyyy"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="7"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" quotePrefix="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" '
    'applyAlignment="1"><alignment wrapText="1" vertical="top"/></xf>'
    '<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
