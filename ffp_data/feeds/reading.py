"""Takes a delivery apart into staged tables: opens its files, chooses the reader, types the rows.

Nothing here writes to the warehouse; all results are temporary tables of the connection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from ffp_data.feeds import csv_reader, fhir_bundle, json_document, ndjson_reader, xml_reader
from ffp_data.feeds.archive import Unpacked, is_archive, unpack
from ffp_data.feeds.case_system import TableMap
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.drop import Drop, DropTable, check_rows, open_drop
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import inspect
from ffp_data.feeds.header import Header, match_header, read_header
from ffp_data.feeds.landing import Delivery, tables_of
from ffp_data.feeds.mapped import read_mapped
from ffp_data.feeds.source import Fault, Source
from ffp_data.feeds.stage import Staged, mark_repeats, type_rows

Allowed = Mapping[str, Collection[str]]
"""Columns by table that an agreement lets in; a table that is not named may not come in at all."""


def read_delivery(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    contract: Contract,
    allowed: Allowed | None,
    known: Mapping[str, Contract],
    scratch: Path | None = None,
) -> list[Staged]:
    """Staged tables of a delivery, in the contract's order; raises FeedError for a whole-file fault.

    An archive is unpacked below `scratch`, or where the system keeps temporary files.
    """
    if delivery.problem is not None:
        raise delivery.problem
    if contract.hub.format == "ssd_drop":
        return _read_drop(con, delivery, contract, allowed, known)
    if is_archive(delivery.path):
        return _read_archive(con, delivery, contract, allowed, known, scratch)
    return _read_file(con, delivery.path, contract, delivery.tables, allowed, known)


def _read_file(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    names: Iterable[str],
    allowed: Allowed | None,
    known: Mapping[str, Contract],
) -> list[Staged]:
    tables = [contract.by_name[name] for name in names if _may_enter(name, allowed)]
    for table in tables:
        _require_structure(path.name, table, _columns(table, allowed))
    if contract.hub.format == "csv":
        return [_read_csv(con, path, contract, t, _columns(t, allowed), known) for t in tables]
    read = _read_xml if contract.hub.format == "xml" else _read_json
    return read(con, path, contract, tables, allowed)


def _read_archive(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    contract: Contract,
    allowed: Allowed | None,
    known: Mapping[str, Contract],
    scratch: Path | None,
) -> list[Staged]:
    """The tables of an archive's members: one delivery, all of it or nothing."""
    with unpack(delivery.path, lambda name: bool(tables_of(name, contract)), scratch) as unpacked:
        tables = {file: [t.name for t in tables_of(file.name, contract)] for file in unpacked.files}
        _refuse_parts(delivery, tables)
        try:
            staged = [
                one
                for file, names in tables.items()
                for one in _read_file(con, file, contract, names, allowed, known)
            ]
        except FeedError as error:
            raise _inside(delivery, error) from error
    place = {name: i for i, name in enumerate(contract.by_name)}
    return [
        replace(
            one,
            file_name=f"{delivery.file_name}/{one.file_name}",
            notes="; ".join(filter(None, (one.notes, *_archive_notes(unpacked, contract, tables)))),
        )
        for one in sorted(staged, key=lambda one: place[one.table.name])
    ]


def _inside(delivery: Delivery, error: FeedError) -> FeedError:
    """The error of a member, told by archive and member."""
    file = f"{delivery.file_name}/{error.file}"
    return FeedError(
        error.rule, error.message, error.remedy, file=file, line=error.line, column=error.column
    )


def _refuse_parts(delivery: Delivery, tables: Mapping[Path, list[str]]) -> None:
    """The books know a table of a delivery by one file, so that each row set aside has one place."""
    seen: set[str] = set()
    for file, names in tables.items():
        if again := sorted(seen & set(names)):
            raise FeedError(
                "archive_member",
                f"another member is a file of table {again[0]} already",
                "put the rows of a table in one file, or deliver its parts in archives of their own",
                file=f"{delivery.file_name}/{file.name}",
            )
        seen |= set(names)


def _archive_notes(
    unpacked: Unpacked, contract: Contract, tables: Mapping[Path, list[str]]
) -> Iterator[str]:
    if unpacked.others:
        yield f"members of no table: {len(unpacked.others)}"
    if absent := sorted(
        set(contract.by_name) - {name for names in tables.values() for name in names}
    ):
        yield f"tables not sent: {', '.join(absent)}"


