"""Takes a delivery apart into staged tables, whether it is a file, an archive or a case system's drop.

Nothing here writes to the warehouse; all results are temporary tables of the connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from ffp_data.feeds.archive import Unpacked, is_archive, unpack
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.drop import Drop, DropTable, check_rows, open_drop
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.landing import Delivery, tables_of
from ffp_data.feeds.mapped import read_mapped
from ffp_data.feeds.single_file import Allowed, Reading, read_csv, read_file, require_people
from ffp_data.feeds.stage import Staged


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
    reading = Reading(con, contract, allowed, known)
    if contract.hub.format == "ssd_drop":
        return _read_drop(reading, delivery)
    if is_archive(delivery.path):
        return _read_archive(reading, delivery, scratch)
    return read_file(reading, delivery.path, delivery.tables)


def drop_staged(con: duckdb.DuckDBPyConnection) -> None:
    """Frees every temporary table of this package, after a load as after a refusal."""
    query = "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, 'feed_')"
    for (name,) in con.execute(query).fetchall():
        con.execute(f'DROP TABLE temp.main."{name}"')


def _read_archive(reading: Reading, delivery: Delivery, scratch: Path | None) -> list[Staged]:
    """The tables of an archive's members: one delivery, all of it or nothing."""
    contract = reading.contract
    with unpack(delivery.path, lambda name: bool(tables_of(name, contract)), scratch) as unpacked:
        tables = {file: [t.name for t in tables_of(file.name, contract)] for file in unpacked.files}
        _refuse_parts(delivery, tables)
        try:
            staged = [
                one for file, names in tables.items() for one in read_file(reading, file, names)
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


def _read_drop(reading: Reading, delivery: Delivery) -> list[Staged]:
    drop = open_drop(delivery.path, reading.contract)
    of_system = replace(reading, contract=drop.contract)
    parts = [part for part in drop.tables if reading.may_enter(part.table)]
    for part in parts:
        reading.require_structure(part.file.path.name, part.table)
    return [_read_drop_table(of_system, part, drop) for part in parts]


def _read_drop_table(reading: Reading, part: DropTable, drop: Drop) -> Staged:
    folder, name = part.file.path.parent, part.file.path.name
    if part.mapping is None:
        staged = read_csv(reading, part.file.path, part.table)
        check_rows(folder, part.file, staged.delivered)
    else:
        rows = f"temp.main.feed_{part.table.name}_text"
        columns = reading.columns(part.table)
        source, notes = read_mapped(
            reading.con, part, part.mapping, reading.contract, columns, rows
        )
        staged = reading.stage(source, part.table, name, notes)
        require_people(staged, part.file.path)
    notes = "; ".join(note for note in (staged.notes, drop.notes) if note)
    return replace(staged, file_name=f"{folder.name}/{name}", notes=notes, scope=drop.scope)
