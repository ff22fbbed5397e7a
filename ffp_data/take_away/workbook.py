"""The children of one practitioner as a workbook: one sheet for each subject, each row with its source and date.

Sheets are tables, declared below: the published table, its rows, and a heading and a rule for each column. Dates are
dates; where there is none a word says so, and no cell is empty. `governance.xlsx` keeps every text text, whatever
it begins with.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from ffp_data.take_away.agreed import Agreed
from ffp_data.take_away.child_pdf import NUMBERS_LEFT_OUT
from ffp_data.take_away.copies import Stamp
from ffp_data.take_away.text import UNKNOWN, plain
from ffp_data.web.child import age_of, name_of, source_words
from governance.xlsx import Cell, Sheet, write_workbook

NEWEST_DAYS = 90
_NO_DATE = "date not recorded"
_ALL_FEEDS = "all feeds that are shared"
_WIDEST = 48

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Book:
    """What the cells are made of: the agreed view, its feeds, its day and the children by identifier."""

    found: Agreed
    feeds: Mapping[str, Row]
    as_at: date
    children: Mapping[str, Row]

    def is_protected(self, child_id: str) -> bool:
        return child_id in self.found.view.protected or bool(
            self.children[child_id]["is_restricted"]
        )


_Column = tuple[str, Callable[[_Book, Row], Any]]


def compose(found: Agreed, stamp: Stamp) -> bytes:
    """The workbook of the children whose rows were agreed."""
    view = found.view
    children = {row["child_id"]: row for row in view.rows(f"FROM children {_BY_NAME}")}
    feeds = {row["feed"]: row for row in view.rows("FROM feeds")}
    book = _Book(found, feeds, date.fromisoformat(view.as_at), children)
    sheets = [_sheet(book, name, *each) for name, each in _SHEETS.items()]
    has_unknown = any(UNKNOWN in str(cell) for s in sheets for row in s.rows for cell in row)
    with tempfile.TemporaryDirectory(prefix=".copy-", dir=found.scratch) as folder:
        path = Path(folder) / "copy.xlsx"
        cover = _cover(stamp, sheets, has_unknown=has_unknown)
        write_workbook(path, [cover, *sheets], f"Copy {stamp.copy}")
        return path.read_bytes()


def _sheet(book: _Book, name: str, sql: str, columns: Sequence[_Column]) -> Sheet:
    rows = book.found.view.rows(sql, [book.as_at] if "?" in sql else [])
    of_children: dict[str, list[Row]] = {}
    for row in rows:
        of_children.setdefault(row["child_id"], []).append(row)
    every = (*_WHOSE, *columns)
    cells = [
        [_filled(cell(book, row)) for _, cell in every]
        for child_id in book.children
        for row in of_children.get(child_id, ())
    ]
    header = [heading for heading, _ in every]
    return Sheet(name, header, cells, [_width(header, cells, n) for n in range(len(header))])


def _filled(value: Any) -> Cell:
    """No cell is empty: what a rule of a column gives up on is a fault, not a gap."""
    if value is None or value == "":
        raise ValueError("a column of the workbook has no word for what is not there")
    return plain(value) if isinstance(value, str) else value


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


@cache
def _words() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(
        resources.files("ffp_data.web").joinpath("words.yaml").read_text("utf-8")
    )
    return loaded


def _absent(name: str) -> str:
    return str(_words()["absent"][name])


def _text(column: str, absent: str = "value") -> Callable[[_Book, Row], Any]:
    return lambda _, row: row[column] or _absent(absent)


def _day(column: str, absent: str = _NO_DATE) -> Callable[[_Book, Row], Any]:
    return lambda _, row: _date(row[column]) or absent


def _date(value: Any) -> Any:
    return value.date() if hasattr(value, "date") else value


def _source(column: str = "source") -> Callable[[_Book, Row], Any]:
    return lambda book, row: source_words(book.feeds, row[column])


def _number(column: str) -> Callable[[_Book, Row], Any]:
    def cell(book: _Book, row: Row) -> str:
        if row["child_id"] in book.found.unnumbered:
            return NUMBERS_LEFT_OUT
        return row[column] or _absent("value")

    return cell


def _place(value: Callable[[Row], str | None]) -> Callable[[_Book, Row], Any]:
    def cell(book: _Book, row: Row) -> str:
        if book.is_protected(row["child_id"]):
            return _absent("protected")
        return value(row) or _absent("value")

    return cell


def _stated(fact: str, value: Callable[[Row], Any], heading: str) -> tuple[_Column, _Column]:
    """Source and date of a fact of a child; where there is none, whom the hub asked and when."""

    def has(book: _Book, row: Row) -> bool:
        is_hidden = fact in ("address", "school") and book.is_protected(row["child_id"])
        return bool(value(row)) and not is_hidden

    return (
        (
            f"{heading}: source",
            lambda b, r: source_words(b.feeds, r[f"{fact}_source"]) if has(b, r) else _ALL_FEEDS,
        ),
        (
            f"{heading}: date",
            lambda b, r: (_date(r[f"{fact}_as_of"]) or _NO_DATE) if has(b, r) else b.as_at,
        ),
    )


def _address(row: Row) -> str:
    return ", ".join(part for part in (row["address_line"], row["postcode"]) if part)


def _school(row: Row) -> str | None:
    return f"School with URN {row['school_urn']}" if row["school_urn"] else None


def _contact(_: _Book, row: Row) -> str:
    who = ", ".join(part for part in (row["contact_name"], row["team"]) if part)
    if row["is_contact_withheld"] and not who:
        return _absent("withheld_contact")
    return who or _absent("no_contact" if row["state"] == "current" else "nobody")


def _levels(_: _Book, row: Row) -> str:
    return ", ".join(_words()["levels"][level] for level in row["is_open_to"] or ()) or "none"


def _lives(_: _Book, row: Row) -> str:
    told = {True: "lives with the child", False: "lives elsewhere"}
    return told.get(row["lives_with"], _absent("household"))


def _sure(_: _Book, row: Row) -> str:
    return "sure" if row["is_confident"] else "not certain that it is of this child"


def _delivered(book: _Book, row: Row) -> Any:
    """The day of the last delivery of a row's feed, where the row has no date of its own."""
    return _date(book.feeds.get(row["source"], {}).get("last_delivered_at")) or _NO_DATE


