"""The gate before the build: no model may read what no agreement gives for the model's purpose.

Every model is made a view over empty copies of the stored tables, one view on another as the models
stand on one another. The engine's own plan of a model then names each stored column that reaches it,
through every model between, whatever the SQL is written like: a copy cannot launder, and to filter by
a column, to join on it or to count its rows is to read it. What the engine cannot tell (a file, another
database, a model in Python, a statement beside the model's own) is refused: what cannot be named cannot
be permitted.

Of each stored table it is known what it is. A *feed's* table: each of its columns needs an agreement that
gives it for the purpose. A *pool* holds rows of many feeds: a model that reads more than its keys must
also read the column that says for which feeds an agreement is in force, its door. A *shut* table is read
by one model, which lets through what agreements in force give; that model counts as stored. *Free* tables
(code lists, the hub's own identifiers) say nothing that an agreement gave. Every other table is refused.

An agreement that is suspended still names its columns: its rows are withheld by the door, and one
withdrawal does not stop what others permit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb

from governance.policy.compile import Lock
from governance.policy.model import is_below
from governance.readset import ROWS, Column, UnreadableQueryError, reading
from governance.syntax import quoted

Table = tuple[str, str]
"""Schema and name of a table."""


@dataclass(frozen=True)
class Model:
    """One model as dbt compiled it; ``besides`` are statements that would run beside its query."""

    table: Table
    sql: str
    purposes: tuple[str, ...]
    needs_purpose: bool = True
    language: str = "sql"
    besides: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return ".".join(self.table)


@dataclass(frozen=True)
class FeedTable:
    """A table of a feed, and for each of its columns the column of the agreement that it holds.

    A column that holds none of them (a key, the delivery, the line) comes with any of the others.
    """

    feed: str
    table: str
    agreed_as: Mapping[str, str]


@dataclass(frozen=True)
class Pool:
    """Rows of many feeds: columns that are mere keys, and for each purpose the columns that are its doors.

    One of them must be read too; a purpose with no door to pass is open, and one not named is closed.
    """

    keys: frozenset[str]
    doors: Mapping[str, tuple[Column, ...]]

    def doors_for(self, purpose: str) -> tuple[Column, ...] | None:
        """The doors of the narrowest purpose that covers this one; None where it is closed."""
        covering = [each for each in self.doors if is_below(purpose, each)]
        return self.doors[max(covering, key=len)] if covering else None


@dataclass(frozen=True)
class Shut:
    """A table that these models alone may read; the last of them counts as stored for all others."""

    readers: tuple[Table, ...]


@dataclass(frozen=True)
class Free:
    """A table that holds nothing which an agreement gave."""


Stored = FeedTable | Pool | Shut | Free


@dataclass(frozen=True, order=True)
class Refusal:
    """Why a model may not be built: what it reads, for what, and what is missing."""

    model: str
    source: str
    purpose: str
    missing: str

    def __str__(self) -> str:
        aim = f" for {self.purpose}" if self.purpose else ""
        return f"{self.model} reads {self.source}{aim}: {self.missing}"


@dataclass(frozen=True)
class Gate:
    """The policy's answer to what a model reads: ``stored`` says what each table of the warehouse is."""

    lock: Lock
    stored: Mapping[Table, Stored]

    def refusals(
        self,
        models: Sequence[Model],
        columns: Mapping[Table, Mapping[str, str]],
        examine: Examine | None = None,
    ) -> list[Refusal]:
        """Every reason why one of the models may not be built; none: all may.

        ``columns`` has name and SQL type of the columns of each stored table. ``examine`` is `examined`, or
        what knows its answer; the policy is asked each time.
        """
        seen = (examine or examined)(models, columns, frozenset(self.stored))
        fallen = {each.model for each in seen.refused}
        found = list(seen.refused)
        for model in models:
            if model.name not in fallen:
                found += self.of_model(seen.columns_of, model)
        return sorted(set(found))

    def of_model(
        self, columns_of: Callable[[str], frozenset[Column]], model: Model
    ) -> Iterator[Refusal]:
        """Reasons against one model, by the columns that its SQL reads in the replica."""
        if model.needs_purpose and not model.purposes:
            yield Refusal(model.name, "anything", "", "a purpose; name one under the model's meta")
        try:
            read = columns_of(model.sql)
        except UnreadableQueryError as error:
            yield Refusal(model.name, "what cannot be examined", "", str(error))
            return
        for column in sorted(read):
            for purpose in model.purposes or ("",):
                if missing := self._missing(model, column, purpose, read):
                    yield Refusal(model.name, ".".join(column), purpose, missing)

    def _missing(
        self, model: Model, column: Column, purpose: str, read: frozenset[Column]
    ) -> str | None:
        """What a read lacks; without a purpose it is enough that some agreement gives the column."""
        match self.stored.get((column.schema, column.table)):
            case Free():
                return None
            case Shut(readers):
                shut = f"its door; read {'.'.join(readers[-1])} instead"
                return None if model.table in readers else shut
            case Pool() as pool:
                return _closed(pool, column, purpose, read)
            case FeedTable() as table:
                return self._not_given(table, column.column, purpose)
        return "no feed, pool or list that the hub knows"

    def _not_given(self, table: FeedTable, column: str, purpose: str) -> str | None:
        given = self._given.get((table.feed, table.table), {})
        agreed_as = table.agreed_as.get(column)
        names = list(given) if agreed_as is None else [agreed_as]
        purposes = {agreed for name in names for agreed in given.get(name, ())}
        if any(not purpose or is_below(purpose, each) for each in purposes):
            return None
        agreed = f"it is given for {', '.join(sorted(purposes))}" if purposes else "none gives it"
        return f"an agreement that gives {table.feed}.{table.table}.{column}; {agreed}"

    @cached_property
    def _given(self) -> dict[tuple[str, str], dict[str, set[str]]]:
        """For each table of a feed the purposes that its columns were agreed for."""
        given: dict[tuple[str, str], dict[str, set[str]]] = {}
        for entry in self.lock.data["agreements"].values():
            terms: dict[str, Any] = entry["terms"]
            if terms["direction"] != "inbound" or terms["status"] == "draft":
                continue
            for item in terms["items"]:
                columns = given.setdefault((item["feed"], item["table"]), {})
                for column in item["columns"]:
                    purposes = item.get("purposes", terms["purposes"])
                    columns.setdefault(column, set()).update(purposes)
        return given


