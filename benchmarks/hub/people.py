"""A month's records as the hub links them: cleaned by the hub's own SQL, in the columns of person records."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from ffp_data.feeds.people import CLEANED, PERSON_COLUMNS, install_cleaners
from ffp_data.identifiers import install_macros

Pair = tuple[str, str]


def person_records(raw: pa.Table) -> pa.Table:
    """Rows of identity.person_records, ordered by record_key; NHS numbers kept for tests count as valid."""
    with duckdb.connect() as con:
        con.execute("SET threads = 2")
        install_macros(con)
        install_cleaners(con, allow_test_numbers=True)
        con.register("raw", raw)
        return con.execute(f"SELECT {_columns(raw)} FROM raw ORDER BY record_key").to_arrow_table()


def _columns(raw: pa.Table) -> str:
    here = {
        c: CLEANED.get(c, "{}").format(c) if c in raw.column_names else "NULL"
        for c in PERSON_COLUMNS
    }
    return ", ".join(f"({here[c]})::{kind} AS {c}" for c, kind in PERSON_COLUMNS.items())


def merged_by_sender(raw: pa.Table) -> list[Pair]:
    """Records that their sender merged into another, as sorted pairs; the pipeline links them for certain."""
    names = zip(raw["record_key"].to_pylist(), raw["replaced_by"].to_pylist(), strict=True)
    return sorted((min(a, b), max(a, b)) for a, b in names if b)
