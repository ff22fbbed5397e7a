"""Lead each finding in our own return to the records to mend, by the keys of the rows concerned.

The marts keep for every row of a return the records that it rests on (table `return_sources` of the
return's schema). A finding names its rows by keys and its fields by element; each field belongs to
one or more tables of the layout. Of the records behind those rows the ones that speak for the very
column win over those that speak for the row, and in tables whose rows have no key of their own, the
ones with the value that was found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from ffp_data.returns.findings import Finding, SourceRecord
from ffp_data.returns.layout import Layout, Module, Table, Values
from ffp_data.returns.tables import existing_tables

SOURCES = "return_sources"
OWN = ""  # among places: the tables of children themselves
COLUMNS = (
    ("return_table", "VARCHAR"),
    ("child_key", "VARCHAR"),
    ("cin_key", "VARCHAR"),
    ("row_key", "VARCHAR"),
    ("column_name", "VARCHAR"),
    ("row_value", "VARCHAR"),
    ("record_key", "VARCHAR"),
    ("source_table", "VARCHAR"),
    ("delivery_id", "VARCHAR"),
    ("line", "BIGINT"),
    ("file_name", "VARCHAR"),
)


@dataclass(frozen=True)
class _Row:
    """A record behind a row of the return, and what of the row it speaks for."""

    cin_key: str | None
    row_key: str
    column: str | None
    value: str | None
    record: SourceRecord


@dataclass(frozen=True)
class _Place:
    """Where an element of the layout has its values; `column` is None for a whole module."""

    table: Table
    column: str | None
    has_own_key: bool


def with_sources(
    con: duckdb.DuckDBPyConnection,
    findings: Sequence[Finding],
    layouts: Iterable[Layout],
    schema: str,
) -> list[Finding]:
    """The findings with their source records, where `schema` has a table of them; else as they are."""
    if SOURCES not in existing_tables(con, schema):
        return list(findings)
    places = _places(layouts)
    rows = _read(con, findings, schema)
    return [replace(f, sources=_sources_of(f, places, rows)) for f in findings]


def _sources_of(
    finding: Finding,
    places: Mapping[str, Sequence[_Place]],
    rows: Mapping[tuple[str, str], Sequence[_Row]],
) -> tuple[SourceRecord, ...]:
    """Records of the finding's fields, in the order of the fields; each once."""
    found: dict[SourceRecord, None] = {}
    for child in finding.keys.get("child_key", ()):
        for field, value in zip(finding.fields, finding.values, strict=False):
            for place in places.get(field, ()):
                behind = rows.get((place.table.name, child), ())
                found |= dict.fromkeys(_matching(behind, finding, place, value))
    if not found:  # nothing is there to lead on from, such as a missing episode
        found = dict.fromkeys(_own_records(finding, places, rows))
    return tuple(found)


def _own_records(
    finding: Finding,
    places: Mapping[str, Sequence[_Place]],
    rows: Mapping[tuple[str, str], Sequence[_Row]],
) -> Iterator[SourceRecord]:
    """The records under which the council knows the child."""
    for child in finding.keys.get("child_key", ()):
        for place in places[OWN]:
            behind = rows.get((place.table.name, child), ())
            yield from (row.record for row in behind if row.column is None)


def _matching(
    rows: Sequence[_Row], finding: Finding, place: _Place, value: str | None
) -> Iterator[SourceRecord]:
    keys = finding.keys.get(place.table.key_columns[-1], ())
    episodes = finding.keys.get("cin_key", ())
    concerned = [
        row
        for row in rows
        if (not keys or row.row_key in keys)
        and (not episodes or row.cin_key is None or row.cin_key in episodes)
    ]
    exact = [row for row in concerned if place.column and row.column == place.column]
    concerned = exact or [row for row in concerned if row.column is None]
    if value is not None and not place.has_own_key:
        concerned = [row for row in concerned if row.value == value] or concerned
    yield from (row.record for row in concerned)


def _places(layouts: Iterable[Layout]) -> dict[str, list[_Place]]:
    """Every element and module of the layouts, by the name that rules give it."""
    places: dict[str, list[_Place]] = defaultdict(list)
    for layout in layouts:
        tables = {table.name: table for table in layout.tables}
        for table in tables.values():
            for item in table.items:
                places[item.element].append(_Place(table, item.column, table.key is not None))
        places[OWN].append(_Place(layout.tables[0], None, True))
        for name, table_name in _named_modules(layout.child):
            places[name].append(_Place(tables[table_name], None, True))
    return dict(places)


def _named_modules(module: Module) -> Iterator[tuple[str, str]]:
    for node in module.contents:
        if isinstance(node, Module):
            yield node.module, node.table
            yield from _named_modules(node)
        elif isinstance(node, Values):
            yield node.values, node.table


def _read(
    con: duckdb.DuckDBPyConnection, findings: Sequence[Finding], schema: str
) -> dict[tuple[str, str], list[_Row]]:
    """Sources of the children that the findings are about, by table and child, in a fixed order."""
    children = sorted({key for f in findings for key in f.keys.get("child_key", ())})
    con.register("children_found", pa.table({"child_key": pa.array(children, pa.string())}))
    names = ", ".join(name for name, _ in COLUMNS)
    found = con.execute(
        f"SELECT {names} FROM {schema}.{SOURCES} SEMI JOIN children_found USING (child_key) "
        f"ORDER BY {names}"
    ).fetchall()
    con.unregister("children_found")
    rows: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for (
        table,
        child,
        cin_key,
        row_key,
        column,
        value,
        record,
        source,
        delivery,
        line,
        file,
    ) in found:
        behind = SourceRecord(record, source, delivery, line, file)
        rows[table, child].append(_Row(cin_key, row_key, column, value, behind))
    return dict(rows)
