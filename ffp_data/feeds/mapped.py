"""Reads a table of the dataset out of a case system's own files, as the system's profile maps them.

The table's own file gives the rows, one for one; other files give single values to them, at most one row
each, so that a lookup can neither add nor lose a row. All of it is one SELECT over the columns that the
mapping needs: whatever else a file holds is not read past its line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ffp_data.feeds import csv_reader
from ffp_data.feeds.case_system import ColumnMap, Lookup, TableMap
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.drop import DropFile, DropTable, check_rows
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import inspect
from ffp_data.feeds.header import Header, read_header
from ffp_data.feeds.source import Fault, Source
from ffp_data.sql_text import literal, literals

OWN = ""
"""The name under which columns of the table's own file are known beside those of lookups."""


@dataclass(frozen=True)
class _File:
    """A file that was read: FROM item, SQL column by the file's own column name in lower case."""

    relation: str
    columns: Mapping[str, str]
    faults: tuple[Fault, ...]
    has_controls: bool
    name: str


def source_columns(
    table: Table, mapping: TableMap, allowed: Collection[str] | None
) -> dict[str, set[str]]:
    """Names of the columns, by lookup (`OWN`: the table's own file), that the allowed properties need.

    The dataset's own names of the table's columns are among them: a file may carry those as well.
    """
    wanted = [p for p in table.properties if allowed is None or p.name in allowed]
    named = (mapping.columns.get(p.header) for p in wanted)
    places = [place for column in named if column for place in column.places]
    needed: dict[str, set[str]] = {OWN: {n for p in wanted for n in (p.header, *p.aliases)}}
    needed[OWN] |= set(mapping.when)
    for name in sorted({place.split(".")[0] for place in places if "." in place}):
        lookup = mapping.lookups[name]
        needed[name] = set(lookup.columns)
        places += lookup.match
    for place in places:
        lookup_name, _, column = place.rpartition(".")
        needed.setdefault(lookup_name, set()).add(column)
    return needed


def read_mapped(
    con: duckdb.DuckDBPyConnection,
    part: DropTable,
    mapping: TableMap,
    contract: Contract,
    allowed: Collection[str] | None,
    into: str,
) -> tuple[Source, str]:
    """The rows of the table in temporary tables that begin with `into`, and notes for the books.

    Raises FeedError wrong_header when a required column comes from nowhere, manifest_rows when a file
    is not as long as signed off.
    """
    needed = source_columns(part.table, mapping, allowed)
    own = _read(con, part.file, contract, needed.pop(OWN), f"{into}_own")
    others = {
        name: _read(con, part.lookups[name], contract, columns, f"{into}_{name}")
        for name, columns in needed.items()
        if name in part.lookups
    }
    places = {name: f"o.{sql}" for name, sql in own.columns.items()}
    for name, other in others.items():
        places |= {f"{name}.{column}": f'"{name}".{sql}' for column, sql in other.columns.items()}
    columns = _columns(part, mapping, places, allowed)
    names = {header: f"h{i}" for i, header in enumerate(columns)}
    selected = ", ".join(["o._line", *(f"{columns[h]} AS {n}" for h, n in names.items())])
    joins = " ".join(_join(name, mapping.lookups[name], others[name], places) for name in others)
    relation = (
        f"(SELECT {selected} FROM {own.relation} o {joins}"
        f" WHERE {_filter(mapping.when, places)} ORDER BY o._line)"
    )
    has_controls = any(file.has_controls for file in (own, *others.values()))
    source = csv_reader.source_of(relation, names, part.table, own.faults, has_controls)
    return source, "; ".join(_notes(own, others.values(), part, columns, allowed))


def _read(
    con: duckdb.DuckDBPyConnection,
    file: DropFile,
    contract: Contract,
    columns: Iterable[str],
    into: str,
) -> _File:
    facts = inspect(file.path, contract.hub.encodings)
    names = read_header(file.path, facts.encoding)
    wanted = {column.casefold() for column in columns}
    twice = sorted(name for name in wanted if names.count(name) > 1)
    if twice:
        raise _wrong(file.path, f"column {twice[0]} stands in the header twice", twice[0])
    positions = {name: place for place, name in enumerate(names) if name in wanted}
    header = Header(len(names), positions or {names[0]: 0}, (), ())
    relation, faults = csv_reader.read_columns(con, file.path, facts, header, into)
    (rows,) = con.execute(f"SELECT count(*) FROM {into}").fetchone() or (0,)
    check_rows(file.path.parent, file, rows + len(faults))
    texts = {name: f"c{place}" for name, place in positions.items()}
    return _File(relation, texts, faults, facts.has_controls, file.path.name)


