"""An empty database for a hub: a SQLite file, or a PostgreSQL server of our own, and how large it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa


@contextmanager
def url_of(kind: str, folder: Path) -> Iterator[str]:
    """URL of an empty database of the kind ``sqlite`` (in ``folder``) or ``postgresql``."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/hub.db"
        return
    with _server() as url:
        yield url


def _tool(name: str) -> str:
    """A tool of the server; Debian keeps them off the path. Raises FileNotFoundError."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(versions[-1]) if versions else None)
    if found is None:
        raise FileNotFoundError(f"{name}: no PostgreSQL server on this machine")
    return found


@contextmanager
def _server() -> Iterator[str]:
    """A server with its defaults (fsync too), on a socket in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="ffp-bench-pg-"))
    user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user:
        shutil.chown(folder, user)
    data, ctl = folder / "data", _tool("pg_ctl")

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
    try:
        run(_tool("initdb"), "-D", str(data), "-U", "hub", "-A", "trust", "-E", "UTF8")
        run(ctl, "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
        yield f"postgresql+psycopg2://hub@/postgres?host={folder}"
    finally:
        if (data / "postmaster.pid").exists():
            run(ctl, "-D", str(data), "-m", "fast", "stop")
        shutil.rmtree(folder)


def size_mb(url: str) -> float:
    """Megabytes: of SQLite the file once its log is taken in, of PostgreSQL the hub's tables and indexes."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            size = Path(str(engine.url.database)).stat().st_size
        else:
            size = connection.scalar(sa.text(_TABLES)) or 0
    engine.dispose()
    return round(float(size) / 1e6, 1)


_TABLES = """
SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'hub%'
"""
