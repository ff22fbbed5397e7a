"""At the partner: records in, a file of tokens out.

DuckDB standardises the columns and writes the texts of the plan; each distinct text is turned into
a token or a filter once. The rows of the file are in the order of their keyed ids, so that not even
the order of the records goes out. Columns of few values are refused unless salted: their tokens
could be told apart by counting. The file's metadata say with which parameters it was made.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage import tables
from linkage.derived import GROUPS
from linkage.equivalents import groups_table
from linkage.errors import LinkageError
from linkage.model import Model
from linkage.private import bloom
from linkage.private.plan import Item, plan
from linkage.private.secret import Secret
from linkage.private.settings import Discovery, tests_of
from linkage.private.tokens import ID, Header, check_source
from linkage.sql_text import identifier
from linkage.standardise import column_sql

_ID_BYTES = 16
_PLENTY = 5  # values of a small domain occur at least so often each before the domain is refused


@dataclass(frozen=True)
class Keys:
    """The partner's keys for one set of parameters."""

    secret: Secret
    discovery: Discovery

    @property
    def _context(self) -> str:
        return f"{self.discovery.settings.epoch}/{self.discovery.fingerprint}"

    def key(self, purpose: str) -> bytes:
        """The key of a purpose."""
        return self.secret.key(self._context, purpose)

    def record_ids(self, source: str, records: list[str]) -> list[str]:
        """Keyed ids of a partner's records: they stand for the records and say nothing of them."""
        key = self.key(f"record/{source}")
        return [hmac.digest(key, r.encode(), "sha256")[:_ID_BYTES].hex() for r in records]


def tokenise(
    records: pa.Table | Path | str, discovery: Discovery, secret: Secret, source: str
) -> pa.Table:
    """Tokens of all records, with ``Header`` in the metadata; raises LinkageError.

    Columns: ``token_id``, then those of the plan: tokens as unsigned 64-bit integers, lists of
    them, and filters as bytes of fixed size.
    """
    check_source(source)
    keys = Keys(secret, discovery)
    with (
        quietly(),
        duckdb.connect(":memory:", config={"threads": 2, "temp_file_encryption": "true"}) as con,
    ):
        read_records(con, records, discovery.linkage)
        _standardise(con, discovery.linkage)
        items = plan(discovery)
        texts = con.execute(_select(items)).to_arrow_table()
    columns: dict[str, Any] = {
        ID: pa.array(keys.record_ids(source, texts["_record_id"].to_pylist()), pa.string())
    }
    for item in items:
        columns[item.name] = _encode(item, texts, keys)
        _refuse_large(item, texts, discovery)
        _refuse_small(item, columns[item.name], discovery)
    header = Header.of(discovery, secret, source, texts.num_rows)
    return pa.table(columns).sort_by(ID).replace_schema_metadata(header.metadata())


def read_records(
    con: duckdb.DuckDBPyConnection, records: pa.Table | Path | str, model: Model
) -> None:
    """View ``input`` of the records, checked for the model's columns and for ids."""
    tables.register(con, records)
    present = {row[0] for row in con.execute("DESCRIBE input").fetchall()}
    wanted = {c.from_ or n for n, c in model.columns.items() if not c.first_of} | {model.record_id}
    if missing := sorted(wanted - present):
        raise LinkageError(f"the records have no column {', '.join(missing)}; add it, may be empty")
    name = identifier(model.record_id)
    counts = con.execute(f"SELECT count(*), count({name}), count(DISTINCT {name}) FROM input")
    rows, filled, distinct = counts.fetchone() or (0, 0, 0)
    if not rows == filled == distinct:
        raise LinkageError(
            f"column '{model.record_id}': {rows} records have {distinct} distinct ids and "
            f"{rows - filled} none; give each record one id of its own"
        )


@contextmanager
def quietly() -> Iterator[None]:
    """Turn DuckDB's errors into ours without their text, which may quote a line of the records."""
    try:
        yield
    except duckdb.Error as error:
        raise LinkageError(
            f"the records cannot be read ({type(error).__name__}): check quotes, columns and encoding"
        ) from None