def _columns(
    part: DropTable,
    mapping: TableMap,
    places: Mapping[str, str],
    allowed: Collection[str] | None,
) -> dict[str, str]:
    """Header of the dataset -> SQL, for the allowed columns that come from somewhere."""
    found: dict[str, str] = {}
    for prop in part.table.properties:
        if prop.header in found or (allowed is not None and prop.name not in allowed):
            continue
        sql = _own_name(prop, places) or _mapped(mapping.columns.get(prop.header), places)
        if sql is not None:
            found[prop.header] = sql
        elif prop.required:
            message = f"{prop.header} comes from no column of the file"
            raise _wrong(part.file.path, message, prop.header)
    return found


def _own_name(prop: Property, places: Mapping[str, str]) -> str | None:
    return next((places[n] for n in (prop.header, *prop.aliases) if n.casefold() in places), None)


def _mapped(column: ColumnMap | None, places: Mapping[str, str]) -> str | None:
    """SQL of a mapped column; None when a file lacks what it is made of."""
    if column is None:
        return None
    if column.fixed is not None:
        return literal(column.fixed)
    known = [_sql(place, places) for place in column.places]
    parts = [sql for sql in known if sql is not None]
    if column.json_ is not None:
        pairs = zip(column.json_, known, strict=True)
        fields = ", ".join(f"{literal(key)}, {sql}" for key, sql in pairs if sql is not None)
        return f"json_object({fields})::VARCHAR"
    if len(parts) < len(known):
        return None
    if column.date is not None:
        year, month, day = parts
        return f"{year} || '-' || lpad({month}, 2, '0') || '-' || lpad({day}, 2, '0')"
    return _translated(parts[0], column.values)


def _translated(sql: str, values: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN {literal(word)} THEN {literal(said)}" for word, said in values.items())
    return f"CASE upper(trim({sql})) {cases} ELSE {sql} END" if cases else sql


def _sql(place: str, places: Mapping[str, str]) -> str | None:
    lookup, _, column = place.rpartition(".")
    return places.get(f"{lookup}.{column.casefold()}" if lookup else column.casefold())


def _join(name: str, lookup: Lookup, other: _File, places: Mapping[str, str]) -> str:
    """A join that finds one row at most: the latest, then the first in its file."""
    pairs = [
        (_sql(here, places), other.columns.get(there.casefold()))
        for here, there in lookup.match.items()
    ]
    if any(here is None or there is None for here, there in pairs):
        missing = ", ".join((*lookup.match, *lookup.match.values()))
        raise _wrong(Path(other.name), f"the lookup needs {missing}", None)
    key = ", ".join(str(there) for _, there in pairs)
    latest = other.columns.get((lookup.latest or "").casefold())
    order = f"{latest} DESC NULLS LAST, _line" if latest else "_line"
    local = {column: sql for column, sql in other.columns.items()}
    one = (
        f"(SELECT * FROM {other.relation} WHERE {_filter(lookup.when, local)}"
        f" QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order}) = 1)"
    )
    on = " AND ".join(f'{here} = "{name}".{there}' for here, there in pairs)
    return f'LEFT JOIN {one} "{name}" ON {on}'


def _filter(when: Mapping[str, tuple[str, ...]], places: Mapping[str, str]) -> str:
    """Rows whose columns hold one of the words; a file without the column holds none."""
    tests = [
        f"list_contains([{literals(w.upper() for w in words)}], upper(trim({places[c.casefold()]})))"
        if c.casefold() in places
        else "false"
        for c, words in when.items()
    ]
    return " AND ".join(tests) or "true"


def _notes(
    own: _File,
    others: Iterable[_File],
    part: DropTable,
    columns: Mapping[str, str],
    allowed: Collection[str] | None,
) -> Iterable[str]:
    wanted = {p.header for p in part.table.properties if allowed is None or p.name in allowed}
    yield f"mapped from {own.name}"
    if absent := sorted(wanted - set(columns)):
        yield f"columns not sent: {', '.join(absent)}"
    for other in others:
        if other.faults:
            lines = ", ".join(str(fault.line) for fault in other.faults[:10])
            yield f"{other.name}: {len(other.faults)} rows unreadable, first at lines {lines}"


def _wrong(path: Path, message: str, column: str | None) -> FeedError:
    remedy = "send the columns that the system's profile names, or correct the profile"
    return FeedError("wrong_header", message, remedy, file=path.name, line=1, column=column)
