"""Searches every file under a folder for texts, opening whatever holds them: what is left is not left unseen.

Archives, workbooks and compressed files are opened member by member, Parquet, SQLite and DuckDB row by
row (DuckDB and the hub's database with their keys); plain SQLite files, their logs and everything else byte
by byte as well. A text counts where it stands alone, not as a part of a longer id.
"""

from __future__ import annotations

import gzip
import io
import re
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from ffp_data.hub import at_rest
from ffp_data.sealing.sweep import opened, tables_of
from ffp_data.settings import Home
from governance.keys import KeyStore
from governance.ledger import Ledger

_SQLITE, _ZIP, _GZIP, _PARQUET = b"SQLite format 3\0", b"PK\3\4", b"\x1f\x8b", b"PAR1"
_DUCK = b"DUCK"
_LARGEST = 1 << 30
_NEAR = 12
"""Lines of a text file within which name and birth date count as standing together."""

Unit = tuple[str, str]
"""A place within a file, such as a table or a member, and the text of one row or line there."""


@dataclass(frozen=True)
class Wanted:
    """words: found where they stand alone; people: found where all their parts are in one row."""

    words: Collection[str]
    people: Collection[tuple[str, str, str]] = ()
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        listed = "|".join(re.escape(word) for word in sorted(self.words, key=len, reverse=True))
        found = re.compile(rf"(?<![A-Za-z0-9])(?:{listed})(?![A-Za-z0-9])" if listed else r"(?!)")
        object.__setattr__(self, "pattern", found)

    def in_text(self, text: str) -> bool:
        return self.pattern.search(text) is not None or any(
            _is_person(text, *person) for person in self.people
        )


def _is_person(text: str, given: str, surname: str, born: str) -> bool:
    if given not in text or surname not in text:
        return False
    year, month, day = born.split("-")
    forms = (born, f"{day}/{month}/{year}", f"{year}{month}{day}", f"{day}-{month}-{year}")
    return any(form in text for form in forms)


def search(
    home: Home, wanted: Wanted, skip: Callable[[Path], bool] = lambda _: False
) -> Counter[str]:
    """How often something wanted was found, by file and place within it; files of `skip` are not opened."""
    (found,) = search_for_each(home, [wanted], skip)
    return found


def search_for_each(
    home: Home, wanted: Collection[Wanted], skip: Callable[[Path], bool] = lambda _: False
) -> list[Counter[str]]:
    """What `search` finds of each, for one opening of every file."""
    found = [Counter[str]() for _ in wanted]
    for path in sorted(home.root.rglob("*")):
        if path.is_symlink() or not path.is_file() or skip(path):
            continue
        name = str(path.relative_to(home.root))
        for place, text in units(home, path):
            for counts, each in zip(found, wanted, strict=True):
                if each.in_text(text):
                    counts[f"{name}{place}"] += 1
    return found


def names_any(home: Home, path: Path, wanted: Wanted) -> bool:
    """Whether something wanted stands in one file."""
    return any(wanted.in_text(text) for _, text in units(home, path))


def units(home: Home, path: Path) -> Iterator[Unit]:
    """The rows and lines of a file, in clear."""
    with path.open("rb") as handle:
        head = handle.read(16)
    if head[8:12] == _DUCK:
        yield from _duckdb(home, path)
    elif path.parent == home.ledger_dir:
        for line in Ledger(path.parent, KeyStore(home.keys_dir)).in_clear(path):
            yield from _lines("", line, near=1)
    elif head.startswith(_SQLITE):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as con:
            yield from _sqlite(con)
        yield from _lines("", path.read_bytes(), near=1)
    elif path == home.hub_file and head:
        with at_rest.reading(path, KeyStore(home.keys_dir)) as con:
            yield from _sqlite(con)
    else:
        yield from _content("", path.read_bytes())


def _content(place: str, data: bytes) -> Iterator[Unit]:
    if data.startswith(_ZIP) and zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if not member.is_dir() and member.file_size < _LARGEST:
                    yield f"{place}/{member.filename}", member.filename
                    yield from _content(f"{place}/{member.filename}", archive.read(member))
    elif data.startswith(_GZIP):
        yield from _content(place, gzip.decompress(data))
    elif data.startswith(_PARQUET):
        for row in pq.read_table(io.BytesIO(data)).to_pylist():
            yield place, "\n".join(map(str, row.values()))
    else:
        yield from _lines(place, data, _NEAR)


def _lines(place: str, data: bytes, near: int) -> Iterator[Unit]:
    """Each line, with those after it where a record may span several."""
    texts = data.decode("utf-8", errors="replace").split("\n")
    for n in range(0, len(texts), near):
        yield place, "\n".join(texts[n : n + 2 * near - 1])


def _sqlite(con: Any) -> Iterator[Unit]:
    con.text_factory = lambda data: data.decode("utf-8", errors="replace")
    tables = con.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for row in con.execute(f'SELECT * FROM "{table}"'):
            yield f":{table}", "\n".join(_text(value) for value in row)


def _text(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _duckdb(home: Home, path: Path) -> Iterator[Unit]:
    with opened(home, path, read_only=True) as con:
        for table, _ in tables_of(con):
            yield from _rows(con, table)


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> Iterable[Unit]:
    cursor = con.execute(f"SELECT * FROM {table}")
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            yield ":" + table.replace('"', ""), "\n".join(map(str, row))
