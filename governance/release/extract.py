"""An extract: the agreed tables of a decision as Parquet files and one workbook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from governance.cover import cover_sheet
from governance.files import replacing
from governance.grants import ReleaseDecision
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.pseudonym import pseudonym_key
from governance.release.publishing import Extract, publish
from governance.release.reading import read_agreed
from governance.release.refusing import refuse_if_denied
from governance.release.telling import epoch, short
from governance.release.zone import Zone
from governance.subject_lists import SubjectLists
from governance.xlsx import Sheet, write_workbook

WORKBOOK = "extract.xlsx"
_WIDEST = 40
Guides = Callable[[Mapping[str, pa.Table]], Mapping[str, pa.Table]]
"""From the tables of an extract by their relations to further ones, by the names of their files."""


def write_extract(  # noqa: PLR0913 -- each has its name at the call
    con: duckdb.DuckDBPyConnection,
    decision: ReleaseDecision,
    *,
    zone: Zone,
    as_at: date,
    out: Path,
    keys: KeyStore,
    ledger: Ledger,
    lists: SubjectLists | None = None,
    guides: Guides = lambda _: {},
) -> Extract:
    """Write the extract of an allowed decision into the directory ``out``, replacing it whole.

    ``zone`` says what may be read and whose rights bind it; ``con`` is locked for good. ``lists`` keeps
    whom it disclosed; ``guides`` adds tables that explain the others and tell of nobody. Raises
    ReleaseRefusedError (also written to the ledger) or ReleaseFailedError; in both cases ``out`` stays as it was.
    """
    refuse_if_denied(decision, as_at, ledger)
    key = pseudonym_key(keys, decision.recipient, decision.purpose, epoch(as_at))
    read = read_agreed(con, decision, zone=zone, key=key, as_at=as_at)
    tables = {relation: each.table for relation, each in read.items()}
    people = {relation: each.people for relation, each in read.items()}
    rows = {relation: table.num_rows for relation, table in tables.items()}

    named = {short(relation): table for relation, table in tables.items()} | dict(guides(tables))

    def write(part: Path) -> Mapping[str, int]:
        for name, table in named.items():
            _write_parquet(table, part / f"{name}.parquet")
        sheets = [cover_sheet(decision, as_at, rows), *map(_sheet, named, named.values())]
        write_workbook(part / WORKBOOK, sheets, f"{decision.agreement} {decision.recipient}")
        return rows

    keep = (lambda: lists.keep(people)) if lists else None
    return publish(decision, write, as_at=as_at, out=out, keys=keys, ledger=ledger, keep_list=keep)


def _write_parquet(table: pa.Table, path: Path) -> None:
    with replacing(path) as handle:
        pq.write_table(table, handle, compression="zstd")


def _sheet(sheet: str, table: pa.Table) -> Sheet:
    widths = [_width(name, table.column(name)) for name in table.column_names]
    columns = [table.column(name).to_pylist() for name in table.column_names]
    return Sheet(sheet, table.column_names, zip(*columns, strict=True), widths)


def _width(name: str, column: pa.ChunkedArray) -> int:
    longest = max((len(str(each)) for each in column.slice(0, 200).to_pylist()), default=0)
    return min(_WIDEST, max(len(name), longest) + 2)