@dataclass(frozen=True)
class Examined:
    """What the engine says of a project: models that cannot stand, and by its SQL what each other one reads."""

    refused: tuple[Refusal, ...]
    reads: Mapping[str, frozenset[Column] | UnreadableQueryError]

    def columns_of(self, sql: str) -> frozenset[Column]:
        """What the query of a model that stands reads; raises UnreadableQueryError."""
        read = self.reads[sql]
        if isinstance(read, UnreadableQueryError):
            raise read
        return read


Examine = Callable[[Sequence[Model], Mapping[Table, Mapping[str, str]], frozenset[Table]], Examined]
"""Models, the columns of the stored tables, and which relations count as stored -> what the engine says."""


def examined(
    models: Sequence[Model],
    columns: Mapping[Table, Mapping[str, str]],
    solid: frozenset[Table],
) -> Examined:
    """Ask the engine about each model on empty copies of the stored tables."""
    with replica(columns, solid) as warehouse:
        refused = tuple(warehouse.stand(models))
        fallen = {each.model for each in refused}
        standing = [model.sql for model in models if model.name not in fallen]
        with reading(warehouse.con) as columns_of:
            return Examined(refused, {sql: _read(columns_of, sql) for sql in standing})


def _read(
    columns_of: Callable[[str], frozenset[Column]], sql: str
) -> frozenset[Column] | UnreadableQueryError:
    try:
        return columns_of(sql)
    except UnreadableQueryError as error:
        return error


def _closed(pool: Pool, column: Column, purpose: str, read: frozenset[Column]) -> str | None:
    if not purpose or column.column == ROWS or column.column in pool.keys:
        return None
    doors = pool.doors_for(purpose)
    if doors is None:
        return "a door; no feed may give it for this purpose"
    if not doors or read.intersection(doors):
        return None
    named = " or ".join(".".join(door) for door in doors)
    return f"its door; read {named} and keep the rows it lets in"


@dataclass(frozen=True)
class Replica:
    """The warehouse without rows, and the models as views in it; those that are ``solid`` as tables."""

    con: duckdb.DuckDBPyConnection
    solid: frozenset[Table]

    def stand(self, models: Sequence[Model]) -> Iterator[Refusal]:
        """Make each model a view, whatever their order; gives those that cannot be one."""
        waiting = []
        for model in models:
            if refusal := _no_query(model):
                yield refusal
            else:
                waiting.append(model)
        while waiting:
            failed = {each.name: error for each in waiting if (error := self._make(each))}
            if len(failed) == len(waiting):
                for name, error in failed.items():
                    yield Refusal(name, "what cannot be examined", "", error)
                return
            waiting = [each for each in waiting if each.name in failed]

    def _make(self, model: Model) -> str | None:
        try:
            self.con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(model.table[0])}")
            kind = "TABLE" if model.table in self.solid else "VIEW"
            self.con.execute(f"CREATE OR REPLACE {kind} {_named(model.table)} AS {model.sql}")
        except duckdb.Error as error:
            return str(error).splitlines()[0]
        return None


@contextmanager
def replica(
    columns: Mapping[Table, Mapping[str, str]],
    solid: frozenset[Table] = frozenset(),
    catalog: str = "warehouse",
) -> Iterator[Replica]:
    """Empty copies of the stored tables in memory, under the catalogue's own name."""
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as con:
        con.execute(f"ATTACH ':memory:' AS {quoted(catalog)}")
        con.execute(f"USE {quoted(catalog)}")
        for table, types in columns.items():
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table[0])}")
            listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in types.items())
            con.execute(f"CREATE TABLE {_named(table)} ({listed})")
        yield Replica(con, solid)


def _no_query(model: Model) -> Refusal | None:
    if model.language != "sql":
        missing = "a query; a program can read anything, write it in SQL"
        return Refusal(model.name, f"by {model.language}", "", missing)
    if model.besides:
        missing = "a query alone; leave out statements beside it"
        return Refusal(model.name, "by a hook", "", missing)
    return None


def _named(table: Table) -> str:
    return ".".join(map(quoted, table))
