"""Stages the tables of one file: the contract's format chooses the reader, whose rows are then typed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ffp_data.feeds import csv_reader, fhir_bundle, json_document, ndjson_reader, xml_reader
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import inspect
from ffp_data.feeds.header import Header, match_header, read_header
from ffp_data.feeds.landing import tables_of
from ffp_data.feeds.source import Fault, Source
from ffp_data.feeds.stage import Staged, stage_rows

Allowed = Mapping[str, Collection[str]]
"""Columns by table that an agreement lets in; a table that is not named may not come in at all."""


@dataclass(frozen=True)
class Reading:
    """What every reader is told: the contract, what may come in (`allowed`; None: all), other contracts.

    `known` tells whose file a stranger is. All results are temporary tables of `con`.
    """

    con: duckdb.DuckDBPyConnection
    contract: Contract
    allowed: Allowed | None
    known: Mapping[str, Contract]

    def may_enter(self, table: Table) -> bool:
        return self.allowed is None or table.name in self.allowed

    def columns(self, table: Table) -> Collection[str] | None:
        """The columns of a table that may come in; None: all."""
        return None if self.allowed is None else self.allowed[table.name]

    def require_structure(self, file_name: str, table: Table) -> None:
        """Raises FeedError not_permitted when no agreement covers what rows are known by."""
        columns = self.columns(table)
        missing = sorted(table.structural - set(columns)) if columns is not None else []
        if missing:
            raise FeedError(
                "not_permitted",
                f"no agreement covers {', '.join(missing)}, which rows of {table.name} are known by",
                "add these columns to the agreement, or leave the whole table out of it",
                file=file_name,
                column=missing[0],
            )

    def stage(self, source: Source, table: Table, file_name: str, notes: str = "") -> Staged:
        """The typed rows of a source."""
        columns = self.columns(table)
        return stage_rows(self.con, source, self.contract, table, columns, file_name, notes)


def read_file(reading: Reading, path: Path, names: Iterable[str]) -> list[Staged]:
    """The tables `names` that a file fills, those that may enter; raises FeedError for a whole-file fault."""
    tables = [t for name in names if reading.may_enter(t := reading.contract.by_name[name])]
    for table in tables:
        reading.require_structure(path.name, table)
    if reading.contract.hub.format == "csv":
        return [read_csv(reading, path, table) for table in tables]
    read = _read_xml if reading.contract.hub.format == "xml" else _read_json
    return read(reading, path, tables)


def read_csv(reading: Reading, path: Path, table: Table) -> Staged:
    """The one table of a CSV file; raises FeedError."""
    contract, columns = reading.contract, reading.columns(table)
    facts = inspect(path, contract.hub.encodings)
    names = read_header(path, facts.encoding)
    header = match_header(path, names, contract, table, columns, reading.known)
    text = f"temp.main.feed_{table.name}_text"
    source = csv_reader.read_rows(reading.con, path, facts, header, table, text)
    staged = reading.stage(source, table, path.name, _notes(header))
    reading.con.execute(f"DROP TABLE {text}")
    require_people(staged, path)
    return staged


def require_people(staged: Staged, path: Path) -> None:
    """Raises FeedError no_rows for a list of people without a row: it would delete everybody by silence."""
    table = staged.table
    if table.role and table.semantics == "snapshot" and staged.delivered == len(staged.faults):
        raise FeedError(
            "no_rows",
            "a file of people holds nobody",
            "deliver the whole list again, or withdraw the file",
            file=path.name,
            line=1,
        )


def _read_json(reading: Reading, path: Path, tables: list[Table]) -> list[Staged]:
    """The tables of a file of JSON: a record a line, or a whole document.

    A document of several kinds of record speaks for the kinds that stand in it: none of a kind is no
    list without anybody. One that tells changes is no list at all, so no snapshot is taken from it.
    """
    con, contract = reading.con, reading.contract
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
        records = ndjson_reader.records_of(table, read, is_document)
        # What is no record at all is set aside once, with the first table that reads the same list.
        is_first = not table.explode and records not in told
        faulty = _faulty(con, read, table, is_document) if is_first else ()
        told |= {records} if is_first else set()
        shared = _is_shared(table, mains)
        columns = reading.columns(table)
        source = ndjson_reader.table_source(con, records, table, columns, faulty, shared)
        notes = _other_kinds(con, records, table, mains) if shared and is_first else ""
        staged.append(reading.stage(source, table, path.name, notes))
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


def _read_xml(reading: Reading, path: Path, tables: list[Table]) -> list[Staged]:
    facts = inspect(path, reading.contract.hub.encodings)
    documents = f"temp.main.feed_{reading.contract.id}_records"
    faults, note = xml_reader.read_records(reading.con, path, facts, reading.contract, documents)
    staged = []
    for table in tables:
        source = xml_reader.table_source(documents, table, reading.columns(table), faults)
        staged.append(reading.stage(source, table, path.name, note))
        _refuse_strange(reading.con, staged[-1])
    return staged


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


def _notes(header: Header) -> str:
    parts = [f"unknown columns: {', '.join(header.unknown)}"] if header.unknown else []
    parts += [f"columns not sent: {', '.join(header.absent)}"] if header.absent else []
    return "; ".join(parts)
