"""Opens a case system's drop: one folder with one CSV file for each Standard Safeguarding Dataset table.

The manifest is what the council signed off: each file's hash must be the one it names, each required
table must be there, and the row counts must agree, or the whole drop is refused. Names of tables and
files are taken in any case and with or without the schema in front (dbo.ssd_person).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ffp_data.feeds.contract import Contract, Table
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import sha256
from ffp_data.feeds.landing import MANIFEST


class ManifestTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What the council says it sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    la_code: str
    case_system: str
    ssd_version: str
    extract_started: datetime | date
    extract_finished: datetime | date
    window_years: int
    cohort_includes_early_help: bool
    tables: tuple[ManifestTable, ...]
    signed_off_by: str


@dataclass(frozen=True)
class DropFile:
    table: Table
    path: Path
    rows: int


@dataclass(frozen=True)
class Drop:
    files: tuple[DropFile, ...]
    notes: str


def open_drop(folder: Path, contract: Contract) -> Drop:
    """The verified files of the tables that the contract knows; raises FeedError."""
    manifest = _read_manifest(folder)
    if manifest.case_system.casefold() != contract.hub.system.casefold():
        raise _refusal(
            folder,
            "other_system",
            f"the manifest says system {manifest.case_system}, the contract {contract.hub.system}",
            "deliver the drop of the contract's system",
            "case_system",
        )
    listed = {_plain(t.name): t for t in manifest.tables}
    _require_tables(folder, contract, listed)
    present = {_plain(p.stem): p for p in sorted(folder.iterdir()) if p.suffix.lower() == ".csv"}
    files = tuple(
        DropFile(table, _verified(folder, present, listed[table.name]), listed[table.name].rows)
        for table in contract.tables
        if table.name in listed
    )
    return Drop(files, "; ".join(_notes(contract, listed, present)))


def check_rows(folder: Path, file: DropFile, delivered: int) -> None:
    """Raises FeedError manifest_rows when a file holds another number of rows than was signed off."""
    if delivered != file.rows:
        raise _refusal(
            folder,
            "manifest_rows",
            f"{file.path.name} has {delivered} rows, the manifest says {file.rows}",
            "run the extract again and deliver files and manifest of one run",
            file.table.name,
        )


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        message = f"the folder has no {MANIFEST}"
        raise _refusal(
            folder, "no_manifest", message, "write the manifest last and deliver it", None
        )
    try:
        return Manifest.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        remedy = "write the manifest as YAML in UTF-8"
        raise _refusal(folder, "manifest", "the manifest is not YAML", remedy, None) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(step) for step in first["loc"])
        raise _refusal(folder, "manifest", first["msg"], "correct the manifest", key) from error


def _require_tables(folder: Path, contract: Contract, listed: dict[str, ManifestTable]) -> None:
    missing = [t.name for t in contract.tables if not t.may_be_missing and t.name not in listed]
    if missing:
        raise _refusal(
            folder,
            "missing_table",
            f"the drop lacks {', '.join(missing)}",
            "deliver every required table, with a header alone when it has no rows",
            missing[0],
        )


def _verified(folder: Path, present: dict[str, Path], listed: ManifestTable) -> Path:
    path = present.get(_plain(listed.name))
    if path is None:
        message = f"the manifest lists {listed.name}, the folder lacks its file"
        raise _refusal(
            folder, "missing_file", message, "deliver the drop again, whole", listed.name
        )
    if sha256(path) != listed.sha256.lower():
        message = f"{path.name} is not the file that was signed off"
        raise _refusal(
            folder, "manifest_hash", message, "deliver the drop again, whole", listed.name
        )
    return path


def _notes(
    contract: Contract, listed: dict[str, ManifestTable], present: dict[str, Path]
) -> Iterator[str]:
    if unknown := sorted(set(listed) - set(contract.by_name)):
        yield f"tables without contract: {', '.join(unknown)}"
    if unlisted := sorted(set(present) - set(listed)):
        yield f"files not in the manifest: {', '.join(unlisted)}"
    if absent := sorted(t.name for t in contract.tables if t.name not in listed):
        yield f"tables not sent: {', '.join(absent)}"


def _plain(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower()


def _refusal(folder: Path, rule: str, message: str, remedy: str, column: str | None) -> FeedError:
    return FeedError(rule, message, remedy, file=f"{folder.name}/{MANIFEST}", column=column)
