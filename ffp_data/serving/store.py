"""The files of the serving folder: each whole or absent, one pointer that says which counts.

A snapshot is written under a hidden name, flushed and renamed; then the pointer is replaced in one
step; then all but the newest two go, with whatever a crash left half-written. A reader that lost the race
for a file that was just removed reads the pointer again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from ffp_data.settings import Home
from ffp_data.warehouse import attach, lent_engine
from governance.canonical import sha256_hex
from governance.files import fsync_directory, replacing
from governance.keys import KeyStore

POINTER = "current"
_SUFFIX, _PART = ".duckdb", ".part"
PURPOSE = "serving/duckdb"
_CATALOG = "snapshot"
_STRETCH = 4096
"""Rows that a query for one child must read at least of each table; DuckDB's own 122,880 take three times as long."""


def current(home: Home, room: str = "") -> Path | None:
    """The file that the pointer names; None before the first. ``room``: a subfolder with its own pointer."""
    folder = home.serving / room
    try:
        name = (folder / POINTER).read_text("ascii").strip()
    except FileNotFoundError:
        return None
    return folder / name


def write(
    home: Home, name: str, tables: Mapping[str, pa.Table], *, alone: bool = False, room: str = ""
) -> Path:
    """Write a snapshot of these tables and make it the one that counts; `alone` removes all others.

    What lies in a room is read by a few rows at a time, so its tables are kept in short stretches.
    """
    folder = home.serving / room
    for each in (home.serving, folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(folder)
    before = current(home, room)
    path = folder / f"{sha256_hex(name.encode())[:16]}{_SUFFIX}"
    part = folder / f".{path.name}{_PART}"
    with lent_engine(home) as con:
        attach(con, part, _CATALOG, key_of(home), row_group=_STRETCH if room else None)
        for table, rows in tables.items():
            con.register("rows_in", rows)
            con.execute(f"CREATE TABLE {_CATALOG}.{table} AS SELECT * FROM rows_in")
            con.unregister("rows_in")
        con.execute(f"CHECKPOINT {_CATALOG}")
        con.execute(f"DETACH {_CATALOG}")
    _publish(folder, part, path)
    keep = {path} if alone or before is None else {path, before}
    for other in folder.glob(f"*{_SUFFIX}"):
        if other not in keep:
            other.unlink(missing_ok=True)
    return path


def _publish(folder: Path, part: Path, path: Path) -> None:
    part.chmod(0o600)
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    part.replace(path)
    fsync_directory(folder)
    with replacing(folder / POINTER) as pointer:
        pointer.write(path.name.encode("ascii") + b"\n")


def _sweep(folder: Path) -> None:
    """Remove what a crash left; only the one run that holds the home writes here."""
    for left in folder.glob(f".*{_PART}*"):
        left.unlink(missing_ok=True)


@contextmanager
def reading(home: Home, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose tables are those of a snapshot. Raises duckdb.IOException if it is gone."""
    with lent_engine(home) as con:
        attach(con, path, _CATALOG, key_of(home), read_only=True)
        con.execute(f"USE {_CATALOG}")
        yield con


def key_of(home: Home) -> str:
    """The encryption key of every snapshot of a home."""
    return KeyStore(home.keys_dir).key(PURPOSE).hex()
