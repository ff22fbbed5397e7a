"""The targeted early help collection as an optional part of Annex A, shared by the council's choice.

What is shared is what the department got: the data files of the newest signed release whose
reference date is not after the inspection, checked against their signature and, column by column,
against the agreement with Ofsted. They become one workbook beside the lists.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ffp_data.returns.layout import end_year
from governance.keys import Verifier
from governance.manifest import MANIFEST, read_manifest, verify_files
from governance.xlsx import Sheet, write_workbook


class NothingToShareError(Exception):
    """There is no release to share, it is not as signed, or the agreement does not cover it."""


@dataclass(frozen=True)
class Shared:
    """A signed release of the collection: its year, folder, signed files' SHA-256 and rows by relation."""

    year: str
    folder: Path
    sha256: Mapping[str, str]
    rows: Mapping[str, int]

    @property
    def reference_date(self) -> date:
        return _reference_date(self.year)

    @property
    def in_words(self) -> str:
        return f"shared by choice, collection year {self.year}, reference date {self.reference_date.isoformat()}"


def find_shared(
    returns: Path, on: date, key: Verifier, agreed: Mapping[str, Collection[str]]
) -> Shared:
    """The newest release below `returns` (a folder for each year) that may be shared on `on`.

    `agreed` holds the columns that Ofsted may have, by relation. Raises NothingToShareError.
    """
    years = [
        folder.name
        for folder in returns.glob("*-*")
        if (folder / MANIFEST).is_file() and _reference_date(folder.name) <= on
    ]
    if not years:
        raise NothingToShareError(
            f"{returns}: no release with a reference date up to {on}; build one first"
        )
    folder = returns / max(years)
    if differences := verify_files(folder, key):
        raise NothingToShareError(f"not as released: {differences[0]}; build the return again")
    manifest = read_manifest(folder, key)
    if "sealed" in manifest:
        raise NothingToShareError(
            "the release is sealed to the department's key; take `seal_to` from organisations.yaml and build"
            " the return again, or share it by hand"
        )
    if excess := sorted(_not_covered(manifest, agreed)):
        raise NothingToShareError(f"the agreement with Ofsted does not give {', '.join(excess)}")
    return Shared(
        max(years),
        folder,
        {
            each["name"]: each["sha256"]
            for each in manifest["files"]
            if each["name"].endswith(".csv")
        },
        {each["relation"]: each["rows"] for each in manifest["tables"]},
    )


def write_shared(path: Path, shared: Shared) -> Path:
    """Write one sheet for each data file of the release, after a cover; values stay as returned."""
    sheets = [
        Sheet("Cover", ("Subject", "What applies"), list(_cover(shared)), (36, 90), is_prose=True)
    ]
    for name in sorted(shared.sha256):
        with (shared.folder / name).open(encoding="utf-8-sig", newline="") as handle:
            header, *rows = csv.reader(handle)
        sheets.append(
            Sheet(Path(name).stem[:31], header, [_cells(row) for row in rows], [18] * len(header))
        )
    write_workbook(path, sheets, f"List TEH (optional) {shared.year}")
    return path


def _cover(shared: Shared) -> Iterator[tuple[str, str]]:
    yield (
        "List TEH (optional)",
        "Targeted Early Help Annual Data Collection, shared by the council's choice",
    )
    yield "Collection year", shared.year
    yield "Reference date", shared.reference_date.isoformat()
    yield "Period", "the collection year, not the months of lists 1 to 11"
    yield "Layout", "inferred: the official layout is not public"
    for name, digest in sorted(shared.sha256.items()):
        yield f"As returned: {name}", f"SHA-256 {digest}"


def _cells(row: list[str]) -> list[str | None]:
    return [value or None for value in row]


def _reference_date(year: str) -> date:
    return date(end_year(year), 3, 31)


def _not_covered(
    manifest: Mapping[str, Any], agreed: Mapping[str, Collection[str]]
) -> Iterator[str]:
    for table in manifest["tables"]:
        for column in table["columns"]:
            if column["name"] not in agreed.get(table["relation"], ()):
                yield f"{table['relation']}.{column['name']}"
