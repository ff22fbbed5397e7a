"""Engines, transactions and migrations for the hub on SQLite and PostgreSQL.

A writer holds the hub alone from its first statement to its commit, so that two runs
can't interleave: on SQLite by ``BEGIN IMMEDIATE``, on PostgreSQL by a lock on the run
table that still lets readers read. Readers see the last committed run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

_WRITER = "hub_writer"
_WAIT_SECONDS = 600  # for another run to finish; a run of 300,000 records takes well under one


def create_engine(url: str) -> sa.Engine:
    """Engine for ``sqlite:///…`` or ``postgresql://…``."""
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    engine = sa.create_engine(url, connect_args={"timeout": _WAIT_SECONDS} if is_sqlite else {})
    if is_sqlite:
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Python's driver begins transactions late and only for some statements: switched off,
    # so that _begin_sqlite says when one begins.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    is_writer = connection.get_execution_options().get(_WRITER, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that no other writer can be in; committed at the end, or rolled back."""
    with engine.connect().execution_options(**{_WRITER: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE hub_run IN SHARE ROW EXCLUSIVE MODE")
        yield connection


def migrate(engine: sa.Engine) -> None:
    """Bring the tables to the newest version, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect().execution_options(**{_WRITER: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('ffp_hub_migrate'))")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
