"""The published view, open for reading: the newest file, and whoever still reads an older one is let finish."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ffp_data.serving import NothingPublishedError, store
from ffp_data.serving.changes import META
from ffp_data.serving.view import FEEDS, PROTECTED, ROOM
from ffp_data.settings import Home
from ffp_data.warehouse import attach, engine

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Published:
    """One published view: rows by SQL, and the run that made it."""

    file: tuple[Path, int, int]
    run_id: str
    as_at: str
    confident_from: float
    number: int
    """Of the publication, in the row that the run `began` began."""
    began: str
    protected: frozenset[str]
    _connection: duckdb.DuckDBPyConnection

    @cached_property
    def feeds(self) -> Mapping[str, Row]:
        """The feeds by name, as they stood when the view was made."""
        return {row["feed"]: row for row in self.rows(f"FROM {FEEDS}")}

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a query over the published tables; safe for several threads."""
        with self._connection.cursor() as own, _of_this_version(self.file[0]):
            own.execute("USE view")
            found = own.execute(sql, parameters)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def arrow(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The same as a table with its types."""
        with self._connection.cursor() as own, _of_this_version(self.file[0]):
            own.execute("USE view")
            return own.execute(sql, parameters).to_arrow_table()


class View:
    """The newest published view of a home."""

    def __init__(self, home: Home) -> None:
        """Nothing is opened before it is asked for."""
        self._home = home
        self._opening = threading.Lock()
        self._open: Published | None = None

    def newest(self) -> Published:
        """The view that counts now; raises NothingPublishedError."""
        path = store.current(self._home, ROOM)
        if path is None:
            raise NothingPublishedError(
                f"{self._home.serving / ROOM}: no run has published a view; make one: ffp run"
            )
        held, file = self._open, _file(path)
        if held is None or held.file != file:
            with self._opening:
                if self._open is None or self._open.file != file:
                    self._open = _opened(self._home, path)
                held = self._open
        return held


@contextmanager
def _of_this_version(path: Path) -> Iterator[None]:
    """After an update the view may lack a table or a column that pages read now, until the next run."""
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise NothingPublishedError(
            f"{path}: made by another version of the hub; make it anew: ffp run"
        ) from error


def _file(path: Path) -> tuple[Path, int, int]:
    """Which file it is: a seal writes another one in the same place, and the old one must not be read on."""
    found = path.stat()
    return path, found.st_ino, found.st_mtime_ns


def _opened(home: Home, path: Path) -> Published:
    file = _file(path)
    con = engine(home, threads=1)  # many short answers at once, each from one stretch of a table
    attach(con, path, "view", store.key_of(home), read_only=True)
    con.execute("USE view")
    with _of_this_version(path):
        ((run_id, as_at, confident_from, number, began),) = con.execute(
            f"SELECT run_id, as_at, confident_from, number, began FROM {META}"
        ).fetchall()
    protected = frozenset(row[0] for row in con.execute(f"FROM {PROTECTED}").fetchall())
    return Published(file, run_id, as_at, confident_from, number, began, protected, con)
