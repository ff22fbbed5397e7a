"""The rows that an agreement gave, laid out otherwise in a scratch warehouse: left out, or with other values.

`drop` shows what would be stored had the deliveries never been covered. `poison` keeps every row and its place
(record key, delivery, line) and replaces each value that the agreement gives by another of its type; values that
are missing stay missing. Codes are replaced by other codes that occur, so that rows still pass as what they were.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ffp_data import feeds
from ffp_data.feeds import Contract, books
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.loading import Terms, load_all
from ffp_data.feeds.tables import attribute
from ffp_data.sql_text import literals
from ffp_data.withdrawal.scope import Scope, covered
from ffp_data.withdrawal.scratch import HOME, qualified, show
from governance.grants import Grants
from governance.syntax import quoted

_MOST_CODES = 100
"""The codes of a column with more than so many of them are replaced like other texts."""
_STORED = "stored__"


@dataclass(frozen=True)
class Half:
    """A stored table of a feed, payload or identity: its name, and which columns the agreement gives."""

    name: str
    given: tuple[str, ...]
    coded: frozenset[str]
    is_whole: bool
    """Nothing, or too little, of the table is covered by others: without the agreement its rows leave."""


def halves(scope: Scope, contracts: Mapping[str, Contract], without: Grants) -> Iterator[Half]:
    """The stored tables that an agreement fills; `without`: the grants that remain when it ends."""
    for (feed, name), columns in scope.columns.items():
        if feed not in contracts or name not in contracts[feed].by_name:
            continue
        contract, table = contracts[feed], contracts[feed].by_name[name]
        kept = covered(without, contract).get(name, frozenset())
        is_whole = not kept or not table.structural <= kept
        yield from _halves_of(contract, table, set(columns) - kept, is_whole)


def _halves_of(
    contract: Contract, table: Table, lost: Collection[str], is_whole: bool
) -> Iterator[Half]:
    payload = tuple(p.name for p in table.payload if p.name in lost)
    coded = frozenset(p.name for p in table.payload if p.codes)
    yield Half(contract.raw_name(table).replace('"', ""), payload, coded, is_whole)
    if table.identity:
        given = tuple(dict.fromkeys(attribute(p) for p in table.identity if p.name in lost))
        coded = frozenset(attribute(p) for p in table.identity if p.codes)
        yield Half(contract.identity_name(table).replace('"', ""), given, coded, is_whole)


def drop(con: duckdb.DuckDBPyConnection, half: Half) -> None:
    """Show a table without what the agreement gave."""
    stored = f"{HOME}.{qualified(half.name)}"
    if half.is_whole:
        show(con, half.name, f"SELECT * FROM {stored} WHERE false")
        return
    types = _types(con, stored)
    nothing = {name: f"NULL::{types[name]}" for name in half.given if name in types}
    show(con, half.name, _replaced(stored, nothing))


def poison(con: duckdb.DuckDBPyConnection, half: Half, stored: str) -> tuple[str, ...]:
    """Show the rows of the table `stored` with other values; gives columns whose type has no other value."""
    types = _types(con, stored)
    others = {
        name: _another(con, stored, name, types[name], is_coded=name in half.coded)
        for name in half.given
        if name in types
    }
    unchanged = tuple(name for name, expression in others.items() if expression is None)
    show(con, half.name, _replaced(stored, {n: e for n, e in others.items() if e}))
    return unchanged


def stored_rows(con: duckdb.DuckDBPyConnection, half: Half) -> str | None:
    """Where the rows of a table lie: in the home, or as `read_again` put them; None when nowhere."""
    schema, _, table = half.name.partition(".")
    again = qualified(f"{schema}.{_STORED}{table}")
    for place in (f"{HOME}.{qualified(half.name)}", again):
        if _exists(con, place) and con.execute(f"SELECT 1 FROM {place} LIMIT 1").fetchone():
            return place
    return None


def read_again(
    con: duckdb.DuckDBPyConnection, landing: Path, contract: Contract, terms: Terms
) -> int:
    """Load the deliveries of a feed from the landing folder into the scratch; how many there were.

    For a feed whose rows left the warehouse when its agreement was withdrawn.
    """
    names = [contract.raw_name(table) for table in contract.tables]
    names += [contract.identity_name(table) for table in contract.tables if table.identity]
    for name in names:
        con.execute(f"DROP VIEW IF EXISTS {name}")
    feeds.create_empty_raw_tables(con, {contract.id: contract})
    books.forget_withdrawn(con, contract.id)
    new = feeds.discover_feed(landing, contract, terms.known or {}, con)
    load_all(con, new, contract, terms)
    for name in names:
        schema, _, table = name.replace('"', "").partition(".")
        con.execute(f"ALTER TABLE {name} RENAME TO {quoted(_STORED + table)}")
        again = qualified(f"{schema}.{_STORED}{table}")
        show(con, f"{schema}.{table}", f"SELECT * FROM {again} WHERE false")
    return len(new)


def _replaced(stored: str, expressions: Mapping[str, str]) -> str:
    replaced = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in expressions.items())
    return f"SELECT *{f' REPLACE ({replaced})' if replaced else ''} FROM {stored}"


def _another(
    con: duckdb.DuckDBPyConnection, stored: str, column: str, kind: str, *, is_coded: bool
) -> str | None:
    """SQL of another value of a column's type; None for a type without a way to make one."""
    name = quoted(column)
    if kind == "VARCHAR":
        return _another_code(con, stored, name) if is_coded else _another_text(name)
    if kind in ("DATE", "TIMESTAMP"):
        return f"({name} + INTERVAL 17 DAY)::{kind}"
    if kind == "BOOLEAN":
        return f"NOT {name}"
    if kind in ("INTEGER", "BIGINT", "DOUBLE", "SMALLINT") or kind.startswith("DECIMAL"):
        return f"({name} + 1)::{kind}"
    if kind == "VARCHAR[]":
        return f"list_transform({name}, lambda x: 'x' || md5(x)[:8])"
    return None


def _another_text(name: str) -> str:
    return f"'x' || md5({name})[:8]"


def _another_code(con: duckdb.DuckDBPyConnection, stored: str, name: str) -> str:
    codes = [
        value
        for (value,) in con.execute(
            f"SELECT DISTINCT {name} FROM {stored} WHERE {name} IS NOT NULL LIMIT {_MOST_CODES + 1}"
        ).fetchall()
    ]
    if not 2 <= len(codes) <= _MOST_CODES:
        return _another_text(name)
    listed = literals(sorted(codes))
    return f"[{listed}][(list_position([{listed}], {name}) % {len(codes)}) + 1]"


def _types(con: duckdb.DuckDBPyConnection, stored: str) -> dict[str, str]:
    return {row[0]: row[1] for row in con.execute(f"DESCRIBE {stored}").fetchall()}


def _exists(con: duckdb.DuckDBPyConnection, place: str) -> bool:
    try:
        con.execute(f"DESCRIBE {place}")
    except duckdb.CatalogException:
        return False
    return True
