"""Books of deliveries, written by hand into the warehouse of a test: which feed gave what, and what was not let in."""

from __future__ import annotations

import duckdb

from ffp_data.feeds import create_empty_raw_tables, load_contracts
from ffp_data.feeds.landing import time_in_name

SOURCES = ("case_system", "early_help", "education_attendance")
"""The feeds that returns rest on."""


def every_source(con: duckdb.DuckDBPyConnection) -> None:
    """Let each feed that returns rest on have delivered one row: `d1` the case system, and so on."""
    create_empty_raw_tables(con, load_contracts())
    for number, feed in enumerate(SOURCES, 1):
        deliver(con, feed, f"{feed}_20260301.csv", "loaded", number)


def deliver(
    con: duckdb.DuckDBPyConnection,
    feed: str,
    file: str,
    status: str,
    number: int,
    why: str | None = "",
) -> None:
    """Write down what became of a file, as loading does; a higher number was met later."""
    con.execute(
        "INSERT INTO meta.deliveries (delivery_id, feed, file_name, received_seq, delivered_at, status, reason,"
        " rows_delivered, rows_loaded, rows_quarantined, rows_superseded, columns_dropped)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 1, ($6 = 'loaded')::INTEGER, 0, 0, 0)",
        [f"d{number}", feed, file, number, time_in_name(file), status, why],
    )
