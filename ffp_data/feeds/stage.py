"""Types the rows of a source in one pass and marks those that cannot be loaded.

The result is a temporary table: a column `v_<name>` for each column, `_bad` for rows that lack a
required value, and `_faults`, a list that is NULL for the clean rows that are nearly all of them.
Rows that repeat a key of the same delivery, or that a newer delivery has overtaken, are listed in a
second table by row number, so that the first is written once and never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pyarrow as pa

from ffp_data.feeds.columns import Column, column
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.source import Fault, Source, redact_sql
from ffp_data.sql_text import literal, literals

_FAULT_TYPE = 'STRUCT("column" VARCHAR, rule VARCHAR, "value" VARCHAR, required BOOLEAN)[]'


@dataclass(frozen=True)
class Staged:
    """Typed rows of one table of one delivery, in temporary tables `rows` and `left_out`.

    `names` are the columns that may come in; `delivered` counts every row sent, broken ones too.
    """

    contract: Contract
    table: Table
    file_name: str
    rows: str
    element: bool
    names: frozenset[str]
    delivered: int
    faults: tuple[Fault, ...]
    columns_dropped: int = 0
    notes: str = ""
    scope: str | None = None
    """The council and case system that a drop speaks for; None for other files."""

    @property
    def left_out(self) -> str:
        return f"{self.rows}_left_out"

    @property
    def loadable(self) -> str:
        """WHERE clause of the rows that go to the warehouse."""
        return f"NOT _bad AND rowid NOT IN (SELECT row_id FROM {self.left_out})"


def stage_rows(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    contract: Contract,
    table: Table,
    allowed: Collection[str] | None,
    file_name: str,
    notes: str = "",
) -> Staged:
    """The rows of a source, typed, with those that repeat a key marked; `allowed` None lets all columns in."""
    rows = f"temp.main.feed_{table.name}"
    _type_rows(con, source, contract, table, allowed, rows)
    kept = [p.name for p in table.properties if allowed is None or p.name in allowed]
    (count,) = con.execute(f"SELECT count(*) FROM {rows}").fetchone() or (0,)
    staged = Staged(
        contract=contract,
        table=table,
        file_name=file_name,
        rows=rows,
        element=source.element is not None,
        names=frozenset(kept),
        delivered=count + len(source.faults),
        faults=source.faults,
        columns_dropped=len(table.properties) - len(kept),
        notes=notes,
    )
    _mark_repeats(con, staged)
    return staged


def _type_rows(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    contract: Contract,
    table: Table,
    allowed: Collection[str] | None,
    into: str,
) -> None:
    """Writes temporary table `into`, one row for each of the source."""
    kept_properties = [p for p in table.properties if allowed is None or p.name in allowed]
    sources = [
        f"{source.texts.get(p.name, 'NULL::VARCHAR')} AS s_{p.name}" for p in kept_properties
    ]
    columns = tuple(column(contract, p, f"s_{p.name}", source.screened) for p in kept_properties)
    void = _void(table)
    excused = {*table.by_name} - {*table.key, *table.taken_back} if void else set()
    columns = tuple(replace(c, excused=void) if c.name in excused else c for c in columns)
    element = [f"{source.element} AS _element"] if source.element else []
    documents = {f"d_{i}": (n, sql) for i, (n, sql) in enumerate(source.documents.items())}
    sources += [f"{sql} AS {alias}" for alias, (_, sql) in documents.items()]
    texts = [f"{c.text} AS t_{c.name}" for c in columns]
    texts += documents
    values = [f"{c.value} AS v_{c.name}" for c in columns]
    kept = ["_line", *(["_element"] if element else [])]
    broken = {alias: name for alias, (name, _) in documents.items()}
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS"
        f" SELECT {', '.join(kept + [f'v_{c.name}' for c in columns])},"
        f" {_any(c.fault for c in columns if c.required)} AS _bad,"
        f" {_fault_list(columns, broken)} AS _faults"
        f" FROM (SELECT *, {', '.join(values)}"
        f" FROM (SELECT {', '.join([*kept, *texts])}"
        f" FROM (SELECT {', '.join(['_line', *element, *sources])} FROM {source.relation})))"
    )


def _mark_repeats(con: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """Lists the rows whose key an earlier row of the same delivery has."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {staged.left_out} (row_id BIGINT, rule VARCHAR)")
    key, element = key_columns(staged), ", _element" if staged.element else ""
    query = f"SELECT hash({key}) AS h FROM {staged.rows} WHERE NOT _bad"
    hashes = np.asarray(con.execute(query).fetchnumpy()["h"])
    # Sorting eight bytes a row is several times cheaper than grouping whole keys. Equal hashes are only
    # candidates: the statement below compares the keys themselves.
    hashes.sort()
    repeated = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    if len(repeated) == 0:
        return
    con.register("_repeated", pa.table({"h": repeated}))
    con.execute(
        f"INSERT INTO {staged.left_out} SELECT row_id, 'duplicate_key' FROM ("
        f"SELECT rowid AS row_id, row_number() OVER (PARTITION BY {key} ORDER BY _line{element}) AS n"
        f" FROM {staged.rows} WHERE NOT _bad AND hash({key}) IN (SELECT h FROM _repeated)) WHERE n > 1"
    )
    con.unregister("_repeated")


def key_columns(staged: Staged) -> str:
    return ", ".join(f"v_{name}" for name in staged.table.key)


def _void(table: Table) -> str:
    """SQL of whether a row only takes back what was said under its key; empty where none can."""
    tests = [
        f"list_contains([{literals(words)}], v_{name}::VARCHAR)"
        for name, words in table.taken_back.items()
    ]
    return f"coalesce({' AND '.join(tests)}, false)" if tests else ""


def _any(conditions: Iterable[str]) -> str:
    return " OR ".join(f"({c})" for c in conditions) or "false"


def _fault_list(columns: tuple[Column, ...], documents: dict[str, str]) -> str:
    """SQL of the list of faults; built only for rows that have one."""
    entries = [
        f"{{'column': {literal(c.name)}, 'rule': CASE WHEN {c.fault} THEN {c.rule} END,"
        f" 'value': t_{c.name}, 'required': {str(c.required).lower()}}}"
        for c in columns
    ]
    tests = [c.fault for c in columns]
    for alias, name in documents.items():
        invalid = f"({alias} IS NOT NULL AND NOT json_valid({alias}))"
        tests.append(invalid)
        entries.append(
            f"{{'column': {literal(name)}, 'rule': CASE WHEN {invalid} THEN 'invalid_json' END,"
            " 'value': NULL::VARCHAR, 'required': false}"
        )
    wrong = f"list_filter([{', '.join(entries)}], lambda f: f.rule IS NOT NULL)"
    # One place that redacts: its patterns are compiled for each place and each thread, whatever is read.
    told = (
        "{'column': f.\"column\", 'rule': f.rule,"
        f" 'value': {redact_sql('f.value')}, 'required': f.required}}"
    )
    entry_list = f"list_transform({wrong}, lambda f: {told})"
    return f"CASE WHEN {_any(tests)} THEN {entry_list}::{_FAULT_TYPE} END"
