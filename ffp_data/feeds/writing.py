"""Writes the staged rows of a delivery to the warehouse: payload, identity, and what was set aside."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from ffp_data.feeds.landing import Delivery
from ffp_data.feeds.remedies import remedy_sql
from ffp_data.feeds.source import Fault
from ffp_data.feeds.stage import Staged
from ffp_data.feeds.superseding import record_key
from ffp_data.feeds.tables import attribute, own_key
from ffp_data.sql_text import literal


def count_loadable(con: duckdb.DuckDBPyConnection, staged: Staged) -> int:
    query = f"SELECT count(*) FROM {staged.rows} WHERE {staged.loadable}"
    (count,) = con.execute(query).fetchone() or (0,)
    return int(count)


def insert_rows(con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged) -> int:
    """Writes the rows that nothing stands against; how many they are."""
    raw = {p.name: f"v_{p.name}" for p in staged.table.payload if p.name in staged.names}
    _insert_into(con, delivery, staged, staged.contract.raw_name(staged.table), raw)
    if staged.table.identity:
        target = staged.contract.identity_name(staged.table)
        _insert_into(con, delivery, staged, target, _identity_values(staged))
    return count_loadable(con, staged)


def write_faults(con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged) -> None:
    """One quarantine row for each row set aside, by its first fault; other faults are single values."""
    place = ", ".join(
        literal(x)
        for x in (delivery.delivery_id, delivery.feed, staged.table.name, staged.file_name)
    )
    remedy = remedy_sql(staged.contract, staged.table)
    element = "_element" if staged.element else "NULL::BIGINT"
    listed = (
        f"SELECT _line AS line, {element} AS element, unnest(_faults) AS fault,"
        " generate_subscripts(_faults, 1) AS place,"
        " CASE WHEN _bad THEN list_position(list_transform(_faults, lambda f: f.required), true) END AS main"
        f" FROM {staged.rows} WHERE _faults IS NOT NULL"
    )
    # Without ORDER BY: DuckDB 1.5 drops what a transaction inserts into a table in bulk after an ordered
    # insert that found nothing (see docs/decisions/010-duckdb-ordered-inserts.md).
    for target, condition in (("rows", "place = main"), ("values", "place IS DISTINCT FROM main")):
        con.execute(
            f'INSERT INTO quarantine.{target} SELECT {place}, line, fault."column", fault.rule,'
            f' fault."value", {remedy}, element FROM ({listed}) WHERE {condition}'
        )
    key = literal(", ".join(staged.table.key))
    con.execute(
        f"INSERT INTO quarantine.rows SELECT {place}, _line AS line, {key}, 'duplicate_key', NULL,"
        f" 'send each key once in a file; its first row was kept', {element} FROM {staged.rows}"
        f" WHERE rowid IN (SELECT row_id FROM {staged.left_out} WHERE rule = 'duplicate_key')"
    )
    if staged.faults:
        # At once: a file may be nothing but faults, and as long as any other.
        names = ("line", "column", "rule", "value", "remedy", "element")
        columns = zip(*map(_fault_row, staged.faults), strict=True)
        types = (pa.int64(), *[pa.string()] * 4, pa.int64())
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        con.register("_faults", pa.table(arrays, names=names))
        con.execute(f"INSERT INTO quarantine.rows SELECT {place}, * FROM _faults")
        con.unregister("_faults")


def check_written(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged, loaded: int, set_aside: int
) -> None:
    """Raises RuntimeError when the tables do not hold what the books will say, whatever the cause."""
    expected = {staged.contract.raw_name(staged.table): loaded}
    if staged.table.identity:
        expected[staged.contract.identity_name(staged.table)] = loaded
    counts = [(f"{name} WHERE _delivery_id = $1", n) for name, n in expected.items()]
    quarantine = (
        f"quarantine.rows WHERE delivery_id = $1 AND table_name = {literal(staged.table.name)}"
    )
    for place, wanted in [*counts, (quarantine, set_aside)]:
        found = con.execute(f"SELECT count(*) FROM {place}", [delivery.delivery_id]).fetchone()
        if found != (wanted,):
            raise RuntimeError(
                f"{staged.file_name}: {place.split(' ')[0]} holds {found} rows of the delivery instead of"
                f" {wanted}; nothing of it was kept"
            )


def _fault_row(fault: Fault) -> list[object]:
    return [fault.line, fault.column, fault.rule, fault.value, fault.remedy, fault.element]


def _identity_values(staged: Staged) -> dict[str, str]:
    table = staged.table
    values = {name: f"v_{name}" for name in own_key(table)}
    values |= {attribute(p): f"v_{p.name}" for p in table.identity if p.name in staged.names}
    for prop in table.identity:
        if prop.identifier_type:
            values["identifier_type"] = f"v_{prop.identifier_type}"
    return values | ({"_latest": f"v_{table.latest_by}"} if table.latest_by else {})


def _insert_into(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    staged: Staged,
    target: str,
    values: Mapping[str, str],
) -> None:
    every = {
        "record_key": record_key(staged),
        **values,
        "_delivery_id": literal(delivery.delivery_id),
        "_line": "_line",
        **({"_element": "_element"} if staged.element else {}),
    }
    columns = ", ".join(f'"{name}"' for name in every)
    con.execute(
        f"INSERT INTO {target} ({columns}) SELECT {', '.join(every.values())}"
        f" FROM {staged.rows} WHERE {staged.loadable}"
    )
