"""Tables of a return: made from its layout, so that marts, XML files and tests share one shape."""

from __future__ import annotations

import duckdb

from ffp_data.returns.layout import Layout


def create_tables(con: duckdb.DuckDBPyConnection, layout: Layout, schema: str) -> None:
    """Create the schema and any of the layout's tables that are missing, plus its header table."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for name, columns in table_columns(layout).items():
        body = ", ".join(f"{column} {kind}" for column, kind in columns)
        con.execute(f"CREATE TABLE IF NOT EXISTS {schema}.{name} ({body})")


def table_columns(layout: Layout) -> dict[str, tuple[tuple[str, str], ...]]:
    """Table name to (column, SQL type) pairs, header table first. All header values are text."""
    header = tuple((i.column, "VARCHAR") for group in layout.header for i in group.items)
    return {layout.header_table: header} | {t.name: t.columns for t in layout.tables}


def existing_tables(con: duckdb.DuckDBPyConnection, schema: str) -> frozenset[str]:
    """Names of tables and views in `schema` of the current database (or `database.schema`)."""
    database, _, name = schema.rpartition(".")
    rows = con.execute(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = ? AND table_catalog = coalesce(nullif(?, ''), current_database())",
        [name, database],
    ).fetchall()
    return frozenset(row[0] for row in rows)
