"""The children of one practitioner as a workbook: one sheet for each subject, each row with its source and date.

The words are those of the child's page (`single_view.child`), so that sheet and page cannot differ; what stands
there as a day is a date here. Where there is none a word says so, and no cell is empty. `governance.xlsx` keeps
every text text, whatever it begins with.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ffp_data.printable import UNKNOWN, plain
from ffp_data.single_view.child import ChildPage, Filters
from ffp_data.take_away.agreed import Agreed
from ffp_data.take_away.child_pdf import printed_page
from ffp_data.take_away.copies import Stamp
from governance.xlsx import Cell, Sheet, write_workbook

NEWEST_DAYS = 90
_WIDEST = 48
_NOTHING = "not recorded"

Facts = Mapping[str, Any]
_Column = tuple[str, Callable[[Facts], Any]]


def compose(found: Agreed, stamp: Stamp) -> bytes:
    """The workbook of the children whose rows were agreed."""
    since = date.fromisoformat(found.view.as_at) - timedelta(days=NEWEST_DAYS)
    rows = found.view.rows("SELECT child_id FROM children ORDER BY surname, given_name, child_id")
    pages = [printed_page(found, row["child_id"], Filters(since=since)) for row in rows]
    sheets = [_sheet(name, *each, pages) for name, each in _SHEETS.items()]
    has_unknown = any(UNKNOWN in str(cell) for s in sheets for row in s.rows for cell in row)
    with tempfile.TemporaryDirectory(prefix=".copy-", dir=found.scratch) as folder:
        path = Path(folder) / "copy.xlsx"
        cover = _cover(stamp, sheets, has_unknown=has_unknown)
        write_workbook(path, [cover, *sheets], f"Copy {stamp.copy}")
        return path.read_bytes()


def _sheet(
    name: str,
    of: Callable[[ChildPage], Sequence[Facts]],
    columns: Sequence[_Column],
    pages: Sequence[ChildPage],
) -> Sheet:
    cells = [
        [_cell(page.name), _cell(page.child_id), *(_cell(value(row)) for _, value in columns)]
        for page in pages
        for row in of(page)
    ]
    header = ["Child", "Identifier", *(heading for heading, _ in columns)]
    return Sheet(name, header, cells, [_width(header, cells, n) for n in range(len(header))])


def _cell(value: Any) -> Cell:
    """No cell is empty, also where a feed sent nothing but spaces."""
    return (plain(value).strip() or _NOTHING) if isinstance(value, str) else value


def _width(header: Sequence[str], cells: Sequence[Sequence[Cell]], at: int) -> int:
    longest = max((len(str(row[at])) for row in cells), default=0)
    return min(_WIDEST, max(len(header[at]), longest) + 2)


def _cover(stamp: Stamp, sheets: Sequence[Sheet], *, has_unknown: bool) -> Sheet:
    return Sheet(
        "Read first",
        ("Subject", "What applies"),
        [(name, plain(words)) for name, words in _cover_lines(stamp, sheets, has_unknown)],
        widths=(24, 100),
        is_prose=True,
    )


def _cover_lines(
    stamp: Stamp, sheets: Sequence[Sheet], has_unknown: bool
) -> Iterator[tuple[str, str]]:
    yield "Copy", f"{stamp.copy}; the number leads back to who took it"
    yield "Taken by", f"{stamp.taken_by}, {stamp.taken_at}"
    yield "For", stamp.meeting
    yield "Agreement", stamp.agreement
    yield "Purpose", stamp.purpose
    yield "As at", stamp.as_at
    for sheet in sheets:
        yield f"Rows in {sheet.name}", f"{len(list(sheet.rows)):,}"
    yield "Keep it", stamp.keep
    yield "If it goes astray", stamp.breach
    yield (
        "Protected children",
        "stand here without place, school and contact: tell nobody where they might be",
    )
    if stamp.left_out:
        yield "Left out by an order", f"{stamp.left_out} of your children; look at their pages"
    yield "More", "The page of a child may hold more than a copy does, and newer"
    yield "Do not", "pass it on, whole or in part, or use it for another purpose"
    if has_unknown:
        yield f"The sign {UNKNOWN}", "stands for a letter that a copy cannot hold; the page has it"


# Cells


def _date(words: str) -> date | str:
    """The day that the page's words are; other words stay."""
    try:
        return datetime.strptime(words, "%d %B %Y").date()  # noqa: DTZ007 -- a day has no zone
    except ValueError:
        return words


