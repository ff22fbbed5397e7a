"""Installs the checks as macros in a DuckDB connection (see ``macros.sql``)."""

from __future__ import annotations

from importlib import resources

import duckdb


def install_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Create or replace the macros; they are temporary and end with the connection."""
    connection.execute(resources.files(__package__).joinpath("macros.sql").read_text("utf-8"))
