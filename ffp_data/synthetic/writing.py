"""Writing the agencies' files. Headers come from the feed contracts, so that a column can't
drift from them: a row is a mapping of header to text, and a key that the contract does not know
is an error of ours."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.registry import load_contracts
from ffp_data.synthetic.noise import plain


@cache
def _contracts() -> dict[str, Contract]:
    return load_contracts()


@cache
def headers(feed: str, table: str) -> tuple[str, ...]:
    """Return the file's header of a table of a feed, as its contract has it."""
    properties = _contracts()[feed].by_name[table].properties
    return tuple(dict.fromkeys(p.header for p in properties))


def table_names(feed: str) -> tuple[str, ...]:
    """Return the names of a feed's tables in the order of its contract."""
    return tuple(table.name for table in _contracts()[feed].tables)


@dataclass
class Table:
    """Rows of one delivered table, in memory."""

    feed: str
    name: str
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, **values: object) -> None:
        """Add a row by header; what is not given is empty. TypeError on an unknown header."""
        known = headers(self.feed, self.name)
        if unknown := values.keys() - set(known):
            raise TypeError(f"{self.feed}.{self.name} has no column {sorted(unknown)}")
        self.rows.append(tuple(text(values.get(name)) for name in known))

    def csv_bytes(
        self, encoding: str = "utf-8", newline: str = "\n", extra: Iterable[str] = ()
    ) -> bytes:
        """Return the file: RFC 4180 quoting where needed; `extra` raw lines go at the end as they are."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator=newline)
        writer.writerow(headers(self.feed, self.name))
        writer.writerows(self.rows)
        for line in extra:
            out.write(line + newline)
        return fit(out.getvalue(), encoding).encode(encoding, errors="replace")


def text(value: object) -> str:
    """Return a value as a file carries it: ISO dates, 1 and 0 for booleans, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def fit(content: str, encoding: str) -> str:
    """Return the text with every letter that the encoding lacks replaced by its plain form, as older systems do."""
    try:
        content.encode(encoding)
    except UnicodeEncodeError:
        lacking = sorted({c for c in content if not c.isascii() and not _fits(c, encoding)})
        return content.translate({ord(c): plain(c) for c in lacking})
    return content


def _fits(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def british(day: date | None) -> str:
    """Return a date as DD/MM/YYYY."""
    return day.strftime("%d/%m/%Y") if day else ""


def stamp(as_at: date, days: int = 1, hour: int = 3) -> str:
    """Return the delivery time in a file name: some days after the as-at date, in UTC."""
    return f"{(as_at + timedelta(days=days)):%Y%m%d}T{hour:02d}0000Z"


def compact(document: Mapping[str, Any]) -> str:
    """Return one line of JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


@dataclass
class Landing:
    """The landing folder under construction; remembers how many rows each file has."""

    root: Path
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    files: int = 0

    def put(self, feed: str, table: str, name: str, content: bytes, rows: int) -> str:
        """Write one file and return its SHA-256."""
        path = self.root / feed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.count(feed, table, rows)
        return hashlib.sha256(content).hexdigest()

    def count(self, feed: str, table: str, rows: int) -> None:
        """Note a file of some rows."""
        self.files += 1
        self.add_rows(feed, table, rows)

    def add_rows(self, feed: str, table: str, rows: int) -> None:
        """Note rows of a further table that a noted file holds."""
        tables = self.rows.setdefault(feed, {})
        tables[table] = tables.get(table, 0) + rows
