"""Builds the facts that contracts declare: raw.declared_events and raw.declared_involvements.

One SELECT for each declared event and involvement over the rows that `raw` holds, put together to two
tables of fixed columns, so that a new feed needs no SQL of its own. A column that no agreement lets in
is empty in `raw` and so is empty here. Whether a feed may be shown at all is not decided here: that
is asked once, where records meet people (int_persons__records).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import duckdb

from ffp_data.feeds.columns import SQL_TYPES
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.declared import Event, Involvement, pieces
from ffp_data.feeds.registry import code_lists
from ffp_data.feeds.tables import create_empty_raw_tables, rebuild_table
from ffp_data.sql_text import literal, literals

EVENT_COLUMNS = {
    "feed": "VARCHAR",
    "table_name": "VARCHAR",
    "record_key": "VARCHAR",
    "event_date": "DATE",
    "event_type": "VARCHAR",
    "summary": "VARCHAR",
    "guarded_summary": "VARCHAR",  # for a child whose place must not be told
    "delivery_id": "VARCHAR",
    "line": "BIGINT",
}
INVOLVEMENT_COLUMNS = {
    "feed": "VARCHAR",
    "table_name": "VARCHAR",
    "record_key": "VARCHAR",
    "since": "DATE",
    "until": "DATE",
    "contact_name": "VARCHAR",
    "contact_phone": "VARCHAR",
    "team": "VARCHAR",
    "is_withheld": "BOOLEAN",
    "through": "VARCHAR",
    "delivery_id": "VARCHAR",
    "line": "BIGINT",
}
EVENTS, INVOLVEMENTS = "raw.declared_events", "raw.declared_involvements"

_MISSING, _WITHHELD = "not given", "withheld"

Words = Callable[[Property], str]


def build_facts(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> dict[str, int]:
    """Rebuilds both tables from `raw`; returns the rows of each by its name without schema."""
    create_empty_raw_tables(con, contracts)
    events = [sql for c, t in _tables(contracts) for sql in _events(c, t)]
    spells = [sql for c, t in _tables(contracts) for sql in _involvements(c, t)]
    return {
        "declared_events": rebuild_table(con, EVENTS, EVENT_COLUMNS, events),
        "declared_involvements": rebuild_table(con, INVOLVEMENTS, INVOLVEMENT_COLUMNS, spells),
    }


def _tables(contracts: Mapping[str, Contract]) -> Iterator[tuple[Contract, Table]]:
    for contract in contracts.values():
        for table in contract.tables:
            yield contract, table


def _events(contract: Contract, table: Table) -> Iterator[str]:
    for event in table.facts.events:
        values = {
            "event_date": f'"{event.date}"::DATE',
            "event_type": literal(event.type),
            "summary": _summary(table, event, _words),
            "guarded_summary": _summary(table, event, _guarded(event)),
        }
        yield _select(contract, table, values, [f'"{event.date}" IS NOT NULL', *_when(event.when)])


def _involvements(contract: Contract, table: Table) -> Iterator[str]:
    for spell in table.facts.involvements:
        values = {
            "since": _column(spell.since, "DATE"),
            "until": _column(spell.until, "DATE"),
            "contact_name": _column(spell.contact_name, "VARCHAR"),
            "contact_phone": _column(spell.contact_phone, "VARCHAR"),
            "team": _column(spell.team, "VARCHAR"),
            "is_withheld": _is_withheld(contract, table, spell),
            "through": literal(spell.through),
        }
        yield _select(contract, table, values, _when(spell.when))


def _select(
    contract: Contract, table: Table, values: Mapping[str, str], conditions: list[str]
) -> str:
    every = {
        "feed": literal(contract.id),
        "table_name": literal(table.name),
        "record_key": "record_key",
        **values,
        "delivery_id": "_delivery_id",
        "line": "_line",
    }
    selected = ", ".join(f"{sql} AS {name}" for name, sql in every.items())
    where = " AND ".join(["record_key IS NOT NULL", *conditions])
    return f"SELECT {selected} FROM {contract.raw_name(table)} AS r WHERE {where}"


def _column(name: str | None, sql_type: str) -> str:
    return f'"{name}"::{sql_type}' if name else f"NULL::{sql_type}"


def _when(conditions: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [
        f'list_contains([{literals(values)}], "{name}"::VARCHAR)'
        for name, values in conditions.items()
    ]


def _is_withheld(contract: Contract, table: Table, spell: Involvement) -> str:
    """True where the row's mark is set, and where a mark was sent that could not be read."""
    if spell.withheld is None:
        return "false"
    unread = (
        "(_delivery_id, _line) IN (SELECT (delivery_id, line) FROM quarantine.values"
        f" WHERE feed = {literal(contract.id)} AND table_name = {literal(table.name)}"
        f" AND column_name = {literal(spell.withheld)})"
    )
    return f'(coalesce("{spell.withheld}", false) OR {unread})'


def _summary(table: Table, event: Event, words: Words) -> str:
    parts = [
        f"coalesce({words(table.by_name[text])}, {literal(_MISSING)})"
        if is_column
        else literal(text)
        for text, is_column in pieces(event.summary)
    ]
    return f"concat({', '.join(parts)})"


def _guarded(event: Event) -> Words:
    """Words for a child who must not be located: a value that no code list bounds might name a place."""

    def words(prop: Property) -> str:
        bounded = prop.codes is not None or prop.logical_type in ("date", "timestamp", "boolean")
        return _words(prop) if bounded and prop.name not in event.locating else literal(_WITHHELD)

    return words


def _words(prop: Property) -> str:
    """The value as a person reads it: the meaning of a code, a day, yes or no."""
    name = f'"{prop.name}"'
    if isinstance(prop.codes, str):
        meanings = code_lists()[prop.codes].meanings()
        pairs = ", ".join(f"{literal(code)}: {literal(text)}" for code, text in meanings.items())
        return f"coalesce(MAP {{{pairs}}}[{name}], {name})"
    if prop.logical_type == "boolean":
        return f"CASE WHEN {name} THEN 'yes' WHEN NOT {name} THEN 'no' END"
    return (
        f"{name}::DATE::VARCHAR"
        if SQL_TYPES[prop.logical_type] == "TIMESTAMP"
        else f"{name}::VARCHAR"
    )