def _day(name: str, absent: str = "") -> Callable[[Facts], Any]:
    return lambda row: _date(row[name] or absent)


def _text(name: str) -> Callable[[Facts], Any]:
    return lambda row: row[name]


def _yes(name: str, yes: str, no: str) -> Callable[[Facts], Any]:
    return lambda row: yes if row[name] else no


def _stated(label: str, *, is_day: bool = False) -> tuple[_Column, ...]:
    """A fact of who a child is, who says so and when."""
    return (
        (label, lambda row: _date(row[label].value) if is_day else row[label].value),
        (f"{label}: source", lambda row: row[label].source),
        (f"{label}: date", lambda row: _date(row[label].as_of)),
    )


def _who(page: ChildPage) -> list[Facts]:
    return [
        {
            "age": page.age,
            "is_protected": page.is_protected,
            "open_to": ", ".join(page.open_to) or "no level recorded",
            "doubt": page.doubt or "nothing is doubtful",
            **{fact.label: fact for fact in page.identity},
        }
    ]


_SURE = ("Of this child", _yes("is_confident", "sure", "not certain that it is of this child"))
_SOURCE, _AS_OF = ("Source", _text("source")), ("Date", _day("as_of"))
_SHEETS: dict[str, tuple[Callable[[ChildPage], Sequence[Facts]], tuple[_Column, ...]]] = {
    "Children": (_who, (
        ("Age", _text("age")), ("Protected", _yes("is_protected", "Yes: tell nobody where", "No")),
        ("Helped as", _text("open_to")), ("Take care", _text("doubt")),
        *_stated("Birth date", is_day=True), *_stated("Sex"), *_stated("Address"), *_stated("School"),
        *_stated("NHS number"), *_stated("Unique pupil number"),
    )),
    "Who works with them": (lambda page: page.involvements, (
        ("Service", _text("service")), ("State", _text("state_label")), ("In words", _text("words")),
        ("Whom to ring", _text("contact")), ("Telephone", _text("phone")), ("Since", _day("since")),
        ("Until", _day("until", "no end recorded")), _SOURCE, _AS_OF,
    )),
    "To look at": (lambda page: page.flags, (
        ("Rule", _text("rule")), ("Facts", _text("facts")), ("Since", _day("since")), _SOURCE, _AS_OF,
    )),
    "What is due": (lambda page: page.clocks, (
        ("Clock", _text("what")), ("State", _text("state")), ("Pressing", _yes("is_pressing", "Yes", "No")),
        ("Due", _day("due")), ("Since", _day("start")), ("Stopped", _day("stop", "it runs")), _SURE, _SOURCE, _AS_OF,
    )),
    f"Events of {NEWEST_DAYS} days": (lambda page: page.events, (
        ("Event", _text("summary")), _SURE, _SOURCE, ("Date", _day("date")),
    )),
    "Family": (lambda page: page.family, (
        ("Name", _text("name")), ("Born", _day("born")), ("Who they are", _text("relationship")),
        ("Household", _text("lives")), ("Until", _day("until", "no end recorded")), _SOURCE, ("Date", _day("since")),
    )),
    "Attendance": (lambda page: page.attendance, (
        ("Time", _text("window")), ("Possible sessions", _text("possible")), ("Absent", _text("absent")),
        ("Of them unauthorised", _text("unauthorised")), ("Share", _text("share")), ("Level", _text("level")),
        _SOURCE, ("Date", _day("last")),
    )),
}  # fmt: skip
"""Sheet -> its rows of a child's page, and its columns after child and identifier."""
