"""Dagster's history of runs in SQLite, as Dagster keeps it, without opening a file for every statement.

Dagster makes a new engine and a new connection for each of the three or four statements of an event,
which for the thousand events of a run took longer than dbt. Here the connections of the files in use
stay open. Commits wait for the disk less often: after a power cut the history may lack its last
moments, but is not damaged. Nothing that must be kept lies there: that is the ledger's and the hub's.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from dagster import StringSource
from dagster._core.storage.event_log import SqliteEventLogStorage  # public by dagster.yaml alone
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event, inspect

INDEX = "index"  # the file of what is known across runs; each run has a file of its own
OPEN_FILES = 4  # a web server looks into many runs, one after the other
PATIENCE = 60  # seconds to wait for another process that writes


class RunHistory(SqliteEventLogStorage):
    """Event log of `$DAGSTER_HOME`, in the files and the layout of Dagster's own SQLite storage."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._one_at_a_time = threading.RLock()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"dagster_home": StringSource}

    @classmethod
    def from_config_value(  # type: ignore[override]  # Dagster's own subclasses differ in it too
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, str]
    ) -> RunHistory:
        runs = Path(config_value["dagster_home"]) / "history" / "runs"  # where Dagster has them too
        return cls(str(runs), inst_data)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        # Empty, not None, is the id of what the daemon tells outside a run, such as a late asset.
        assert run_id is not None, "each run has a file of its own"
        return self._transaction(run_id)

    def index_connection(self) -> AbstractContextManager[Connection]:
        return self._transaction(INDEX)

    def has_table(self, table_name: str) -> bool:
        with self._one_at_a_time:  # Dagster asks this in the middle of a transaction
            return inspect(self._engine(INDEX)).has_table(table_name)

    def wipe(self) -> None:
        self._close()
        super().wipe()

    def dispose(self) -> None:
        self._close()
        super().dispose()

    @contextmanager
    def _transaction(self, shard: str) -> Iterator[Connection]:
        with self._one_at_a_time:
            with self._engine(shard).begin() as connection:
                driver: Any = connection.connection.driver_connection
                before = driver.total_changes
                yield connection
                has_written = driver.total_changes > before
            if (
                has_written
            ):  # what is new lies beside the file; the pages follow a run by watching it
                os.utime(self.path_for_shard(shard))

    def _engine(self, shard: str) -> Engine:
        """The engine of a file; the one unused for longest is closed to make room."""
        engine = self._engines.pop(shard, None) or self._opened(shard)
        while len(self._engines) >= OPEN_FILES:
            self._engines.pop(next(iter(self._engines))).dispose()
        self._engines[shard] = engine
        return engine

    def _opened(self, shard: str) -> Engine:
        with super().run_connection(shard):
            pass  # Dagster makes the file and its tables where they are missing
        address = self.conn_string_for_shard(shard)
        engine = create_engine(address, connect_args={"timeout": PATIENCE})
        event.listen(engine, "connect", _wait_less)
        return engine

    def _close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def _wait_less(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
