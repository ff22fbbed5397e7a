"""What runs in the Python processes beside Spark's executors: DuckDB over Arrow batches.

Cleaning steps are regular expressions and date formats, and a level's edge is a similarity: two
libraries agree on these almost always, which is not enough for equal results. So these few
row-by-row functions are DuckDB's own here too, and all else is Spark SQL. This module is shipped
to the executors by value (``session``): it imports nothing of this package, and an executor needs
Python with duckdb and pyarrow, no copy of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

Batches = Iterator[pa.RecordBatch]

# An executor may neither fetch an extension nor write beside its working folder.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
}


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory with one thread, which keeps rows in order, and UTC."""
    con = duckdb.connect(":memory:", config=_CONFIG)
    con.execute("SET TimeZone = 'UTC'")
    return con


@dataclass(frozen=True)
class RowByRow:
    """A query that maps each row of ``input`` to one row, with the small tables that it looks up."""

    query: str
    tables: dict[str, pa.Table]

    def run(self, con: duckdb.DuckDBPyConnection, rows: pa.Table) -> pa.Table:
        """The query's answer for some rows."""
        con.register("input", rows)
        answer = con.execute(self.query).to_arrow_table()
        con.unregister("input")
        return answer

    def __call__(self, batches: Batches) -> Batches:
        """For ``mapInArrow``: batches in, batches out."""
        with connect() as con:
            for name, table in self.tables.items():
                con.register(name, table)
            for batch in batches:
                yield from self.run(con, pa.Table.from_batches([batch])).to_batches()
