"""Opens a case system's drop: one folder of CSV files out of one council's case system.

The manifest is what the council signed off: it names the system, whose profile says how its files lead
to the tables of the Standard Safeguarding Dataset; each file's hash must be the one it names, each
required table must be there, and the row counts must agree, or the whole drop is refused. Names of
tables and files are taken in any case and with or without the schema in front (dbo.ssd_person).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import yaml
from pydantic import ConfigDict, ValidationError

from ffp_data.feeds.case_system import Profile, TableMap, find_profile, profiles
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import sha256
from ffp_data.feeds.landing import MANIFEST
from ffp_data.strict import Strict


class ManifestTable(Strict):
    name: str
    rows: int
    sha256: str


class Manifest(Strict):
    """What the council says it sent."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

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
    """A file of the drop, with the rows that the council signed off."""

    path: Path
    rows: int


@dataclass(frozen=True)
class DropTable:
    """A table of the contract and the files that it comes out of; `mapping` None: the file is the table."""

    table: Table
    file: DropFile
    mapping: TableMap | None
    lookups: Mapping[str, DropFile]


@dataclass(frozen=True)
class Drop:
    """`contract` is the feed's contract with the system of this drop in the place of its own."""

    contract: Contract
    la_code: str
    tables: tuple[DropTable, ...]
    notes: str

    @property
    def scope(self) -> str:
        """Whose snapshot it is: a newer drop of the same council and system replaces it, no other does."""
        return f"{self.la_code}|{self.contract.hub.system}"


def open_drop(folder: Path, contract: Contract) -> Drop:
    """The verified files of the tables that the contract knows; raises FeedError."""
    manifest = read_manifest(folder)
    profile = _profile(folder, manifest, contract)
    listed = _listed(folder, manifest)
    _require_tables(folder, contract, profile, listed)
    present = {_plain(p.stem): p for p in sorted(folder.iterdir()) if _is_table(p)}
    files = {name: _verified(folder, present, one) for name, one in listed.items()}
    tables = tuple(
        _table(table, profile.tables.get(table.name), files)
        for table in contract.tables
        if source_of(table.name, profile, listed) in listed
    )
    hub = contract.hub.model_copy(update={"system": profile.system})
    notes = "; ".join(_notes(contract, manifest, profile, listed, present))
    return Drop(contract.model_copy(update={"hub": hub}), manifest.la_code, tables, notes)


def source_of(table: str, profile: Profile, present: Mapping[str, object]) -> str:
    """Plain name of the file that a table comes out of: its own where that is there, else the mapped one."""
    mapping = profile.tables.get(table)
    if table in present or mapping is None or mapping.from_ is None:
        return table
    return _plain(mapping.from_)


def check_rows(folder: Path, file: DropFile, delivered: int) -> None:
    """Raises FeedError manifest_rows when a file holds another number of rows than was signed off."""
    if delivered != file.rows:
        raise _refusal(
            folder,
            "manifest_rows",
            f"{file.path.name} has {delivered} rows, the manifest says {file.rows}",
            "run the extract again and deliver files and manifest of one run",
            file.path.stem,
        )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a drop; raises FeedError no_manifest, manifest."""
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


def require_tables(
    place: str, contract: Contract, profile: Profile, listed: Mapping[str, object]
) -> None:
    """Raises FeedError missing_table when a table is not there that the system is not known to lack."""
    missing = [
        t.name
        for t in contract.tables
        if not t.may_be_missing
        and t.name not in profile.absent
        and source_of(t.name, profile, listed) not in listed
    ]
    if missing:
        raise FeedError(
            "missing_table",
            f"the drop lacks {', '.join(missing)}",
            "deliver every required table, with a header alone when it has no rows",
            file=place,
            column=missing[0],
        )


def _profile(folder: Path, manifest: Manifest, contract: Contract) -> Profile:
    """The profile of the drop's system; raises FeedError for one unknown or not run here, or another council."""
    hub, named = contract.hub, manifest.case_system
    profile = find_profile(named, own=hub.profiles)
    if profile is None:
        known = ", ".join(profiles(hub.profiles))
        message = f"no profile for system {named}; known: {known}"
        remedy = "name the system as its profile does, or write a profile for it"
        raise _refusal(folder, "unknown_system", message, remedy, "case_system")
    if hub.systems and find_profile(named, hub.systems, hub.profiles) is None:
        message = f"the drop is of {profile.system}, this partnership runs {', '.join(hub.systems)}"
        remedy = "add the system to case_systems in partnership.yaml if the council runs it"
        raise _refusal(folder, "other_system", message, remedy, "case_system")
    if hub.la_code and manifest.la_code != hub.la_code:
        message = f"the drop is of council {manifest.la_code}, this partnership is {hub.la_code}"
        remedy = "deliver the drop to its own council's hub"
        raise _refusal(folder, "other_council", message, remedy, "la_code")
    return profile


def _listed(folder: Path, manifest: Manifest) -> dict[str, ManifestTable]:
    listed: dict[str, ManifestTable] = {}
    for one in manifest.tables:
        if _plain(one.name) in listed:
            message = f"{one.name} is listed twice"
            raise _refusal(folder, "manifest", message, "list each table once", "tables")
        listed[_plain(one.name)] = one
    return listed


def _require_tables(
    folder: Path, contract: Contract, profile: Profile, listed: Mapping[str, ManifestTable]
) -> None:
    require_tables(f"{folder.name}/{MANIFEST}", contract, profile, listed)


def _table(table: Table, mapping: TableMap | None, files: Mapping[str, DropFile]) -> DropTable:
    if mapping is None or (mapping.from_ is not None and table.name in files):
        return DropTable(table, files[table.name], None, {})
    lookups = {
        name: files[_plain(lookup.file)]
        for name, lookup in mapping.lookups.items()
        if _plain(lookup.file) in files
    }
    return DropTable(table, files[_plain(mapping.from_ or table.name)], mapping, lookups)


def _verified(folder: Path, present: Mapping[str, Path], listed: ManifestTable) -> DropFile:
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
    return DropFile(path, listed.rows)


def _notes(
    contract: Contract,
    manifest: Manifest,
    profile: Profile,
    listed: Mapping[str, ManifestTable],
    present: Mapping[str, Path],
) -> Iterator[str]:
    used = {source_of(name, profile, listed) for name in contract.by_name}
    used |= {_plain(k.file) for m in profile.tables.values() for k in m.lookups.values()}
    if unknown := sorted(set(listed) - used):
        yield f"tables without contract: {', '.join(unknown)}"
    if unlisted := sorted(set(present) - set(listed)):
        yield f"files not in the manifest: {', '.join(unlisted)}"
    sent = {t for t in contract.by_name if source_of(t, profile, listed) in listed}
    if absent := sorted(set(contract.by_name) - sent):
        yield f"tables not sent: {', '.join(absent)}"
    if not manifest.cohort_includes_early_help:
        yield "children known to early help alone are not in the drop"


def _is_table(path: Path) -> bool:
    return path.suffix.lower() == ".csv" and path.is_file() and not path.is_symlink()


def _plain(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower()


def _refusal(folder: Path, rule: str, message: str, remedy: str, column: str | None) -> FeedError:
    return FeedError(rule, message, remedy, file=f"{folder.name}/{MANIFEST}", column=column)
