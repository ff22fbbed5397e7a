"""Check a return that lies in a file, whoever made it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from ffp_data.returns import cin, tehadc
from ffp_data.returns.checks import RuleBook, validate_tables
from ffp_data.returns.findings import Finding, sort_findings
from ffp_data.returns.layout import Layout, LayoutError, end_year, written
from ffp_data.returns.tables import create_tables
from ffp_data.returns.xml_reader import load_xml
from ffp_data.returns.xml_source import UnreadableReturnError

CLEAN, FINDINGS, NOT_READABLE = 0, 1, 2

_BOOKS: dict[str, Callable[[str, tuple[str, ...]], RuleBook]] = {
    "cin": cin.rule_book,
    "tehadc": tehadc.rule_book,
}


def rule_book(collection: str, year: str, modules: tuple[str, ...] = ()) -> RuleBook:
    """Rules and layout of 'cin' or 'tehadc' for a year, with provisional `modules` switched on.

    Raises LayoutError when they are not held.
    """
    if collection.lower() not in _BOOKS:
        raise LayoutError(f"'{collection}' is not a return held here: {', '.join(_BOOKS)}")
    return _BOOKS[collection.lower()](year, modules)


def written_layout(collection: str, year: str, modules: tuple[str, ...] = ()) -> Layout:
    """Layout of what is written, without items that are switched off. Raises LayoutError."""
    return written(rule_book(collection, year, modules).layout)


def validate(
    con: duckdb.DuckDBPyConnection,
    year: str,
    reference_date: date | None = None,
    schema: str = "returns",
    collection: str = "cin",
) -> list[Finding]:
    """Findings over the tables of `schema`; the reference date is 31 March unless given."""
    reference_date = reference_date or date(end_year(year), 3, 31)
    return validate_tables(con, rule_book(collection, year), reference_date, schema)


def validate_file(
    collection: str, path: Path, year: str, modules: tuple[str, ...] = ()
) -> tuple[list[Finding], int]:
    """Read an XML return and check it.

    Returns the findings and an exit code: 0 clean, 1 findings, 2 not readable, in which case the
    one finding says why, with file and line. Raises LayoutError for a year that is not held.
    """
    book = rule_book(collection, year, modules)
    con = duckdb.connect(config={"temp_file_encryption": "true"})
    try:
        # Rules of the TEHADC look at the CIN census too; a file comes without one.
        create_tables(con, cin.layout(year), "file")
        loaded = load_xml(con, book.layout, Path(path), "file")
    except UnreadableReturnError as error:
        return [_unreadable(str(error))], NOT_READABLE
    found = validate_tables(con, book, date(end_year(year), 3, 31), "file")
    findings = sort_findings([*loaded.findings, *found])
    return findings, FINDINGS if findings else CLEAN


def _unreadable(reason: str) -> Finding:
    return Finding("unreadable", "error", None, "File", (), (), reason)
