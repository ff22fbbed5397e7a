"""Connections to the warehouse: one DuckDB file, encrypted at rest with AES-256-GCM.

DuckDB writes encrypted files only through OpenSSL, which its signed `httpfs` extension carries; the
extension comes as a pinned package of the lock, so nothing is fetched at run time. A connection lives
in memory and attaches the file as catalog `warehouse`; DuckDB lets one process write at a time, which
is why runs are queued one by one (see docs/decisions/001-stack.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import duckdb
import duckdb_extension_httpfs

from ffp_data.fence import pass_fence
from ffp_data.home.pending import require_none
from ffp_data.settings import Home
from ffp_data.sql_text import literal
from governance.files import fsync_directory
from governance.keys import KeyStore

CATALOG = "warehouse"
SCHEMAS = (
    "raw",
    "identity",
    "quarantine",
    "meta",
    "staging",
    "intermediate",
    "single_view",
    "returns",
    "matching",
    "timeliness",
    "lists",
)


@cache
def httpfs_extension() -> Path:
    """Path of the signed extension binary inside the installed wheel.

    Raises FileNotFoundError when the wheel does not match the installed DuckDB.
    """
    root = Path(duckdb_extension_httpfs.__file__).parent
    found = sorted(root.rglob("httpfs.duckdb_extension"))
    if not found:
        raise FileNotFoundError(
            f"no httpfs.duckdb_extension under {root}: install duckdb-extension-httpfs=={duckdb.__version__}"
        )
    return found[0]


def warehouse_key(home: Home) -> str:
    """The encryption key of the warehouse file, as DuckDB and dbt take it."""
    return KeyStore(home.keys_dir).warehouse_key


@contextmanager
def connect(home: Home, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose current catalog is the encrypted warehouse of `home`; closed on leaving.

    Raises duckdb.IOException when another process holds the file for writing, LeaseLostError when the
    run of this process was overtaken by another, SealUnfinishedError while a seal is under way.
    """
    require_none(home)
    keys = KeyStore(home.keys_dir)  # as long as the file is open, so that a rotation waits
    with lent_engine(home) as connection:
        attach(connection, home.warehouse, CATALOG, keys.warehouse_key, read_only=read_only)
        connection.execute(f"USE {CATALOG}")
        if not read_only:
            for schema in SCHEMAS:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            pass_fence(connection, home)
        yield connection


def engine(home: Home | None = None, *, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """An empty DuckDB in memory that can attach encrypted files; it spills, encrypted, into the home's scratch."""
    # Spill holds rows of those files.
    con = duckdb.connect(":memory:", config={"temp_file_encryption": "true", "threads": threads})
    if home is not None:
        _spill_into(con, home)
    con.execute(f"LOAD {literal(httpfs_extension())}")
    return con


@contextmanager
def lent_engine(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """`engine`, lent from the idle ones of this process: DuckDB checks the signature of the extension whenever
    it loads it, 60 of the 70 ms of processor that a connection to the warehouse takes with an engine of its own.

    Each is lent to one at a time, and only while it is as good as new: nothing attached, nothing in memory,
    nothing spilled, all settings as they were. One whose borrower failed is closed.
    """
    try:
        base, settings = _IDLE.pop()
    except IndexError:
        base = engine()
        settings = _settings(base)
    try:
        _spill_into(base, home)
        # Closing it takes along what was temporary, and an open transaction.
        with closing(base.cursor()) as con:
            yield con
    except BaseException:
        base.close()
        raise
    if _is_emptied(base) and _settings(base) == settings:
        _IDLE.append((base, settings))
    else:
        base.close()


_IDLE: deque[tuple[duckdb.DuckDBPyConnection, int]] = deque(maxlen=2)
"""Engines that nobody uses, each with a digest of its settings when it was new."""


def _is_emptied(base: duckdb.DuckDBPyConnection) -> bool:
    """Detach all, memory too; False for an engine that spilled or was locked, whose settings stay as they are."""
    try:
        base.execute("SET temp_directory = ''")
        base.execute("ATTACH ':memory:' AS spare; USE spare")
        attached = base.execute(
            "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name <> 'spare'"
        ).fetchall()
        for (name,) in attached:
            base.execute(f'DETACH "{name}"')
        base.execute("ATTACH ':memory:' AS memory; USE memory; DETACH spare")
    except duckdb.Error:
        return False
    return True


def _settings(base: duckdb.DuckDBPyConnection) -> int:
    row = base.execute(
        "SELECT bit_xor(hash(name, value)) FROM duckdb_settings()"
        " WHERE scope = 'GLOBAL' AND name <> 'temp_directory'"
    ).fetchone()
    assert row is not None, "an aggregate gives one row"
    return int(row[0])


def _spill_into(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    con.execute(f"SET temp_directory = {literal(home.scratch / 'spill')}")


@cache
def shared_engine() -> duckdb.DuckDBPyConnection:
    """An engine of this process, for small encrypted files that are opened again and again: take a cursor of it.

    DuckDB checks the signature of the extension whenever it loads it, 60 ms each time.
    """
    return engine()


def attach(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    key: str,
    *,
    read_only: bool = False,
    row_group: int | None = None,
) -> None:
    """Show an encrypted file as catalog `name`; a new one keeps its tables in groups of so many rows.

    Raises duckdb.IOException for one in use or under another key.
    """
    options = f"ENCRYPTION_KEY '{key}'" + (", READ_ONLY" if read_only else "")
    options += f", ROW_GROUP_SIZE {row_group}" if row_group else ""
    con.execute(f"ATTACH {literal(path)} AS {name} ({options})")


def opens_with(path: Path, key: str) -> bool:
    """Whether a key opens an encrypted DuckDB file. Raises duckdb.IOException for one in use."""
    with closing(engine()) as con:
        try:
            attach(con, path, "tried", key)
        except duckdb.IOException as error:
            if "lock" in str(error).lower():
                raise
            return False
        except duckdb.Error:
            return False
        return True


def copy_encrypted(path: Path, old: str, new: str) -> None:
    """Put a copy under the key ``new`` in the place of a file under ``old``, in one step; nobody may have it open."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with closing(engine()) as con:
        attach(con, path, "old", old)
        con.execute("CHECKPOINT old")  # its log must not be taken for that of the copy
        attach(con, part, "new", new)
        con.execute("COPY FROM DATABASE old TO new")
        con.execute("CHECKPOINT new")
    part.chmod(path.stat().st_mode & 0o777)
    for log in (path, part):
        log.with_name(log.name + ".wal").unlink(missing_ok=True)
    part.replace(path)
    fsync_directory(path.parent)
