"""Records as they come, one column at a time: an Arrow table, a Parquet file or a CSV file.

A column is read when it is needed and forgotten when it is coded, so that the text of a national
register never lies in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from linkage import tables
from linkage.errors import LinkageError
from linkage.sql_text import identifier

Codes = NDArray[np.int32]
# (connection, column, whether dictionaries are wanted where the file has them)
Read = Callable[[duckdb.DuckDBPyConnection, str, bool], pa.ChunkedArray]


def open_input(
    con: duckdb.DuckDBPyConnection,
    records: pa.Table | Path | str,
    check: Callable[[dict[str, str]], set[str]],
) -> Read:
    """The records. ``check`` takes the names and types (in DuckDB's words) of all columns, before
    anything is read, and gives those that will be read. Raises LinkageError."""
    tables.register(con, records)
    needed = check({row[0]: str(row[1]) for row in con.execute("DESCRIBE input").fetchall()})
    if isinstance(records, pa.Table):
        return lambda _, name, __: records.column(name)
    if Path(records).suffix.lower() == ".parquet":
        return _parquet(Path(records))
    # A CSV is parsed once, into a table of DuckDB, which may spill.
    columns = ", ".join(identifier(name) for name in sorted(needed))
    con.execute(f"CREATE OR REPLACE TABLE csv_in AS SELECT {columns} FROM input")
    return _read_csv


def _parquet(path: Path) -> Read:
    def read(_: duckdb.DuckDBPyConnection, name: str, coded: bool) -> pa.ChunkedArray:
        try:
            with pq.ParquetFile(path) as file:
                text = pa.types.is_string(file.schema_arrow.field(name).type)
            with pq.ParquetFile(path, read_dictionary=[name] if coded and text else None) as file:
                return file.read(columns=[name], use_threads=False).column(0)
        except (pa.ArrowException, OSError) as error:
            raise LinkageError(f"{path}: cannot be read as parquet") from error

    return read


def _read_csv(con: duckdb.DuckDBPyConnection, name: str, _: bool) -> pa.ChunkedArray:
    return con.execute(f"SELECT {identifier(name)} FROM csv_in").to_arrow_table().column(0)


def as_text(con: duckdb.DuckDBPyConnection, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values of any type as DuckDB writes them."""
    if pa.types.is_string(values.type):
        return values
    con.register("values_in", pa.table({"value": values}))
    try:
        text = con.execute("SELECT value::VARCHAR AS value FROM values_in").to_arrow_table()
    finally:
        con.unregister("values_in")
    return text["value"].cast(pa.string())


def coded(con: duckdb.DuckDBPyConnection, values: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """(number of each row's value or -1, the distinct values)."""
    if not len(values):  # of no dates at all Arrow can't make a dictionary
        kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
        return np.empty(0, dtype=np.int32), pa.array([], kind)
    if not pa.types.is_dictionary(values.type):
        try:
            values = values.dictionary_encode()
        except pa.ArrowNotImplementedError:  # lists and structures
            values = as_text(con, values).dictionary_encode()
    # As one piece: every call on a chunk would wait for threads that hold the interpreter.
    whole = values.combine_chunks()
    return np.asarray(whole.indices.fill_null(-1), dtype=np.int32), whole.dictionary