def drop_staged(con: duckdb.DuckDBPyConnection) -> None:
    """Frees every temporary table of this package, after a load as after a refusal."""
    query = "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, 'feed_')"
    for (name,) in con.execute(query).fetchall():
        con.execute(f'DROP TABLE temp.main."{name}"')


def _read_drop(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    contract: Contract,
    allowed: Allowed | None,
    known: Mapping[str, Contract],
) -> list[Staged]:
    drop = open_drop(delivery.path, contract)
    parts = [p for p in drop.tables if _may_enter(p.table.name, allowed)]
    for part in parts:
        _require_structure(part.file.path.name, part.table, _columns(part.table, allowed))
    return [
        _read_drop_table(con, part, drop, _columns(part.table, allowed), known) for part in parts
    ]


def _read_drop_table(
    con: duckdb.DuckDBPyConnection,
    part: DropTable,
    drop: Drop,
    columns: Collection[str] | None,
    known: Mapping[str, Contract],
) -> Staged:
    folder, name = part.file.path.parent, part.file.path.name
    if part.mapping is None:
        staged = _read_csv(con, part.file.path, drop.contract, part.table, columns, known)
        check_rows(folder, part.file, staged.delivered)
    else:
        staged = _read_mapped(con, part, part.mapping, drop.contract, columns)
    notes = "; ".join(note for note in (staged.notes, drop.notes) if note)
    where = f"{folder.name}/{name}"
    return replace(staged, file_name=where, notes=notes, scope=drop.scope)


def _read_mapped(
    con: duckdb.DuckDBPyConnection,
    part: DropTable,
    mapping: TableMap,
    contract: Contract,
    columns: Collection[str] | None,
) -> Staged:
    rows = f"temp.main.feed_{part.table.name}"
    source, notes = read_mapped(con, part, mapping, contract, columns, f"{rows}_text")
    type_rows(con, source, contract, part.table, columns, rows)
    _require_people(con, part.table, part.file.path, rows)
    return _stage(con, source, contract, part.table, part.file.path.name, columns, rows, notes)


def _read_csv(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    table: Table,
    allowed: Collection[str] | None,
    known: Mapping[str, Contract],
) -> Staged:
    facts = inspect(path, contract.hub.encodings)
    names = read_header(path, facts.encoding)
    header = match_header(path, names, contract, table, allowed, known)
    rows = f"temp.main.feed_{table.name}"
    source = csv_reader.read_rows(con, path, facts, header, table, f"{rows}_text")
    type_rows(con, source, contract, table, allowed, rows)
    con.execute(f"DROP TABLE {rows}_text")
    _require_people(con, table, path, rows)
    return _stage(con, source, contract, table, path.name, allowed, rows, _notes(header))


def _require_people(con: duckdb.DuckDBPyConnection, table: Table, path: Path, rows: str) -> None:
    if table.role and table.semantics == "snapshot" and _count(con, rows) == 0:
        raise FeedError(
            "no_rows",
            "a file of people holds nobody",
            "deliver the whole list again, or withdraw the file",
            file=path.name,
            line=1,
        )


def _read_json(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    tables: list[Table],
    allowed: Allowed | None,
) -> list[Staged]:
    """The tables of a file of JSON: a record a line, or a whole document.

    A document of several kinds of record speaks for the kinds that stand in it: none of a kind is no
    list without anybody. One that tells changes is no list at all, so no snapshot is taken from it.
    """
    facts = inspect(path, contract.hub.encodings)
    is_document = path.suffix == ".json"
    read = f"temp.main.feed_{contract.id}_records"
    mains = [t for t in tables_of(path.name, contract) if not t.explode]
    if is_document:
        places = {t.records for t in tables if t.records}
        json_document.read_document(con, path, facts, places, read)
        is_change = contract.hub.dialect == "fhir" and fhir_bundle.settle(con, read)
        tables = [t for t in tables if _is_told(con, read, t, mains, is_change)]
    else:
        ndjson_reader.read_lines(con, path, facts, read)
    staged, told = [], set[str]()
    for table in tables:
        columns = _columns(table, allowed)
        records = ndjson_reader.records_of(table, read, is_document)
        # What is no record at all is set aside once, with the first table that reads the same list.
        is_first = not table.explode and records not in told
        faulty = _faulty(con, read, table, is_document) if is_first else ()
        told |= {records} if is_first else set()
        shared = _is_shared(table, mains)
        source = ndjson_reader.table_source(con, records, table, columns, faulty, shared)
        rows = f"temp.main.feed_{table.name}"
        notes = _other_kinds(con, records, table, mains) if shared and is_first else ""
        type_rows(con, source, contract, table, columns, rows)
        staged.append(_stage(con, source, contract, table, path.name, columns, rows, notes))
        if not shared:
            _refuse_strange(con, staged[-1])
    return staged


