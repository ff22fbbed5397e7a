"""What the models of a project read, kept from one run to the next: planning them takes longer than any other check.

Only what the engine said is kept, never a verdict: purposes, agreements and doors are asked in each run. The answer is
kept for the *whole* project, under a digest of all that it hangs on: each model's compiled SQL, the columns of each
stored table in their order, which relations count as stored, the programs that examine, the engine's version and
settings. There is no key for one model, since what a model stands on can be named in the text of `query()`, where no
parser of names finds it.

A file is believed when its first line is the digest of that key and of the rest, and when nobody but its owner, who is
the user of this process, may write it. Any other file counts as none. docs/decisions/042.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from governance import build_gate, readset, syntax
from governance.build_gate import Examined, Model, Table, examined
from governance.canonical import canonical_bytes, digest, sha256_hex
from governance.files import replacing, sha256_of_file
from governance.readset import Column


@dataclass(frozen=True)
class KeptReads:
    """Answers of `examined` in a folder that holds sixteen of them: one for each first digit of their keys."""

    folder: Path

    def examined(
        self,
        models: Sequence[Model],
        columns: Mapping[Table, Mapping[str, str]],
        solid: frozenset[Table],
    ) -> Examined:
        """What `examined` says, from the file where one is to be believed; else asked and kept."""
        key = key_of(models, columns, solid)
        file = self.folder / f"columns-read-{key[0]}"
        if (body := _believed(file, key)) is not None:
            return _loaded(body, models)
        seen = examined(models, columns, solid)
        if _is_clean(seen) and os.access(self.folder, os.W_OK):
            body = _plain(seen)
            with replacing(file) as handle:
                handle.write(_stamp(key, body) + b"\n" + body)
        return seen


def key_of(
    models: Sequence[Model], columns: Mapping[Table, Mapping[str, str]], solid: frozenset[Table]
) -> str:
    """A digest of all that the answer hangs on; the order of models and of columns counts."""
    asked = {
        "models": [[*each.table, each.sql, each.language, each.besides] for each in models],
        "columns": [[*table, list(types.items())] for table, types in columns.items()],
        "solid": sorted(solid),
        "engine": _engine(),
        "programs": _programs(),
    }
    return digest(asked)


def _engine() -> list[tuple[str, str]]:
    """Version and settings of the engine in this process: the time zone, for one, can decide what a constant is."""
    with duckdb.connect(":memory:") as con:
        told = con.execute("SELECT name, value FROM duckdb_settings() ORDER BY name").fetchall()
    return [("version", duckdb.__version__), *told]


@cache
def _programs() -> list[str]:
    files = (build_gate.__file__, readset.__file__, syntax.__file__, __file__)
    return [sha256_of_file(Path(file)) for file in files]


def _is_clean(seen: Examined) -> bool:
    """Whether every model stands and was read: what was refused is examined again each time."""
    return not seen.refused and all(isinstance(read, frozenset) for read in seen.reads.values())


def _believed(file: Path, key: str) -> bytes | None:
    """The body of a file that this user alone may write and that was kept under the key; else None."""
    try:
        about = file.lstat()
    except FileNotFoundError:
        return None
    ours = stat.S_ISREG(about.st_mode) and about.st_uid == os.geteuid()
    if not ours or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return None
    stamp, _, body = file.read_bytes().partition(b"\n")
    return body if stamp == _stamp(key, body) else None


def _stamp(key: str, body: bytes) -> bytes:
    return digest([key, sha256_hex(body)]).encode()


def _plain(seen: Examined) -> bytes:
    return canonical_bytes(
        {sha256_hex(sql.encode()): sorted(seen.columns_of(sql)) for sql in seen.reads}
    )


def _loaded(body: bytes, models: Sequence[Model]) -> Examined:
    kept = json.loads(body)
    reads = {
        model.sql: frozenset(Column(*each) for each in kept[sha256_hex(model.sql.encode())])
        for model in models
    }
    return Examined((), reads)
