"""Make the files of a kept version again from its tables, and compare them byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from ffp_data.returns.build import build_return
from ffp_data.returns.header import Header
from ffp_data.returns.tehadc.profile import Profile
from ffp_data.returns.versions import (
    PROFILE,
    RECORD,
    TABLES,
    NotAVersionError,
    read_record,
)
from governance.files import sha256_of_file

_SCHEMA = "kept"
_OF_THE_MAKERS = frozenset({"made_by", "rules_sha256", "tables"})
"""Parts of a record that other code changes though the return be the same; tables are checked on loading."""


@dataclass(frozen=True)
class Rebuilt:
    """What came of it: names of files that are the same, those that differ, and what explains it."""

    same: tuple[str, ...]
    different: tuple[str, ...]
    notes: tuple[str, ...]


def rebuild(folder: Path, into: Path | None = None) -> Rebuilt:
    """Build the version in `folder` again, into `into` or a folder that is removed, and compare.

    The record is the same when it differs in nothing but what made it, which the notes tell.

    Raises NotAVersionError when the folder holds no version or its tables were changed.
    """
    record = read_record(folder)
    con = duckdb.connect(config={"temp_file_encryption": "true"})
    _load(con, folder, record)
    with TemporaryDirectory() as temporary:
        made = into or Path(temporary)
        again = _build(con, folder, record, made)
        expected = record["files"]
        same = [name for name in expected if again["files"].get(name) == expected[name]]
        if _without_makers(again) == _without_makers(record):
            same.append(RECORD)
    different = sorted({*expected, *again["files"], RECORD} - set(same))
    return Rebuilt(tuple(sorted(same)), tuple(different), tuple(_other_makers(record, again)))


def _without_makers(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in _OF_THE_MAKERS}


def _load(con: duckdb.DuckDBPyConnection, folder: Path, record: dict[str, Any]) -> None:
    con.execute(f"CREATE SCHEMA {_SCHEMA}")
    for name, digest in record["tables"].items():
        path = folder / TABLES / f"{name}.parquet"
        if not path.is_file() or sha256_of_file(path) != digest:
            raise NotAVersionError(f"{path}: missing, or not as it was kept")
        con.execute(f"CREATE TABLE {_SCHEMA}.{name} AS FROM read_parquet(?)", [str(path)])


def _build(
    con: duckdb.DuckDBPyConnection, folder: Path, record: dict[str, Any], made: Path
) -> dict[str, Any]:
    build_return(
        con,
        made,
        Header.from_dict(record["header"]),
        schema=_SCHEMA,
        delivery_ids=record["inputs"],
        profile=_profile(folder),
        about=record["about"],
        keep=True,
    )
    return read_record(made)


def _profile(folder: Path) -> Profile | None:
    path = folder / TABLES / PROFILE
    if not path.is_file():
        return None
    return Profile.model_validate(json.loads(path.read_text("utf-8")))


def _other_makers(record: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """What the version was made by and is not what runs now."""
    notes = [
        f"made by {name} {record['made_by'].get(name, 'of an unknown version')}, not {value}"
        for name, value in again["made_by"].items()
        if record["made_by"].get(name) != value
    ]
    if record["rules_sha256"] != again["rules_sha256"]:
        notes.append("layout or rules are not those that made it")
    return notes
