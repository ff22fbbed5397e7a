"""The fence of the warehouse: it remembers the newest token that wrote it, and lets no older one in.

The process that holds a home's lease (`ffp_data.hub.lease`) carries its token here, and every connection
that may write passes the fence. DuckDB lets one process hold the file, from before the check to the end
of the connection, so a token that passed stays the newest that wrote until then; dbt, which opens the
file by itself, passes the same fence at its start (`dbt_project/macros/fence.sql`). A process that carries
no token, such as a test of one step, isn't checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from ffp_data.settings import Home

_CARRIED: dict[Home, Pass] = {}


@dataclass(frozen=True, slots=True)
class Pass:
    """The token of a lease, and a question to the hub that raises when it is not the newest."""

    token: int
    require_newest: Callable[[], None]


def token_of(home: Home) -> int | None:
    """The token that this process carries for a home."""
    carried = _CARRIED.get(home)
    return carried.token if carried else None


@contextmanager
def carrying(home: Home, shown: Pass) -> Iterator[None]:
    """Let every connection of this process to the warehouse of `home` show this pass."""
    _CARRIED[home] = shown
    try:
        yield
    finally:
        del _CARRIED[home]


def pass_fence(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Show the token to the warehouse and leave it there; raises LeaseLostError for an older one.

    A number that the hub never gave comes from before its database was restored or lost: if ours is
    the hub's newest all the same, it holds.
    """
    carried = _CARRIED.get(home)
    if carried is None:
        return
    con.execute("CREATE TABLE IF NOT EXISTS meta.fence (token BIGINT)")
    row = con.execute("SELECT max(token) FROM meta.fence").fetchone()
    newest = row[0] if row else None
    if newest == carried.token:
        return
    if newest is not None and newest > carried.token:
        carried.require_newest()
    con.execute("CREATE OR REPLACE TABLE meta.fence AS SELECT ?::BIGINT AS token", [carried.token])