def _is_shared(table: Table, mains: list[Table]) -> bool:
    """Whether the list that holds the records of `table` holds other kinds too."""
    return sum(t.records == table.records for t in mains) > 1


def _is_told(
    con: duckdb.DuckDBPyConnection, read: str, table: Table, mains: list[Table], is_change: bool
) -> bool:
    """Whether a document says anything of a snapshot, which a list without its kind must not empty."""
    if table.semantics == "delta" or not _is_shared(table, mains):
        return True
    records = ndjson_reader.records_of(table, read, is_document=True)
    return not is_change and ndjson_reader.has_records(con, records, table)


def _read_xml(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    tables: list[Table],
    allowed: Allowed | None,
) -> list[Staged]:
    facts = inspect(path, contract.hub.encodings)
    documents = f"temp.main.feed_{contract.id}_records"
    faults, note = xml_reader.read_records(con, path, facts, contract, documents)
    staged = []
    for table in tables:
        columns = _columns(table, allowed)
        source = xml_reader.table_source(documents, table, columns, faults)
        rows = f"temp.main.feed_{table.name}"
        type_rows(con, source, contract, table, columns, rows)
        staged.append(_stage(con, source, contract, table, path.name, columns, rows, note))
        _refuse_strange(con, staged[-1])
    return staged


def _faulty(
    con: duckdb.DuckDBPyConnection, read: str, table: Table, is_document: bool
) -> tuple[Fault, ...]:
    if is_document:
        return json_document.record_faults(con, read, table.records or "[*]")
    return ndjson_reader.line_faults(con, read)


def _other_kinds(
    con: duckdb.DuckDBPyConnection, records: str, table: Table, mains: list[Table]
) -> str:
    kinds = {t.only_when.equals for t in mains if t.only_when and t.records == table.records}
    path = table.only_when.path if table.only_when else ""
    return ndjson_reader.other_kinds(con, records, path, kinds) if path else ""


def _refuse_strange(con: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """Refuses a file none of whose records has the key: it is not a file of this table."""
    if staged.table.explode or staged.delivered == 0:
        return
    keyed = " AND ".join(f"v_{name} IS NOT NULL" for name in staged.table.key)
    if con.execute(f"SELECT 1 FROM {staged.rows} WHERE {keyed} LIMIT 1").fetchone() is None:
        key = ", ".join(staged.table.key)
        raise FeedError(
            "other_feed",
            f"no record has {key} of {staged.contract.id}.{staged.table.name}",
            "deliver the file in the folder and under the name of its own feed",
            file=staged.file_name,
            line=1,
            column=key,
        )


def _stage(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    contract: Contract,
    table: Table,
    file_name: str,
    allowed: Collection[str] | None,
    rows: str,
    notes: str,
) -> Staged:
    kept = [p.name for p in table.properties if allowed is None or p.name in allowed]
    staged = Staged(
        contract=contract,
        table=table,
        file_name=file_name,
        rows=rows,
        element=source.element is not None,
        names=frozenset(kept),
        delivered=_count(con, rows) + len(source.faults),
        faults=source.faults,
        columns_dropped=len(table.properties) - len(kept),
        notes=notes,
    )
    mark_repeats(con, staged)
    return staged


def _notes(header: Header) -> str:
    parts = [f"unknown columns: {', '.join(header.unknown)}"] if header.unknown else []
    parts += [f"columns not sent: {', '.join(header.absent)}"] if header.absent else []
    return "; ".join(parts)


def _may_enter(name: str, allowed: Allowed | None) -> bool:
    return allowed is None or name in allowed


def _columns(table: Table, allowed: Allowed | None) -> Collection[str] | None:
    return None if allowed is None else allowed[table.name]


def _require_structure(file_name: str, table: Table, allowed: Collection[str] | None) -> None:
    missing = sorted(table.structural - set(allowed)) if allowed is not None else []
    if missing:
        raise FeedError(
            "not_permitted",
            f"no agreement covers {', '.join(missing)}, which rows of {table.name} are known by",
            "add these columns to the agreement, or leave the whole table out of it",
            file=file_name,
            column=missing[0],
        )


def _count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    (count,) = con.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,)
    return int(count)
