"""Searches every byte of files for canaries, whatever form they are in.

Raw bytes (also without the zero bytes of UTF-16), base64 and hex of the planted stem and of numbers, JSON's
``\\u`` escapes; gzip, zstd, zlib, zip and workbooks, Parquet, SQLite row by row, DuckDB files that are not
encrypted. Encrypted files are searched as the bytes that they are: nothing may shine through.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.canaries.planting import Canaries, numbers_in

_ZSTD = b"\x28\xb5\x2f\xfd"
_BLOCK = 64 << 20
_OVERLAP = 256


@dataclass(frozen=True)
class Hit:
    """A canary that was found: file, place within it, the form, and some text around."""

    path: str
    place: str
    form: str
    around: str

    def __str__(self) -> str:
        return f"{self.path}{self.place}: {self.form}: {self.around}"


@dataclass(frozen=True)
class Scanner:
    """Looks for the stem of the planted words and for numbers."""

    canaries: Canaries

    def files(self, *roots: Path, skip: Callable[[Path], bool] = lambda _: False) -> list[Hit]:
        """What is found in all files below, but those of ``skip``."""
        hits: list[Hit] = []
        for root in roots:
            paths = sorted(root.rglob("*")) if root.is_dir() else [root]
            for path in paths:
                if path.is_file() and not path.is_symlink() and not skip(path):
                    hits += self.file(path)
        return hits

    def file(self, path: Path) -> list[Hit]:
        """What is found in one file; one that is gone meanwhile holds nothing."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return []
        name = self.text(str(path), place=" (name)", path=path)
        return [
            *name,
            *(
                hit
                for place, part in _parts("", content, path)
                for hit in self._in(path, place, part)
            ),
        ]

    def text(self, text: str, place: str = "", path: Path | str = "text") -> list[Hit]:
        """What is found in a text, such as a stream of a process."""
        return list(self._in(path, place, text.encode()))

    def _in(self, path: Path | str, place: str, content: bytes) -> Iterator[Hit]:
        for begin in range(0, max(1, len(content)), _BLOCK):
            part = content[begin : begin + _BLOCK + _OVERLAP]
            for form, data in (("as it is", part), ("UTF-16", part.replace(b"\0", b""))):
                if form == "UTF-16" and b"\0" not in part:
                    continue
                found = next(self._plain(data), None)
                if found is not None:
                    yield Hit(str(path), place, form, _around(data, found))
            for coded in self._encoded:
                if (at := part.find(coded)) >= 0:
                    yield Hit(str(path), place, "encoded", _around(part, at))

    def _plain(self, data: bytes) -> Iterator[int]:
        at = data.lower().find(self.canaries.stem.encode())
        if at >= 0:
            yield at
        for number in set(numbers_in(data)) & self.canaries.numbers:
            yield max(data.find(number[-4:].encode()), 0)

    @cached_property
    def _encoded(self) -> list[bytes]:
        """Base64 at each of its three places, hex, and JSON's escapes of the stem and of some numbers."""
        stem = self.canaries.stem
        words = [stem, stem.upper(), stem.capitalize(), *sorted(self.canaries.numbers)[::20]]
        return sorted({form for word in words for form in _forms(word.encode())})


def _forms(word: bytes) -> Iterable[bytes]:
    for before in range(3):  # base64 carries 3 bytes in 4 letters: what stands before shifts it
        coded = base64.b64encode(b"\0" * before + word)
        cut = {0: 0, 1: 3, 2: 2}[
            (before + len(word)) % 3
        ]  # what stands behind shares the last letters
        yield coded[{0: 0, 1: 2, 2: 3}[before] : len(coded) - cut]
    yield word.hex().encode()
    yield word.hex().upper().encode()
    yield b"".join(b"\\u%04x" % each for each in word)


def _around(data: bytes, at: int) -> str:
    return data[max(0, at - 60) : at + 80].decode("utf-8", "replace").replace("\n", " ")


def _parts(place: str, content: bytes, path: Path) -> Iterator[tuple[str, bytes]]:
    """The content, and what it holds in other forms, each with its place."""
    yield place, content
    for is_one, opened in _FORMS:
        if is_one(content):
            for inner, part in opened(content, path):
                is_rows = inner.startswith(":")
                yield from [(place + inner, part)] if is_rows else _parts(place + inner, part, path)
            return


def _zip(content: bytes, _path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.namelist():
            yield f"/{member}", archive.read(member)


def _gzip(content: bytes, _path: Path) -> Iterator[tuple[str, bytes]]:
    yield " (gzip)", gzip.decompress(content)


def _zstd(content: bytes, _path: Path) -> Iterator[tuple[str, bytes]]:
    with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
        yield " (zstd)", stream.read()


def _parquet(content: bytes, _path: Path) -> Iterator[tuple[str, bytes]]:
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    yield ":parquet", json.dumps(rows, default=str, ensure_ascii=False).encode()


def _pdf(content: bytes, _path: Path) -> Iterator[tuple[str, bytes]]:
    for found in re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        yield ":stream", _inflated(found[1])


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content)
    except zlib.error:
        return b""  # a stream of another kind, searched as it is


def _sqlite(_content: bytes, path: Path) -> Iterator[tuple[str, bytes]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as con:
        con.text_factory = bytes
        for (table,) in con.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            rows = con.execute(f'SELECT * FROM "{table.decode()}"')
            cells = (cell for row in rows for cell in row if cell is not None)
            texts = (cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)
            yield f":{table.decode()}", b"\n".join(texts)
    con.close()


def _duckdb(_content: bytes, path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        con = duckdb.connect(str(path), read_only=True, config={"threads": "1"})
    except duckdb.Error:
        return  # encrypted, or held: searched as the bytes that it is
    with con:
        tables = con.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        for schema, table in tables:
            rows = con.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall()
            yield f":{schema}.{table}", str(rows).encode()


Opener = Callable[[bytes, Path], Iterator[tuple[str, bytes]]]
_FORMS: tuple[tuple[Callable[[bytes], bool], Opener], ...] = (
    (lambda c: c.startswith(b"PK\3\4") and zipfile.is_zipfile(io.BytesIO(c)), _zip),
    (lambda c: c.startswith(b"\x1f\x8b"), _gzip),
    (lambda c: c.startswith(_ZSTD), _zstd),
    (lambda c: c.startswith(b"PAR1"), _parquet),
    (lambda c: c.startswith(b"%PDF"), _pdf),
    (lambda c: c.startswith(b"SQLite format 3\0"), _sqlite),
    (lambda c: c[8:12] == b"DUCK", _duckdb),
)
