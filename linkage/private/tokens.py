"""Token files: what a file says of itself, and the refusal to match files that do not belong together.

The header is JSON in the Parquet schema: format, source, epoch, fingerprint of the parameters and
key check value of the secret. Files are matched only when all but the source agree, and the hub's
own copy of the parameters has the fingerprint too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from linkage.errors import LinkageError
from linkage.private.secret import Secret
from linkage.private.settings import Discovery

_KEY = b"ffp-linkage-tokens"
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
        if found.format != FORMAT:
            raise LinkageError(f"{name}: format {found.format} of tokens is not known here")
        return found


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
    first = headers[0]
    for header in headers:
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
    sources = [h.source for h in headers]
    if len(set(sources)) < len(sources):
        raise LinkageError("two files of tokens have one source; give each partner's once")
    return headers
