"""Token files: what a file says of itself, and the refusal to match files that do not belong together.

The header is JSON in the Parquet schema: format, source, epoch, fingerprint of the parameters and
key check value of the secret. Files are matched only when all but the source agree, and the hub's
own copy of the parameters has the fingerprint too.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from linkage.errors import LinkageError
from linkage.private.plan import plan
from linkage.private.secret import Secret
from linkage.private.settings import Discovery

ID = "token_id"
_KEY = b"ffp-linkage-tokens"
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
FORMAT = 1


@dataclass(frozen=True)
class Header:
    """What a token file says of itself."""

    format: int
    source: str
    name: str
    version: str
    epoch: str
    parameters: str
    secret_check: str
    records: int

    @classmethod
    def of(cls, discovery: Discovery, secret: Secret, source: str, records: int) -> Header:
        """The header of a file that is being made."""
        s = discovery.settings
        check = secret.check_value()
        return cls(
            FORMAT, source, s.name, s.version, s.epoch, discovery.fingerprint, check, records
        )

    def metadata(self) -> dict[bytes, bytes]:
        """As metadata of a Parquet schema."""
        return {_KEY: json.dumps(asdict(self), sort_keys=True).encode()}

    @classmethod
    def read(cls, table: pa.Table, name: str) -> Header:
        """The header of a table; raises LinkageError if it has none."""
        try:
            found = cls(**json.loads((table.schema.metadata or {})[_KEY]))
        except (KeyError, TypeError, ValueError):
            raise LinkageError(f"{name}: not a file that 'ffp private tokenise' made") from None
        check_source(found.source)
        if found.format != FORMAT:
            raise LinkageError(f"{name}: format {found.format} of tokens is not known here")
        return found


def check_source(source: str) -> None:
    """Raise LinkageError unless a source's name can be part of a file's name."""
    if not isinstance(source, str) or not _SOURCE.fullmatch(source):
        raise LinkageError("a source's name has letters, digits, dots, dashes and underscores only")


def read_tokens(paths: list[Path]) -> list[pa.Table]:
    """Token files as tables; raises LinkageError for what is not one."""
    tables = []
    for path in paths:
        try:
            tables.append(pq.read_table(path))
        except (OSError, pa.ArrowInvalid) as error:
            raise LinkageError(f"{path}: cannot be read as a file of tokens") from error
        Header.read(tables[-1], str(path))
    return tables


def together(tables: list[pa.Table], discovery: Discovery) -> list[Header]:
    """Headers of tables that may be matched; raises LinkageError, naming source and reason."""
    headers = [Header.read(t, f"table {i}") for i, t in enumerate(tables, 1)]
    if len(headers) < 2:
        raise LinkageError("give the tokens of two partners at least")
    for header, table in zip(headers, tables, strict=True):
        _check_header(header, headers[0], discovery)
        _check_columns(header, table, discovery)
    if len({h.source for h in headers}) < len(headers):
        raise LinkageError("two files of tokens have one source; give each partner's once")
    ids = pa.chunked_array([c for t in tables for c in t[ID].chunks], pa.string())
    if ids.null_count or len(ids.unique()) < len(ids):
        raise LinkageError("a token_id is missing or occurs more than once: a file was changed")
    return headers


def _check_header(header: Header, first: Header, discovery: Discovery) -> None:
    """Raise LinkageError unless a file has our epoch and parameters, and the first file's secret."""
    both = f"the tokens of '{header.source}'"
    if header.epoch != discovery.settings.epoch:
        raise LinkageError(
            f"{both} are of epoch {header.epoch}, the parameters of {discovery.settings.epoch}: "
            "ask that partner to tokenise for this epoch"
        )
    if header.parameters != discovery.fingerprint:
        raise LinkageError(
            f"{both} were made with other parameters ({header.parameters}, here "
            f"{discovery.fingerprint}): give all partners and the hub the same two files"
        )
    if header.secret_check != first.secret_check:
        raise LinkageError(
            f"{both} were made with another secret than those of '{first.source}' (key check "
            f"{header.secret_check} and {first.secret_check}): partners share one secret"
        )


def _check_columns(header: Header, table: pa.Table, discovery: Discovery) -> None:
    """Raise LinkageError unless a table has the columns and types of the plan."""
    types = {
        "token": pa.uint64(),
        "tokens": pa.list_(pa.uint64()),
        "filter": pa.binary(discovery.settings.filter_bytes),
    }
    wanted = {ID: pa.string()} | {i.name: types[i.shape] for i in plan(discovery)}
    found = dict(zip(table.column_names, table.schema.types, strict=True))
    wrong = sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))
    if wrong:
        raise LinkageError(
            f"the tokens of '{header.source}' have other columns than these parameters make "
            f"({', '.join(wrong)}): the file was changed, or made by another version"
        )
