"""Pulls a case system's drop through a read-only SQL connection, so that all that follows is the same.

The connection is made read-only by the database's own means before the first statement, and nothing is
sent but SELECT of declared columns, of declared tables, that an agreement lets in. Rows are streamed
into CSV files; the folder gets its name only when it is whole. Addresses and passwords stand in no
error, log or file: what the driver says is left out, because drivers quote both.
"""

from __future__ import annotations

import csv
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
import yaml
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import quoted_name

from ffp_data.feeds.case_system import Profile, TableMap
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.drop import Manifest, ManifestTable, require_tables, source_of
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import sha256
from ffp_data.feeds.landing import MANIFEST
from ffp_data.feeds.mapped import OWN, source_columns

BATCH = 10_000
WINDOW_YEARS = 6  # the dataset's own window (@ssd_timeframe_years); the database does not say
_CONSISTENT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_OPTIONS: dict[str, dict[str, object]] = {
    "postgresql": _CONSISTENT,
    "sqlite": {},  # the file itself is opened for reading alone
    "mssql": {},  # knows no read-only transaction: the login must hold db_datareader and no more
    "oracle": {},
}
_FIRST = {"oracle": "SET TRANSACTION READ ONLY"}

_AS_IT_STANDS = TableMap.model_validate({"status": "evidenced"})

Columns = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Pull:
    """What to pull. `allowed`: columns by table that an agreement lets in; `at`: UTC, names the folder."""

    contract: Contract
    profile: Profile
    allowed: Columns
    la_code: str
    at: datetime
    signed_off_by: str
    schema: str | None = None
    has_early_help_only: bool = False

    @property
    def folder(self) -> str:
        return f"ssd_{self.profile.system}_{self.at:%Y%m%dT%H%M%SZ}"


def pull(url: str, wanted: Pull, out: Path) -> Path:
    """Write the drop under `out`; returns its folder.

    Raises FeedError: sql_url, sql_driver, sql_database for the connection, missing_table when the
    database lacks what the profile does not excuse, exists when the folder is there already.
    """
    folder = out / wanted.folder
    if folder.exists():
        raise _fault("exists", f"{folder.name} is there already", "pull again a second later")
    part = out / f".{wanted.folder}.part"
    shutil.rmtree(part, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    part.mkdir(mode=0o700)
    try:
        with read_only(url) as connection, _told_safely():
            tables = _write_tables(connection, wanted, part)
        manifest = _manifest(wanted, tables)
        text = yaml.safe_dump(manifest.model_dump(mode="json"), sort_keys=False)
        (part / MANIFEST).write_text(text, "utf-8")
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


@contextmanager
def read_only(url: str) -> Iterator[sa.Connection]:
    """A connection on which the database itself refuses to write (SQL Server: see docs/case-systems.md)."""
    with _told_safely():
        engine = _engine(url)
    try:
        with _told_safely():
            connection = engine.connect()
        with closing(connection):
            with _told_safely():
                connection = connection.execution_options(**_OPTIONS[engine.dialect.name])
                if first := _FIRST.get(engine.dialect.name):
                    connection.execute(sa.text(first))
            yield connection
    finally:
        engine.dispose()


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        known = parsed.get_backend_name() in _OPTIONS
    except SQLAlchemyError:
        known = False
    if not known:
        raise _fault(
            "sql_url",
            f"not the URL of one of {', '.join(_OPTIONS)}",
            "write it as dialect+driver://user:password@host/database",
        )
    if parsed.get_backend_name() == "sqlite":
        place = f"file:{quote(parsed.database or '')}?mode=ro"
        return sa.create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(place, uri=True), poolclass=NullPool
        )
    return sa.create_engine(parsed, hide_parameters=True, poolclass=NullPool)


