"""What an incremental run starts from: the records with their blocking keys, pairs, clusters, a fit.

A state is a folder. It holds the records' own columns and is to be guarded as they are; only its
owner can read it. It is replaced as a whole: files are written beside it and moved into place
together. It belongs to one model, with its tables of equivalents, and one version of DuckDB (whose
hash makes the keys); for another, start again with the fit that it holds.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from linkage.checks import needed_columns
from linkage.decisions import Link
from linkage.engine import Bools
from linkage.equivalents import equivalents_path
from linkage.errors import LinkageError
from linkage.fitted import Fitted
from linkage.linker import LinkResult
from linkage.model import Model
from linkage.moves import as_it_was
from linkage.packing import Packing
from linkage.score import Scored
from linkage.spec import Key
from linkage.sql_text import identifier
from linkage.standardise import column_sql, part_sql

FORMAT = 1
ID = "__record_id"
PLACE = "__place"  # hash of the value by which moves are known
RECORDS, COMPARED, NAMES = "records.parquet", "compared.parquet", "clusters.parquet"
PARAMETERS, STATE = "parameters.json", "state.json"


class StateFile(BaseModel):
    """``state.json``: what the other files belong to, and the reviewers' decisions in force."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    digest: str
    must_link: list[Link]
    cannot_link: list[Link]


@dataclass(frozen=True)
class State:
    """An opened state."""

    folder: Path
    fitted: Fitted
    must_link: set[Link]
    cannot_link: set[Link]

    @property
    def records(self) -> Path:
        """The records with their keys, in the order of their ids."""
        return self.folder / RECORDS

    def compared(self) -> tuple[Scored, Bools]:
        """Scored pairs, by record number, and which of them the rules proposed."""
        table = pq.read_table(self.folder / COMPARED)
        columns = {f.name: table[f.name].to_numpy() for f in fields(Scored)}
        columns |= {side: columns[side].astype(np.int64) for side in ("left", "right")}
        return Scored(**columns), table["proposed"].to_numpy()

    def clusters(self) -> pa.Table:
        """record_id, cluster_id."""
        return pq.read_table(self.folder / NAMES)