_WHOSE: tuple[_Column, ...] = (
    ("Child", lambda book, row: name_of(book.children[row["child_id"]])),
    (
        "Identifier",
        lambda b, r: NUMBERS_LEFT_OUT if r["child_id"] in b.found.unnumbered else r["child_id"],
    ),
)
_BY_NAME = "ORDER BY surname NULLS LAST, given_name NULLS LAST, child_id"
_SHEETS: dict[str, tuple[str, tuple[_Column, ...]]] = {
    "Children": ("FROM children", (
        ("Birth date", _day("date_of_birth", "not known")),
        ("Age", lambda _, row: age_of(row)),
        ("Protected", lambda b, r: "Yes: tell nobody where" if b.is_protected(r["child_id"]) else "No"),
        ("Helped as", _levels),
        ("Address", _place(_address)), *_stated("address", _address, "Address"),
        ("School", _place(_school)), *_stated("school", _school, "School"),
        ("NHS number", _number("nhs_number")), *_stated("nhs_number", lambda r: r["nhs_number"], "NHS number"),
        ("Unique pupil number", _number("upn")), *_stated("upn", lambda r: r["upn"], "Pupil number"),
        *_stated("date_of_birth", lambda r: r["date_of_birth"], "Birth date"),
    )),
    "Who works with them": ("FROM involvements ORDER BY state = 'current' DESC, service_label", (
        ("Service", _text("service_label")),
        ("State", lambda _, row: _words()["states"][row["state"]]),
        ("In words", _text("state_in_words")),
        ("Whom to ring", _contact),
        ("Telephone", _text("contact_phone", "no_phone")),
        ("Since", _day("since", _absent("no_spell"))),
        ("Until", lambda _, r: _date(r["until"]) or ("goes on" if r["state"] == "current" else _absent("no_spell"))),
        ("Source", _source()), ("Date", _day("as_of")),
    )),
    "To look at": ("FROM flags ORDER BY since DESC, flag", (
        ("Rule", _text("rule_in_words")), ("Facts", _text("facts")), ("Since", _day("since")),
        ("Source", _source()), ("Date", _day("as_of")),
    )),
    "What is due": ("FROM child_clocks ORDER BY is_pressing DESC, due_date, clock", (
        ("Clock", lambda _, row: _words()["clocks"][row["clock"]]), ("State", _text("state_in_words")),
        ("Pressing", lambda _, row: "Yes" if row["is_pressing"] else "No"),
        ("Due", _day("due_date", _absent("no_due_date"))), ("Since", _day("start_date", _absent("no_start_date"))),
        ("Stopped", _day("stop_date", "it runs")), ("Of this child", _sure),
        ("Source", _source()), ("Date", _delivered),
    )),
    f"Events of {NEWEST_DAYS} days": (
        f"FROM chronology WHERE event_date > ?::DATE - {NEWEST_DAYS} ORDER BY event_date DESC, event_type, line", (
        ("Event", _text("summary")),
        ("Of this child", _sure),
        ("Source", _source()), ("Date", _day("event_date")),
    )),
    "Family": ("FROM family_members ORDER BY relationship, related_name, source", (
        ("Name", _text("related_name", "name")), ("Born", _day("related_date_of_birth")),
        ("Who they are", lambda _, row: row["relationship"].capitalize()), ("Household", _lives),
        ("Until", lambda _, row: row["to_date"] or "goes on"), ("Source", _source()), ("Date", _day("from_date")),
    )),
}  # fmt: skip
"""Sheet -> rows of the agreed view, and its columns after child and identifier."""