@contextmanager
def _told_safely() -> Iterator[None]:
    """Turns what a driver says, which may quote addresses, passwords and rows, into words of our own."""
    try:
        yield
    except ImportError as error:
        driver = error.name or "its driver"
        raise _fault(
            "sql_driver", f"{driver} is not installed", "install the driver that the URL names"
        ) from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _fault(
            "sql_database",
            f"the database could not be read ({type(error).__name__})",
            "try the URL with the database's own client; the login needs SELECT on the tables",
        ) from None


def _write_tables(connection: sa.Connection, wanted: Pull, part: Path) -> tuple[ManifestTable, ...]:
    inspector = sa.inspect(connection)
    views = inspector.get_view_names(wanted.schema)
    there = {n.lower(): n for n in (*views, *inspector.get_table_names(wanted.schema))}
    allowed = {t.name for t in wanted.contract.tables if t.name in wanted.allowed}
    present = {
        name: name for name in there if name not in wanted.contract.by_name or name in allowed
    }
    covered = wanted.contract.model_copy(
        update={"tables": tuple(t for t in wanted.contract.tables if t.name in allowed)}
    )
    require_tables(wanted.folder, covered, wanted.profile, present)
    written = []
    for name, columns in sorted(_wanted_columns(wanted, present).items()):
        own = inspector.get_columns(there[name], wanted.schema)
        kept = [str(c["name"]) for c in own if str(c["name"]).casefold() in columns]
        if kept:
            table = quoted_name(there[name], quote=True)
            written.append(_write(connection, wanted, table, kept, part / f"{name}.csv"))
    return tuple(written)


def _wanted_columns(wanted: Pull, present: Mapping[str, str]) -> dict[str, set[str]]:
    """Plain name of each database table to read -> its columns, in lower case."""
    found: dict[str, set[str]] = {}
    for table in wanted.contract.tables:
        source = source_of(table.name, wanted.profile, present)
        if table.name not in wanted.allowed or source not in present:
            continue
        mapping = wanted.profile.tables.get(table.name)
        if mapping is None or (mapping.from_ and source == table.name):
            mapping = _AS_IT_STANDS
        for lookup, columns in source_columns(table, mapping, wanted.allowed[table.name]).items():
            file = source if lookup == OWN else mapping.lookups[lookup].file.lower()
            if file in present:
                found.setdefault(file, set()).update(c.casefold() for c in columns)
    return found


def _write(
    connection: sa.Connection, wanted: Pull, table: quoted_name, columns: list[str], path: Path
) -> ManifestTable:
    clauses: list[sa.ColumnClause[object]] = [
        sa.column(quoted_name(name, quote=True)) for name in columns
    ]
    query = sa.select(*clauses).select_from(sa.table(table, *clauses, schema=wanted.schema))
    rows = 0
    with (
        path.open("w", encoding="utf-8", newline="") as file,
        connection.execution_options(stream_results=True, yield_per=BATCH).execute(query) as result,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for batch in result.partitions():
            writer.writerows([_text(value) for value in row] for row in batch)
            rows += len(batch)
    return ManifestTable(name=path.stem, rows=rows, sha256=sha256(path))


def _text(value: object) -> str:
    """A value as the reader takes it: ISO dates, 1 and 0, plain decimals, nothing for NULL."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case Decimal():
            return format(value, "f")
        case bytes():
            return value.decode("utf-8", errors="replace")
    return str(value)


def _manifest(wanted: Pull, tables: tuple[ManifestTable, ...]) -> Manifest:
    return Manifest(
        la_code=wanted.la_code,
        case_system=wanted.profile.system,
        ssd_version="unknown",
        extract_started=wanted.at,
        extract_finished=wanted.at,
        window_years=WINDOW_YEARS,
        cohort_includes_early_help=wanted.has_early_help_only,
        tables=tables,
        signed_off_by=wanted.signed_off_by,
    )


def _fault(rule: str, message: str, remedy: str) -> FeedError:
    return FeedError(rule, message, remedy, file="database")
