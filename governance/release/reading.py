"""Reading of what leaves: the generated view of each relation, on a locked connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from governance.grants import ReleaseDecision
from governance.pseudonym import pseudonymise
from governance.release.errors import ReleaseFailedError
from governance.release.locked import lock
from governance.release.views import View, release_view
from governance.release.zone import Zone


@dataclass(frozen=True)
class Agreed:
    """What leaves of one relation, and whom it is about: identifiers of the hub, or record keys."""

    table: pa.Table
    people: frozenset[str]


def read_agreed(
    con: duckdb.DuckDBPyConnection,
    decision: ReleaseDecision,
    *,
    zone: Zone,
    key: bytes,
    as_at: date,
) -> dict[str, Agreed]:
    """Read every relation of the decision, by its name; the connection is locked before and stays so.

    ``key`` is the pseudonym key of recipient, purpose and epoch. Rows are sorted by what leaves.
    """
    lock(con)
    views = [release_view(con, decision, each, zone, as_at) for each in decision.relations]
    return {view.relation: _read(con, view, key) for view in views}


@dataclass(frozen=True)
class ByPerson:
    """What leaves of one relation, the person of each row, and all whom its rows tell of."""

    table: pa.Table
    whom: list[str | None]
    people: frozenset[str]


def read_by_person(
    con: duckdb.DuckDBPyConnection, decision: ReleaseDecision, *, zone: Zone, as_at: date
) -> dict[str, ByPerson]:
    """Read every relation of the decision with the person of each row, for copies whose rows stand under a person.

    The person is known also where the agreement or a right of theirs keeps the identifier back. Nothing is sorted, and
    pseudonyms are none of a copy: ReleaseFailedError.
    """
    if "pseudonymised" in decision.transforms.values():
        raise ReleaseFailedError(f"{decision.agreement} gives pseudonyms, which a copy cannot do")
    lock(con)
    found = {}
    for each in decision.relations:
        view = release_view(con, decision, each, zone, as_at)
        read = _rows(con, view)
        table = read.select(read.column_names[: len(view.items)])
        hidden = read.select(read.column_names[len(view.items) :])
        whom = hidden.column(0).to_pylist() if hidden.num_columns else [None] * read.num_rows
        found[each] = ByPerson(table, whom, frozenset(_people(hidden)))
    return found


def _rows(con: duckdb.DuckDBPyConnection, view: View) -> pa.Table:
    """What the view gives, with the columns of whom it is about at the end."""
    try:
        return con.execute(view.sql, view.parameters).to_arrow_table()
    except (
        duckdb.CatalogException
    ) as problem:  # a cohort, or the rights, of a table that is not there
        reason = str(problem).splitlines()[0]
        raise ReleaseFailedError(
            f"{view.relation} cannot be released: {reason}; build it first"
        ) from None


def _read(con: duckdb.DuckDBPyConnection, view: View, key: bytes) -> Agreed:
    read = _rows(con, view)
    table = read.select(read.column_names[: len(view.items)])
    people = frozenset(_people(read.select(read.column_names[len(view.items) :])))
    for index, item in enumerate(view.items):
        if item.transform == "pseudonymised":
            tokens = pseudonymise(key, table.column(index).to_pylist())
            table = table.set_column(index, item.name, pa.array(tokens, pa.string()))
    return Agreed(table.sort_by([(name, "ascending") for name in table.column_names]), people)


def _people(columns: pa.Table) -> Iterator[str]:
    for column in columns.columns:
        yield from column.unique().drop_null().to_pylist()
