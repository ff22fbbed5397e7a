"""The warehouse tables that feeds fill: raw payload, identity parts, deliveries and quarantine.

Beside the counts of `meta.deliveries` the books hold which part of the world each snapshot spoke for
(`snapshot_scopes`), who let a held delivery in (`acceptances`), and which deliveries must be read again
because what had taken their rows' place was retracted (`to_reload`). Every table of every contract
exists from the start, so that what reads them need not ask whether a feed has ever delivered; a column
added to a contract is added to its table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from ffp_data.feeds.columns import SQL_TYPES
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property, Table

_BOOKS = """
CREATE SCHEMA IF NOT EXISTS raw;
CREATE SCHEMA IF NOT EXISTS identity;
CREATE SCHEMA IF NOT EXISTS quarantine;
CREATE SCHEMA IF NOT EXISTS meta;
CREATE TABLE IF NOT EXISTS meta.deliveries (
    delivery_id VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    table_name VARCHAR,
    file_name VARCHAR NOT NULL,
    received_seq BIGINT NOT NULL,
    delivered_at TIMESTAMP,
    rows_delivered BIGINT NOT NULL,
    rows_loaded BIGINT NOT NULL,
    rows_quarantined BIGINT NOT NULL,
    rows_superseded BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    reason VARCHAR,
    columns_dropped INTEGER NOT NULL,
    notes VARCHAR,
    scope VARCHAR
);
ALTER TABLE meta.deliveries ADD COLUMN IF NOT EXISTS scope VARCHAR;
CREATE TABLE IF NOT EXISTS meta.snapshot_scopes (
    delivery_id VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL,
    delivered_at TIMESTAMP NOT NULL,
    received_seq BIGINT NOT NULL,
    part_of VARCHAR,
    scope VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    is_held BOOLEAN NOT NULL
);
CREATE TABLE IF NOT EXISTS meta.acceptances (
    delivery_id VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    accepted_by VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS meta.to_reload (delivery_id VARCHAR NOT NULL, feed VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS quarantine.rows (
    delivery_id VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL,
    line BIGINT NOT NULL,
    column_name VARCHAR,
    rule VARCHAR NOT NULL,
    value_redacted VARCHAR,
    remedy VARCHAR NOT NULL,
    element BIGINT
);
CREATE TABLE IF NOT EXISTS quarantine.values AS FROM quarantine.rows LIMIT 0;
ALTER TABLE quarantine.rows ADD COLUMN IF NOT EXISTS element BIGINT;
ALTER TABLE quarantine.values ADD COLUMN IF NOT EXISTS element BIGINT;
"""


def create_empty_raw_tables(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> None:
    """Makes every table and column that the contracts declare and that is not there yet."""
    con.execute(_BOOKS)
    present = _present(con)
    for contract in contracts.values():
        for table in contract.tables:
            _create(con, contract.raw_name(table), raw_columns(table), present)
            if table.identity:
                _create(con, contract.identity_name(table), identity_columns(table), present)


def rebuild_table(
    con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], selects: Iterable[str]
) -> int:
    """Replaces a table by the union of `selects`, in an order that depends on the rows alone; counts them."""
    declared = ", ".join(f"{column} {sql_type}" for column, sql_type in columns.items())
    con.execute(f"CREATE OR REPLACE TABLE {name} ({declared})")
    if rows := " UNION ALL BY NAME ".join(f"({select})" for select in selects):
        con.execute(f"INSERT INTO {name} BY NAME SELECT * FROM ({rows}) ORDER BY ALL")
    (count,) = con.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,)
    return int(count)


def raw_columns(table: Table) -> dict[str, str]:
    """Column name -> SQL type of raw.<feed>__<table>."""
    return {
        "record_key": "VARCHAR",
        **{p.name: SQL_TYPES[p.logical_type] for p in table.payload},
        **_provenance(table),
    }


def identity_columns(table: Table) -> dict[str, str]:
    """Column name -> SQL type of identity.<feed>__<table>, the part of a record that says who it is.

    Where the record key does not tell one row from another, the key's columns stand here too.
    """
    attributes = {attribute(p): SQL_TYPES[p.logical_type] for p in table.identity}
    types = {"identifier_type": "VARCHAR"} if "identifier_value" in attributes else {}
    latest = {"_latest": _type(table, table.latest_by)} if table.latest_by else {}
    return {
        "record_key": "VARCHAR",
        **own_key(table),
        **types,
        **attributes,
        **latest,
        **_provenance(table),
    }


def own_key(table: Table) -> dict[str, str]:
    """The key columns, with types, that a row needs beside its record key; empty when it needs none."""
    if set(table.key) == set(table.record_key):
        return {}
    return {name: _type(table, name) for name in table.key}


def attribute(prop: Property) -> str:
    """Name of the identity column that a property fills."""
    return prop.person or "identifier_value"


def _provenance(table: Table) -> dict[str, str]:
    element = {"_element": "BIGINT"} if table.is_numbered else {}
    return {"_delivery_id": "VARCHAR", "_line": "BIGINT", **element}


def _type(table: Table, name: str) -> str:
    return SQL_TYPES[table.by_name[name].logical_type]


def _present(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Columns of the tables that are there, by the name under which contracts know the table."""
    found: dict[str, set[str]] = {}
    query = (
        "SELECT schema_name, table_name, column_name FROM duckdb_columns()"
        " WHERE database_name = current_database() AND schema_name IN ('raw', 'identity')"
    )
    for schema, table, column in con.execute(query).fetchall():
        found.setdefault(f'{schema}."{table}"', set()).add(column)
    return found


def _create(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, str],
    present: Mapping[str, set[str]],
) -> None:
    declared = {column: f'"{column}" {sql_type}' for column, sql_type in columns.items()}
    if name not in present:
        con.execute(f"CREATE TABLE {name} ({', '.join(declared.values())})")
        return
    for column, declaration in declared.items():
        if column not in present[name]:
            con.execute(f"ALTER TABLE {name} ADD COLUMN {declaration}")
