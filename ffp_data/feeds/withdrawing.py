"""Takes out of the warehouse what no agreement covers any more, so that narrowing one is more than words.

A column that an agreement left out, or a contract dropped, is emptied. Of a table that no agreement
covers, or covers without what its rows are known and shown safely by, the rows leave, and the books
forget that they were read. The warehouse is then as if the deliveries had come under today's agreement;
once it is widened again, `replay` brings the columns back from the landing folder, and the next run the
tables. A feed of which nothing is covered stays as it is, shut out of everything that is made of feeds: its
agreement may only be suspended. Once it is withdrawn, and no hold keeps its rows, `remove_feed` takes them out, and
the books keep that they were here; they come in again with the next run when an agreement covers the feed anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from ffp_data.feeds import books
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.loading import remove_rows
from ffp_data.feeds.single_file import Allowed
from ffp_data.feeds.tables import attribute, identity_columns, raw_columns


@dataclass(frozen=True)
class Withdrawn:
    """What left one table: values of `columns`, or with no columns its `rows`."""

    table: str
    columns: tuple[str, ...] = ()
    rows: int = 0


def withdraw(
    con: duckdb.DuckDBPyConnection, contract: Contract, allowed: Allowed | None
) -> list[Withdrawn]:
    """Empties or removes what `allowed` (columns by table; None: all) does not cover, all or nothing."""
    if allowed is not None and not allowed:
        return []
    con.begin()
    try:
        found = [_withdraw_table(con, contract, table, allowed) for table in contract.tables]
    except BaseException:
        con.rollback()
        raise
    con.commit()
    return [one for one in found if one]


def remove_feed(con: duckdb.DuckDBPyConnection, contract: Contract, why: str) -> list[Withdrawn]:
    """Takes every row of a feed out of the warehouse, all or nothing; `why` goes to the books."""
    con.begin()
    try:
        found = [
            Withdrawn(table.name, rows=_remove_rows(con, contract, table))
            for table in contract.tables
        ]
        books.write_withdrawn(con, contract.id, why)
    except BaseException:
        con.rollback()
        raise
    con.commit()
    return [one for one in found if one.rows]


def has_rows(con: duckdb.DuckDBPyConnection, contract: Contract) -> bool:
    """Whether the warehouse holds rows of a feed."""
    names = [contract.raw_name(table) for table in contract.tables]
    return any(con.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in names)


def _remove_rows(con: duckdb.DuckDBPyConnection, contract: Contract, table: Table) -> int:
    names = [contract.raw_name(table)]
    names += [contract.identity_name(table)] if table.identity else []
    counts = [con.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,) for name in names]
    for name in names:
        con.execute(f"DELETE FROM {name}")
    return int(counts[0][0])


def _withdraw_table(
    con: duckdb.DuckDBPyConnection, contract: Contract, table: Table, allowed: Allowed | None
) -> Withdrawn | None:
    names = {p.name for p in table.properties}
    covered = names if allowed is None else names & set(allowed.get(table.name, ()))
    if not covered or not table.structural <= covered:
        rows = _remove_table(con, contract, table)
        return Withdrawn(table.name, rows=rows) if rows else None
    emptied = _empty(con, contract.raw_name(table), _kept_in_raw(table, covered))
    if table.identity:
        emptied += _empty(con, contract.identity_name(table), _kept_in_identity(table, covered))
    con.execute(
        "UPDATE meta.deliveries SET columns_dropped = greatest(columns_dropped, ?)"
        " WHERE feed = ? AND table_name = ? AND status = 'loaded' AND columns_dropped < ?",
        [len(names - covered), contract.id, table.name, len(names - covered)],
    )
    return Withdrawn(table.name, columns=tuple(emptied)) if emptied else None


def _kept_in_raw(table: Table, covered: Collection[str]) -> set[str]:
    left_out = {p.name for p in table.payload if p.name not in covered}
    return set(raw_columns(table)) - left_out


def _kept_in_identity(table: Table, covered: Collection[str]) -> set[str]:
    left_out = {attribute(p) for p in table.identity if p.name not in covered}
    return set(identity_columns(table)) - left_out


def _empty(con: duckdb.DuckDBPyConnection, name: str, kept: Collection[str]) -> list[str]:
    """Empties the columns of a table that are not `kept`; names those that held something."""
    columns = [column for column, *_ in con.execute(f"DESCRIBE {name}").fetchall()]
    filled = [
        column
        for column in columns
        if column not in kept
        and con.execute(f'SELECT 1 FROM {name} WHERE "{column}" IS NOT NULL LIMIT 1').fetchone()
    ]
    if filled:
        nothing = ", ".join(f'"{column}" = NULL' for column in filled)
        con.execute(f"UPDATE {name} SET {nothing}")
    return filled


def _remove_table(con: duckdb.DuckDBPyConnection, contract: Contract, table: Table) -> int:
    """Removes all rows of a table, and its lines in the books; how many rows there were."""
    (rows,) = con.execute(f"SELECT count(*) FROM {contract.raw_name(table)}").fetchone() or (0,)
    loaded = con.execute(
        "SELECT DISTINCT delivery_id FROM meta.deliveries"
        " WHERE feed = ? AND table_name = ? AND status = 'loaded'",
        [contract.id, table.name],
    ).fetchall()
    for (delivery_id,) in loaded:
        remove_rows(con, delivery_id, contract, table.name)
        books.forget_tables(con, delivery_id, contract.id, [table.name])
    return int(rows)