def open_state(folder: Path | str, model: Model) -> State:
    """Open a state; raises LinkageError if it is none, or another model's."""
    path = Path(folder)
    try:
        file = StateFile.model_validate_json((path / STATE).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise LinkageError(f"{path}: not the state of a linkage; make one with 'start'") from error
    if file.format != FORMAT or file.digest != state_digest(model):
        raise LinkageError(
            f"{path}: made with another version of the model, its tables or DuckDB; start again "
            "from all records, with the parameters in this folder if weights are to stay"
        )
    fitted = Fitted.load(path / PARAMETERS, model)
    return State(path, fitted, set(file.must_link), set(file.cannot_link))


@contextmanager
def new_state(folder: Path | str) -> Iterator[Path]:
    """A folder to write into, which takes the place of ``folder`` when all went well."""
    target = Path(folder).absolute()
    if target.exists() and not (target / STATE).is_file():
        raise LinkageError(f"{target}: exists and is not the state of a linkage; name another")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        new = Path(scratch) / "new"
        new.mkdir(mode=0o700)
        yield new
        if target.exists():
            target.rename(Path(scratch) / "old")
        shutil.move(new, target)


def write_state(
    folder: Path, model: Model, result: LinkResult, must_link: set[Link], cannot_link: set[Link]
) -> None:
    """Write all but the records."""
    assert result.fitted is not None
    found = result.outcome.assembled
    scored = as_it_was(found.scored, result.outcome.before, len(found.labels))
    within = found.before[scored.left] == found.before[scored.right]
    chosen = within | scored.at_least(model.thresholds.review)
    kept = scored.take(chosen)
    whole = Packing(model.comparisons)
    columns = {f.name: getattr(kept, f.name) for f in fields(Scored)}
    columns["proposed"] = found.proposed[chosen]
    columns["pattern"] = whole.pack(whole.levels_from(kept.pattern, found.packing))
    columns |= {side: columns[side].astype(np.int32) for side in ("left", "right")}
    pq.write_table(pa.table(columns), folder / COMPARED)
    pq.write_table(result.clusters, folder / NAMES)
    result.fitted.save(folder / PARAMETERS)
    file = StateFile(
        format=FORMAT,
        digest=state_digest(model),
        must_link=sorted(must_link),
        cannot_link=sorted(cannot_link),
    )
    (folder / STATE).write_text(file.model_dump_json(indent=1) + "\n", encoding="utf-8")


def state_digest(model: Model) -> str:
    """Names everything that a state depends on besides the records."""
    content = json.dumps(
        model.model_dump(mode="json", exclude_defaults=True), sort_keys=True
    ).encode()
    tables = [equivalents_path(model, t).read_bytes() for t in sorted(model.equivalents)]
    whole = hashlib.sha256(b"\0".join([content, *tables, duckdb.__version__.encode()]))
    return whole.hexdigest()[:16]


def kept_columns(model: Model) -> list[str]:
    """The input's columns that a state keeps."""
    return sorted(needed_columns(model))


def key_joins(model: Model) -> list[tuple[str, str]]:
    """(key column of one record, of the other) for each rule, both ways round for a crossed one."""
    joins = []
    for index, rule in enumerate(model.blocking):
        own, other = f"__k{index}", f"__k{index}x"
        joins += [(own, other), (other, own)] if rule.with_ else [(own, own)]
    return joins


def keyed_sql(model: Model, source: str) -> str:
    """The kept columns, the id as text and the blocking keys of the records in ``source``."""
    kept = [identifier(c) for c in kept_columns(model)]
    read = [
        f"{column_sql(c, identifier(c.from_ or name))} AS {_standard(name)}"
        for name, c in model.columns.items()
        if not c.first_of
    ]
    made = [
        f"coalesce({', '.join(map(_standard, _members(model, name)))}) AS {_standard(name)}"
        for name, c in model.columns.items()
        if c.first_of
    ]
    parts = {(k.column, k.part) for r in model.blocking for k in (*r.equal, *r.other) if k.part}
    named = [f"{part_sql(p, _standard(c))} AS {_standard(c, p)}" for c, p in sorted(parts)]
    keys = []
    for index, rule in enumerate(model.blocking):
        own = _key_sql(rule.equal)
        if rule.where_missing:
            own = f"CASE WHEN {_standard(rule.where_missing)} IS NULL THEN {own} END"
        keys.append(f"{own} AS __k{index}")
        if rule.with_:
            keys.append(f"{_key_sql(rule.with_)} AS __k{index}x")
    if model.moves is not None:
        place = _standard(str(model.moves.moved))
        keys.append(f"CASE WHEN {place} IS NOT NULL THEN hash({place}) END AS {PLACE}")
    text = f"{identifier(model.record_id)}::VARCHAR AS {ID}"
    # Each step is a subquery of its own, so that what several keys read is written only once.
    return (
        f"SELECT {', '.join([*kept, ID, *keys])} FROM (SELECT {', '.join(['*', *named])} FROM "
        f"(SELECT {', '.join(['*', *made])} FROM (SELECT {', '.join([*kept, text, *read])} FROM {source})))"
    )


def _standard(column: str, part: str | None = None) -> str:
    return f"__s_{column}__{part}" if part else f"__s_{column}"


def _members(model: Model, name: str) -> list[str]:
    first_of = model.columns[name].first_of
    return [m for c in first_of for m in _members(model, c)] if first_of else [name]


def _key_sql(keys: tuple[Key, ...]) -> str:
    """A 64-bit hash of the components; NULL when one is missing. A collision only adds a pair."""
    parts = [_standard(k.column, k.part) for k in keys]
    present = " AND ".join(f"{p} IS NOT NULL" for p in parts)
    return f"CASE WHEN {present} THEN hash({', '.join(parts)}) END"
