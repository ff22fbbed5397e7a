"""Kept versions of a return, each with what its files are made of.

A version is a folder `v<number>-<id>`: the build record, the return's own tables and the records
behind them as Parquet, and the profile if there is one. From these the same code makes every file of
the return and its reports again, byte for byte (`rebuild`). The tables themselves come from the
deliveries that the record names, by way of linkage and dbt; that way back is not part of a version.
The id is the hash of the record, so that building again from equal inputs keeps nothing new.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from ffp_data.returns.checks import RuleBook
from ffp_data.returns.sources import SOURCES
from ffp_data.returns.tables import existing_tables
from ffp_data.returns.tehadc.model import CONFLICTS
from governance.files import replacing_directory, sha256_of_file

RECORD = "build.json"  # a release has a signed manifest.json of its own
TABLES = "tables"
PROFILE = "profile.json"
_PACKAGE = Path(__file__).parent.parent
_CODE = ("returns", "calendar", "identifiers")  # folders that decide what a return says
_SUFFIXES = frozenset({".py", ".sql", ".yaml", ".html", ".csv"})
_LIBRARIES = ("ffp-data", "duckdb", "lxml", "openpyxl", "pyarrow")
_NAME = re.compile(r"v(\d+)-([0-9a-f]{12})")


class NotAVersionError(ValueError):
    """The folder does not hold a kept version; says what is missing."""


@dataclass(frozen=True)
class Version:
    """A kept version: its number in order of building, its id and its folder."""

    number: int
    id: str
    folder: Path

    @cached_property
    def record(self) -> dict[str, Any]:
        """The build record."""
        return read_record(self.folder)


def keep(build: Path, versions: Path) -> Version:
    """Move the tables of the build in folder `build` below `versions`, with a copy of its record.

    Where an equal version is kept already, that one stays and the tables are dropped. Raises
    NotAVersionError when the build kept no tables.
    """
    if not (build / TABLES).is_dir():
        raise NotAVersionError(f"{build}: was built without keeping its tables")
    own_id = version_id(build)
    known = kept(versions)
    if same := [each for each in known if each.id == own_id]:
        shutil.rmtree(build / TABLES)
        return same[0]
    number = max((each.number for each in known), default=0) + 1
    folder = versions / f"v{number:03}-{own_id}"
    with replacing_directory(folder) as part:
        shutil.copy2(build / RECORD, part / RECORD)
        (build / TABLES).rename(part / TABLES)
    return Version(number, own_id, folder)


def kept(versions: Path) -> list[Version]:
    """Versions below the folder, oldest first; none when the folder is not there."""
    names = ((_NAME.fullmatch(path.name), path) for path in versions.glob("v*"))
    found = [Version(int(name[1]), name[2], path) for name, path in names if name]
    return sorted(found, key=lambda each: each.number)


def version_id(build: Path) -> str:
    """Id of the build in a folder: the first twelve digits of its record's SHA-256."""
    return sha256_of_file(build / RECORD)[:12]


def read_record(folder: Path) -> dict[str, Any]:
    """The build record in a folder. Raises NotAVersionError when there is none that can be read."""
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotAVersionError(f"{folder}: has no {RECORD} that can be read") from error
    return record


def keep_tables(
    con: duckdb.DuckDBPyConnection, book: RuleBook, schema: str, folder: Path
) -> dict[str, str]:
    """Write the tables that the return and its rules read, and the records behind them.

    Rows are sorted by all columns, so that equal tables give equal files. Returns SHA-256 by name.
    """
    folder.mkdir()
    wanted = {table.name for layout in book.layouts for table in layout.tables}
    wanted |= {SOURCES, CONFLICTS} if book.beside else {SOURCES}
    names = sorted(wanted & existing_tables(con, schema))
    for name in names:
        rows = con.execute(f"SELECT * FROM {schema}.{name} ORDER BY ALL").to_arrow_table()
        pq.write_table(rows, folder / f"{name}.parquet", compression="zstd")
    return {name: sha256_of_file(folder / f"{name}.parquet") for name in names}


@cache
def made_by() -> Mapping[str, str]:
    """What makes the files: versions of this product and the libraries that write, hash of its code."""
    running = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*")):
        relative = path.relative_to(_PACKAGE)
        if relative.parts[0] in _CODE and path.suffix in _SUFFIXES:
            running.update(f"{relative.as_posix()}\0".encode() + path.read_bytes())
    return {name: installed(name) for name in _LIBRARIES} | {"code_sha256": running.hexdigest()}
