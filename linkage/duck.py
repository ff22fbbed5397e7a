"""The DuckDB engine: records, blocking and comparison in one database in memory that may spill.

Table ``rec`` holds the coded records (``records``), table ``pair`` the compared pairs (``pairs``).
The spill lies in a folder that only this user can read, is encrypted with a key that exists only
while the engine is open, and is removed at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs
import pyarrow as pa

from linkage import pairs, records, tables
from linkage.engine import Grouped, Identities, Ints, Loaded, RuleSize
from linkage.model import Model


@dataclass(frozen=True)
class DuckEngine:
    """``linkage.engine.Engine`` over a DuckDB connection."""

    con: duckdb.DuckDBPyConnection
    model: Model
    loaded: Loaded

    def rule_sizes(self) -> list[RuleSize]:
        """Count what each rule would propose."""
        return pairs.rule_sizes(self.con, self.model)

    def patterns(self) -> Grouped:
        """Fill table ``pair`` and group it."""
        pairs.create_pairs(self.con, self.model, self.loaded.packing)
        return pairs.group_pairs(self.con)

    def random_patterns(self) -> Grouped:
        """Patterns of pairs that no rule chose."""
        return pairs.random_patterns(self.con, self.model, self.loaded.packing, self.loaded.count)

    def collision_probability(self, column: str) -> float:
        """Exact probability that two different records with a value agree on it."""
        return records.collision_probability(self.con, column)

    def survivors(self, patterns: Ints) -> tuple[Ints, Ints, Ints]:
        """The proposed pairs with these patterns."""
        return pairs.survivors(self.con, patterns)

    def compare(self, left: Ints, right: Ints) -> Ints:
        """Patterns of given pairs."""
        return pairs.compare_pairs(self.con, self.model, self.loaded.packing, left, right)

    def value_counts(self, column: str) -> Ints:
        """How many records have each record's value."""
        return records.value_counts(self.con, column)

    def values(self, column: str) -> pa.DictionaryArray:
        """Each record's value."""
        return records.values(self.con, column)

    def identities(self) -> Identities:
        """Ids and sources of the records."""
        return records.identities(self.con)


@contextmanager
def open_engine(
    source: pa.Table | Path | str, model: Model, threads: int = 2, memory_limit: str | None = None
) -> Iterator[DuckEngine]:
    """An engine with the records loaded (Arrow table, or path of a .parquet or .csv file).

    ``memory_limit`` (such as "2GB") bounds DuckDB, which then spills. Raises LinkageError.
    """
    with (
        tempfile.TemporaryDirectory(prefix="linkage-") as scratch,
        connect(scratch, threads, memory_limit) as con,
    ):
        with tables.reading(source):
            loaded = records.load(con, source, model)
        yield DuckEngine(con, model, loaded)


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
