"""What we rely on in DuckDB, and what we step round: see docs/decisions/010-duckdb-ordered-inserts.md."""

from __future__ import annotations

import duckdb
import pytest


@pytest.mark.parametrize(
    ("order", "kept"), [("", 300_000), (" ORDER BY l", 0)], ids=["as it comes", "ordered"]
)
def test_an_ordered_insert_of_nothing_loses_the_bulk_insert_that_follows_it(
    order: str, kept: int
) -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE q (l BIGINT)")
        con.execute("CREATE TEMP TABLE t AS SELECT range AS l FROM range(300000)")
        con.begin()
        con.execute(f"INSERT INTO q SELECT l FROM t WHERE l = -2{order}")
        con.execute("INSERT INTO q SELECT l FROM t")
        con.commit()
        assert con.execute("SELECT count(*) FROM q").fetchone() == (kept,)
