"""The engine on one machine: records and blocks as arrays of integers, text in DuckDB.

The coded records (``records``) and the blocks (``blocking``) lie in memory; text is standardised and
compared by DuckDB (``coding``, ``values``), integers by NumPy (``levels``); the pairs lie in a table of
DuckDB that may spill (``pairs``). The spill lies in a folder that only this user can read, is
encrypted with a key that exists only while the engine is open, and is removed at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs
import numpy as np
import pyarrow as pa

from linkage import pairs, tables
from linkage.blocking import Blocks, make_blocks
from linkage.engine import Grouped, Identities, Ints, Loaded, RuleSize
from linkage.equivalents import groups_of
from linkage.levels import Kernel, make_kernel
from linkage.model import Model
from linkage.records import Records, load
from linkage.values import Values


@dataclass
class DuckEngine:
    """``linkage.engine.ValueEngine`` over coded records and a DuckDB connection."""

    con: duckdb.DuckDBPyConnection
    model: Model
    records: Records
    threads: int
    _store: pairs.PairStore | None = None

    @property
    def loaded(self) -> Loaded:
        """What is known of the records."""
        return self.records.loaded

    @cached_property
    def _blocks(self) -> Blocks:
        records = self.records
        return make_blocks(
            self.model, records.codes, records.spaces, records.loaded.count, self.threads
        )

    @cached_property
    def _kernel(self) -> Kernel:
        def groups(column: str, values: pa.Array) -> pa.ListArray:
            return groups_of(self.con, self.model, column, values)

        values = Values(self.con, self.records.spaces, groups)
        return make_kernel(self.records, values, self.con)

    def rule_sizes(self) -> list[RuleSize]:
        """Count what each rule would propose."""
        return self._blocks.sizes(self.model)

    def patterns(self) -> Grouped:
        """Propose, compare, keep and group all pairs."""
        self._store = pairs.store_pairs(self.con, self._blocks, self._kernel, self.threads)
        return self._store.tally.grouped()

    def random_patterns(self) -> Grouped:
        """Patterns of pairs that no rule chose."""
        wanted = self.model.estimation.random_pairs
        return pairs.random_patterns(
            self._blocks, self._kernel, self.loaded.count, wanted, self.threads
        )

    def collision_probability(self, column: str) -> float:
        """Exact probability that two different records with a value agree on it."""
        return self.records.collision_probability(column)

    def survivors(self, patterns: Ints) -> tuple[Ints, Ints, Ints]:
        """The proposed pairs with these patterns."""
        if self._store is None:
            self.patterns()
        assert self._store is not None
        return self._store.with_patterns(patterns)

    def compare(self, left: Ints, right: Ints) -> Ints:
        """Patterns of given pairs."""
        return pairs.compare_pairs(self._kernel, left, right, self.threads)

    def value_counts(self, column: str) -> Ints:
        """How many records have each record's value."""
        return self.records.value_counts(column)

    def values(self, column: str) -> pa.DictionaryArray:
        """Each record's value."""
        return self.records.values(column)

    def numbers(self, column: str) -> Ints:
        """A number for each record's value."""
        return self.records.codes[column].astype(np.int64)

    def identities(self) -> Identities:
        """Ids and sources of the records."""
        return self.records.identities


@contextmanager
def open_engine(
    source: pa.Table | Path | str, model: Model, threads: int = 2, memory_limit: str | None = None
) -> Iterator[DuckEngine]:
    """An engine with the records loaded (Arrow table, or path of a .parquet or .csv file).

    ``memory_limit`` (such as "2GB") bounds DuckDB, which then spills; the coded records, about 200
    bytes each, lie in memory besides. Raises LinkageError.
    """
    with (
        tempfile.TemporaryDirectory(prefix="linkage-") as scratch,
        connect(scratch, threads, memory_limit) as con,
    ):
        with tables.reading(source):
            records = load(con, source, model, threads)
        yield DuckEngine(con, model, records, threads)


def connect(scratch: str, threads: int, memory_limit: str | None) -> duckdb.DuckDBPyConnection:
    """A database in memory whose spill is encrypted with a key that exists only while it runs."""
    config: dict[str, Any] = {"threads": threads, "temp_directory": scratch}
    if memory_limit:
        config["memory_limit"] = memory_limit
    con = duckdb.connect(":memory:", config=config)
    # DuckDB encrypts only through OpenSSL, which the httpfs extension carries.
    extension = next(Path(duckdb_extension_httpfs.__file__).parent.rglob("*.duckdb_extension"))
    con.load_extension(str(extension))
    con.execute("SET temp_file_encryption = true")
    return con
