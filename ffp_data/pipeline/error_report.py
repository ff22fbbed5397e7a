"""The error report that an agency can be sent as it stands: each fault with its place in the agency's own file.

A fault is known by its line; a person looks at a spreadsheet. So the delivered file is opened once more,
if it still lies in the landing folder with the same bytes, to say the letter of each column and the row
that a spreadsheet program shows (another than the line where a quoted value holds a line break). Values
are told by their shape alone, and every text of the workbook stays text.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from ffp_data import feeds
from ffp_data.feeds import Contract
from ffp_data.feeds.file_facts import sha256
from ffp_data.feeds.landing import MANIFEST
from governance.xlsx import Cell, Sheet, column_letters, write_workbook

HEADER = (
    "feed",
    "file",
    "table",
    "line",
    "record of the list",
    "spreadsheet row",
    "spreadsheet column",
    "column",
    "what was set aside",
    "rule",
    "value (shape only)",
    "what to do",
    "delivery",
)
WIDTHS = (22, 44, 18, 10, 10, 10, 12, 26, 12, 24, 24, 60, 20)
SUMMARY = ("feed", "file", "what was set aside", "rule", "column", "how many", "what to do")

Fault = Mapping[str, Any]


@dataclass(frozen=True)
class _Sheet:
    """How a spreadsheet program shows a file: header name -> letter, line -> row."""

    letters: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[int, int] = field(default_factory=dict)


def write_error_report(
    con: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, Contract],
    landing: Path,
    path: Path,
    feed: str | None = None,
    delivery: str | None = None,
) -> int:
    """Write every fault to the workbook `path`; returns how many."""
    found = feeds.faults(con, feed, delivery).to_pylist()
    summary = feeds.quarantine_report(con, feed, delivery).to_pylist()
    sheets = [
        Sheet("Faults", HEADER, _rows(found, contracts, landing), WIDTHS),
        Sheet(
            "Summary", SUMMARY, [_summary_row(row) for row in summary], (22, 44, 12, 24, 26, 10, 60)
        ),
    ]
    write_workbook(path, sheets, "Rows and values set aside")
    return len(found)


def _summary_row(row: Fault) -> tuple[Cell, ...]:
    names = ("feed", "file_name", "kind", "rule", "column_name", "faults", "remedy")
    return tuple(row[name] for name in names)


def _rows(
    found: list[Fault], contracts: Mapping[str, Contract], landing: Path
) -> Iterator[tuple[Cell, ...]]:
    def of_one_file(fault: Fault) -> tuple[str, ...]:
        return fault["feed"], fault["file_name"], fault["delivery_id"], fault["table_name"]

    for (feed, file_name, delivery_id, _), group in groupby(found, of_one_file):
        faults = list(group)
        contract = contracts.get(feed)
        shown = _Sheet()
        if contract is not None and contract.hub.format in ("csv", "ssd_drop"):
            lines = {fault["line"] for fault in faults}
            shown = _look(landing / feed, file_name, delivery_id, lines)
        for fault in faults:
            yield _row(fault, shown, contract)


def _row(fault: Fault, shown: _Sheet, contract: Contract | None) -> tuple[Cell, ...]:
    headers = _headers(fault, contract)
    letters = [shown.letters[name] for names in headers for name in names if name in shown.letters]
    return (
        fault["feed"],
        fault["file_name"],
        fault["table_name"],
        fault["line"],
        fault["element"],
        shown.rows.get(fault["line"]),
        ", ".join(letters) or None,
        ", ".join(names[0] for names in headers) or fault["column_name"],
        fault["kind"],
        fault["rule"],
        fault["value_redacted"],
        fault["remedy"],
        fault["delivery_id"],
    )


def _headers(fault: Fault, contract: Contract | None) -> list[tuple[str, ...]]:
    """For each column of the fault the names that the file may give it, the contract's first."""
    table = contract.by_name.get(fault["table_name"]) if contract else None
    if table is None or not fault["column_name"]:
        return []
    columns = [table.by_name.get(name) for name in fault["column_name"].split(", ")]
    return [(c.header, *map(str.casefold, (c.header, *c.aliases))) for c in columns if c]


def _look(folder: Path, file_name: str, delivery_id: str, lines: Collection[int]) -> _Sheet:
    """Letters and rows of a delivered file; nothing when it is gone or has other bytes now."""
    whole, _, member = file_name.partition("/")
    if not _is_unchanged(folder / whole, delivery_id):
        return _Sheet()
    with _opened(folder / whole, member) as file:
        reader = csv.reader(file)
        try:
            names = next(reader, [])
            rows = dict(_rows_of_lines(reader, lines))
        except csv.Error:  # a field beyond all measure: rows after it cannot be told
            return _Sheet()
    letters = {name.strip().casefold(): column_letters(n) for n, name in enumerate(names, start=1)}
    return _Sheet(letters, rows | ({1: 1} if 1 in lines else {}))


def _is_unchanged(whole: Path, delivery_id: str) -> bool:
    place = whole / MANIFEST if whole.is_dir() else whole
    return place.is_file() and sha256(place) == delivery_id


@contextmanager
def _opened(whole: Path, member: str) -> Iterator[io.TextIOBase]:
    """The text of a file, of a file of a drop or of one in an archive; a byte that is no text is replaced."""
    if member and whole.is_file():
        with zipfile.ZipFile(whole) as archive, archive.open(member) as raw:
            yield io.TextIOWrapper(raw, "utf-8-sig", errors="replace", newline="")
        return
    with (whole / member if member else whole).open(
        encoding="utf-8-sig", errors="replace", newline=""
    ) as file:
        yield file


def _rows_of_lines(reader: Any, lines: Collection[int]) -> Iterator[tuple[int, int]]:
    """(line, row) of each wanted line: the row is counted in records, the line where the record begins."""
    last = max(lines, default=0)
    begins = reader.line_num + 1
    for number, _ in enumerate(reader, start=2):
        if begins in lines:
            yield begins, number
        begins = reader.line_num + 1
        if begins > last:
            return