def _standardise(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """View ``standard`` of the model's columns, cleaned by its steps, with groups of equivalents."""
    read = [
        f"{column_sql(c, identifier(c.from_ or n))} AS {n}"
        for n, c in model.columns.items()
        if not c.first_of
    ]
    stages = (
        f"SELECT {identifier(model.record_id)}::VARCHAR AS _record_id, {', '.join(read)} FROM input"
    )
    for name, column in model.columns.items():
        if column.first_of:
            stages = f"SELECT *, coalesce({', '.join(column.first_of)}) AS {name} FROM ({stages})"
    select, joins = "s.*", ""
    for grouped in sorted({t.equivalent for t in tests_of(model) if t.equivalent}):
        table = GROUPS.name(grouped)
        con.register(table, groups_table(con, model, grouped))
        joins += f" LEFT JOIN {table} ON {table}.value = s.{grouped}"
        select += f", list_sort({table}.groups::VARCHAR[]) AS {table}"
    con.execute(f"CREATE VIEW standard AS SELECT {select} FROM ({stages}) s{joins}")


def _select(items: tuple[Item, ...]) -> str:
    columns = [f"{item.sql} AS {item.name}" for item in items]
    columns += [f"{item.salt} AS {item.name}_salt" for item in items if item.salt]
    return f"SELECT _record_id, {', '.join(columns)} FROM standard"


def _encode(item: Item, texts: pa.Table, keys: Keys) -> pa.Array:
    """One column of the plan, from texts to tokens or filters."""
    column = texts[item.name].combine_chunks()
    if item.shape == "filter":
        return _filters(item, texts, keys)
    if item.shape == "token":
        return _tokens(column, keys.key(item.purpose))
    inner = _tokens(column.flatten(), keys.key(item.purpose))
    offsets = np.concatenate([[0], np.cumsum(_list_lengths(column))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), inner)


def _list_lengths(column: pa.ListArray) -> Any:
    return np.asarray(column.value_lengths().fill_null(0), dtype=np.int64)


def _tokens(column: pa.Array, key: bytes) -> pa.Array:
    coded = column.dictionary_encode()
    known = pa.array(bloom.tokens(coded.dictionary.to_pylist(), key), pa.uint64())
    return known.take(coded.indices)


def _filters(item: Item, texts: pa.Table, keys: Keys) -> pa.Array:
    """Filters of a column: one for each distinct pair of salt and text."""
    settings = keys.discovery.settings
    value = texts[item.name].combine_chunks()
    there = value.is_valid()
    salts = ["" for _ in range(len(value))]
    if item.salt:
        salt = texts[f"{item.name}_salt"].combine_chunks()
        there = pc.and_(there, salt.is_valid())
        salts = salt.to_pylist()
    rows = np.flatnonzero(np.asarray(there))
    numbers: dict[tuple[str, str], int] = {}
    every = value.to_pylist()
    code = np.array([numbers.setdefault((every[i], salts[i]), len(numbers)) for i in rows], int)
    made = bloom.filters(
        [v for v, _ in numbers], [s for _, s in numbers], keys.key(item.purpose), settings
    )[code]
    if settings.flip:
        ids = texts["_record_id"].to_pylist()
        noise = keys.key(f"noise/{item.name}")
        made = bloom.flip(made, [ids[i] for i in rows], noise, settings.flip)
    return _fixed_bytes(made, rows, len(value), settings.filter_bytes)


def _fixed_bytes(made: bloom.Bytes, rows: Any, count: int, width: int) -> pa.Array:
    """(rows, width) of bytes at their places among ``count``; null elsewhere."""
    place = np.full(count, -1)
    place[rows] = np.arange(len(rows))
    stored = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), len(made), [None, pa.py_buffer(np.ascontiguousarray(made))]
    )
    return stored.take(pa.array(place, pa.int64(), mask=place < 0))


def _refuse_large(item: Item, texts: pa.Table, discovery: Discovery) -> None:
    """Raise LinkageError for filters that are many enough under one salt to be read by their patterns."""
    if item.shape != "filter":
        return
    filled = texts.filter(texts[item.name].is_valid())
    largest = filled.num_rows
    if item.salt:
        counts = filled[f"{item.name}_salt"].drop_null().value_counts()
        largest = max((c["counts"].as_py() for c in counts), default=0)
    if largest > discovery.settings.largest_group:
        raise LinkageError(
            f"'{item.column}': {largest:,} records have filters under one salt, so many that names "
            "can be read from their patterns. Name a 'salt' of more values for it, or raise "
            "'largest_group' knowing what docs/linkage-privacy.md says of it"
        )


def _refuse_small(item: Item, column: pa.Array, discovery: Discovery) -> None:
    """Raise LinkageError for an unsalted column of few values, each of which occurs often."""
    if item.is_salted:
        return
    flat = column.flatten() if item.shape == "tokens" else column
    values, filled = len(flat.drop_null().unique()), len(flat) - flat.null_count
    if values < discovery.settings.smallest_domain and filled > _PLENTY * values > 0:
        raise LinkageError(
            f"'{item.column}' ({item.name}) has only {values} values in {filled:,} records: its "
            "tokens could be told apart by counting. Leave it out of the model, name a 'salt' for "
            "it, or lower 'smallest_domain'"
        )
