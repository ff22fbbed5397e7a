"""Whom each release disclosed: a list of references beside the ledger, one file for each release.

A release can hold hundreds of thousands of children, too many for a line of the ledger. Their references
(`governance.subjects`) go to a Parquet file that is named by its own SHA-256, which stands in the ledger's
event: one row a child, sorted by reference, so that the order of rows tells nothing; one column of true and
false for each table of the release, that says whether the table had rows of the child. The file is written
before the release is, so that no release lies anywhere whose children nobody can name.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from governance.files import replacing, sha256_of_file
from governance.ledger import Ledger
from governance.manifest import MANIFEST
from governance.subjects import REFERENCE_BYTES

REFERENCE = "reference"
FOLDER = "subjects"
"""Name of the folder of lists, in the ledger's directory."""

_SUFFIX = ".parquet"
_LIST = "subject_list"

SUBJECT_COLUMNS = ("child_id", "child_key", "record_key")
"""Columns that say whom a row is about: identifiers, or keys of records."""

RELATED_COLUMN, RELATED_PREFIX = "related_child_id", "related_"
"""A second person of a row, about whom it tells when a column with the prefix is given."""


class SubjectListError(Exception):
    """A list that is missing or is not the one that the ledger names."""


@dataclass(frozen=True)
class SubjectLists:
    """The lists of one ledger. ``references``: from identifiers or record keys, in order."""

    folder: Path
    references: Callable[[Sequence[str]], Sequence[str]]

    def keep(
        self,
        people: Mapping[str, Collection[str]],
        also: Mapping[str, Collection[str]] | None = None,
    ) -> dict[str, Any]:
        """Write the list of a release; give what the ledger says of it.

        ``people``: identifiers or record keys of each relation; ``also``: references, likewise. The
        references of people whom nobody knows are an error of ``references``, and there is no release.
        """
        everybody = sorted({person for each in people.values() for person in each})
        known = dict(zip(everybody, self.references(everybody), strict=True))
        listed = {relation: {known[p] for p in each} for relation, each in people.items()}
        for relation, references in (also or {}).items():
            listed[relation] = listed.get(relation, set()) | set(references)
        return self._write(_table(listed))

    def of_release(self, ledger: Ledger, release: Path) -> dict[str, list[str]]:
        """The references of each relation of a release that lies in a folder. Raises SubjectListError."""
        manifest = sha256_of_file(release / MANIFEST)
        for event in ledger.events("released"):
            facts = event["facts"]
            if facts["manifest"] == manifest and _LIST in facts:
                table = read_list(self.folder, facts[_LIST])
                return {each: list(references_of(table, each)) for each in table.column_names[1:]}
        raise SubjectListError(
            f"{release}: the ledger has no list of whom it told about; make it again"
        )

    def _write(self, table: pa.Table) -> dict[str, Any]:
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd", use_dictionary=False)
        data = buffer.getvalue()
        digest = hashlib.sha256(data).hexdigest()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(self.folder / f"{digest}{_SUFFIX}") as handle:
            handle.write(data)
        return {"sha256": digest, "count": table.num_rows, "relations": table.column_names[1:]}


def read_list(folder: Path, said: Mapping[str, Any]) -> pa.Table:
    """The list that an event's ``subjects`` name. Raises SubjectListError."""
    path = folder / f"{said['sha256']}{_SUFFIX}"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SubjectListError(f"{path}: missing; restore it from its backup") from None
    if hashlib.sha256(data).hexdigest() != said["sha256"]:
        raise SubjectListError(f"{path}: was changed; restore it from its backup")
    return pq.read_table(io.BytesIO(data))


def references_of(table: pa.Table, relation: str | None = None) -> Iterator[str]:
    """The references of a list as hex, of one relation or of all."""
    if relation is not None:
        table = table.filter(table[relation])
    return (each.hex() for each in table[REFERENCE].to_pylist())


def people_columns(columns: Iterable[str], given: Iterable[str]) -> list[str]:
    """Which columns of a relation say whom its rows are about, where the columns ``given`` leave."""
    has = set(columns)
    found = [name for name in SUBJECT_COLUMNS if name in has][:1]
    if RELATED_COLUMN in has and any(name.startswith(RELATED_PREFIX) for name in given):
        found.append(RELATED_COLUMN)
    return found


def _table(listed: Mapping[str, Collection[str]]) -> pa.Table:
    everybody = sorted({reference for each in listed.values() for reference in each})
    place = {reference: at for at, reference in enumerate(everybody)}
    raw = pa.array([bytes.fromhex(each) for each in everybody], pa.binary(REFERENCE_BYTES))
    columns: dict[str, pa.Array] = {REFERENCE: raw}
    for relation in sorted(listed):
        is_in = np.zeros(len(everybody), np.bool_)
        is_in[[place[each] for each in listed[relation]]] = True
        columns[relation] = pa.array(is_in)
    return pa.table(columns)
