"""A PostgreSQL server of our own, on a socket in a folder of its own, gone at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def tool(name: str) -> str | None:
    """A program of the server; Debian keeps them off the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(versions[-1]) if versions else None)


@contextmanager
def server() -> Iterator[str]:
    """URL of an empty database; raises FileNotFoundError where no server is installed."""
    initdb, pg_ctl = tool("initdb"), tool("pg_ctl")
    if initdb is None or pg_ctl is None:
        raise FileNotFoundError(
            "no PostgreSQL server on this machine (scripts/install-system-parts)"
        )
    folder = Path(tempfile.mkdtemp(prefix="ffp-hub-pg-"))
    user = None
    if os.geteuid() == 0:  # the server refuses to run as root
        user = "nobody"
        shutil.chown(folder, user)
    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    try:
        run(initdb, "-D", str(data), "-U", "hub", "-A", "trust", "--no-sync", "-E", "UTF8")
        waiting = ("-w", "-t", "600")  # seconds that a busy machine has
        run(pg_ctl, "-D", str(data), "-l", str(folder / "log"), "-o", options, *waiting, "start")
        yield f"postgresql+psycopg2://hub@/postgres?host={folder}"
    finally:
        if (data / "postmaster.pid").exists():
            run(pg_ctl, "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)
