"""A connection shut to the world before a release reads from it.

The warehouse is attached first, since its key and the extension that reads it come from files; then files,
network, other databases, extensions, settings and the process's own variables are out of reach for
good. No directory is left open but the engine's own for spilling: the gate writes its files itself, so
nothing needs COPY. What stays possible (copying into the spill folder, a Parquet key, reading the settings)
needs a statement of one's own, and the gate runs none but its generated SELECTs.
"""

from __future__ import annotations

import duckdb

_LOCK = (
    "SET python_enable_replacements = false",
    "SET allowed_directories = []",
    "SET allowed_paths = []",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def lock(con: duckdb.DuckDBPyConnection) -> None:
    """Shut the connection's instance for good; a second call changes nothing."""
    if not is_locked(con):
        for statement in _LOCK:
            con.execute(statement)


def is_locked(con: duckdb.DuckDBPyConnection) -> bool:
    row = con.execute(
        "SELECT current_setting('lock_configuration') AND NOT current_setting('enable_external_access')"
    ).fetchone()
    return bool(row and row[0])
