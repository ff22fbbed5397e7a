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
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from ffp_data.hub import at_rest
from ffp_data.hub.errors import StorageError

_WRITER = "hub_writer"
_WAIT_SECONDS = 600  # for another run to finish; a run of 300,000 records takes well under one


def create_engine(url: str) -> sa.Engine:
    """Engine for ``sqlite:///…``, ``postgresql://…`` or an encrypted file (`ffp_data.hub.at_rest`)."""
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    arguments = {"timeout": _WAIT_SECONDS} if is_sqlite else {}
    make = at_rest.create_engine if at_rest.is_ours(parsed) else sa.create_engine
    # Parameters are record keys and evidence: no error may repeat them.
    engine = make(parsed, connect_args=arguments, hide_parameters=True)
    return prepared(engine) if is_sqlite else engine


def prepared(engine: sa.Engine) -> sa.Engine:
    """An engine on SQLite whose transactions are those of the hub."""
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
    """One transaction that no other writer can be in; committed at the end, or rolled back.

    Raises StorageError when the database can't be written: then nothing of the transaction is kept.
    """
    with _told_plainly(engine), _writer(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE hub_run IN SHARE ROW EXCLUSIVE MODE")
        yield connection


def migrate(engine: sa.Engine) -> None:
    """Bring the tables to the newest version, in one transaction; a look, if they are there already.

    Raises StorageError when the database can't be opened or written.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with _told_plainly(engine):
        if _is_current(engine, config):
            return
        with _writer(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(
                    "SELECT pg_advisory_xact_lock(hashtext('ffp_hub_migrate'))"
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _is_current(engine: sa.Engine, config: Config) -> bool:
    """A reader must not wait for a run's transaction to learn that there is nothing to migrate."""
    with engine.connect() as connection:
        now = MigrationContext.configure(connection).get_current_revision()
    return bool(now == ScriptDirectory.from_config(config).get_current_head())


@contextmanager
def _writer(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect().execution_options(**{_WRITER: True}) as connection, connection.begin():
        yield connection


@contextmanager
def _told_plainly(engine: sa.Engine) -> Iterator[None]:
    """What the driver says of a full disk or a folder without permission, and what to do about it."""
    try:
        yield
    except sa.exc.OperationalError as error:
        place = engine.url.render_as_string(hide_password=True).partition("?")[0]
        reason = " ".join(str(error.orig).split())
        raise StorageError(
            f"{place}: {reason}. Nothing of this step was kept in the hub. See to space, permissions "
            "and server, then run again: what was finished before is not done twice"
        ) from error
