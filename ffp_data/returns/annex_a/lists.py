"""Fill the lists of an edition for one inspection date, from the warehouse's staging and intermediate tables.

Every query takes the date as a parameter and looks at facts as they were known on it: an ending
after it has not happened yet. Nothing is read from tables that a run has cut at its own date.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from ffp_data.returns.annex_a.edition import AnnexList, Edition, ListColumn, Value, shared_queries
from governance.syntax import quoted

Cell = str | int | date | None
Agreed = Mapping[str, Collection[str]]
"""Columns that may leave, by relation; what is not among them stays empty."""


@dataclass(frozen=True)
class Filled:
    """One list: its rows in the order of its columns, and codes that the edition has no label for."""

    number: int
    rows: Sequence[tuple[Cell, ...]]
    first_day: date
    not_agreed: tuple[ListColumn, ...] = ()
    without_label: tuple[tuple[str, str, int], ...] = ()  # header, code, rows
    children: frozenset[str] = frozenset()


def fill_lists(
    con: duckdb.DuckDBPyConnection, edition: Edition, on: date, agreed: Agreed | None = None
) -> dict[int, Filled]:
    """Every list of the edition for inspection date `on`, by number; rows are sorted.

    The connection's catalog holds schemas `staging` and `intermediate`; temporary tables
    `inspected_…` are made in it. `agreed` None lets every column out.
    """
    parameters: dict[str, Value | date] = {**edition.values(), "on": on}
    for table, query in shared_queries().items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}", _used(query, parameters))
    return {
        number: _fill(con, edition, number, {**parameters, "since": _since(con, on, each)}, agreed)
        for number, each in edition.lists.items()
    }


def _since(con: duckdb.DuckDBPyConnection, on: date, annex_list: AnnexList) -> date:
    """First day of the list's window: the same day of the month, or the month's last where it has none."""
    row = con.execute(
        "SELECT ($on - to_months($months))::DATE", {"on": on, "months": annex_list.months}
    ).fetchone()
    assert row is not None
    first_day: date = row[0]
    return first_day


def _fill(
    con: duckdb.DuckDBPyConnection,
    edition: Edition,
    number: int,
    parameters: Mapping[str, Value | date],
    agreed: Agreed | None,
) -> Filled:
    annex_list = edition.lists[number]
    since = parameters["since"]
    assert isinstance(since, date)
    if annex_list.sql is None:
        return Filled(number, [], since)
    held_back = () if agreed is None else _not_agreed(annex_list, agreed)
    named = ", ".join(
        f"NULL AS {quoted(each.column)}"
        if each in held_back or each.no_source
        else quoted(each.column)
        for each in annex_list.columns
    )
    query = annex_list.query()
    found = con.execute(
        f"SELECT {named}, child_id FROM ({query}\n) ORDER BY ALL NULLS LAST",
        _used(query, parameters),
    ).fetchall()
    rows, unknown = _labelled(edition, annex_list, held_back, [row[:-1] for row in found])
    children = frozenset(row[-1] for row in found)
    return Filled(number, rows, since, held_back, unknown, children)


def _not_agreed(annex_list: AnnexList, agreed: Agreed) -> tuple[ListColumn, ...]:
    may_leave = agreed.get(str(annex_list.relation), ())
    return tuple(each for each in annex_list.filled if each.column not in may_leave)


def _used(query: str, parameters: Mapping[str, Value | date]) -> dict[str, object]:
    """The parameters that a query names: the engine refuses others."""
    names = dict.fromkeys(re.findall(r"\$(\w+)", re.sub(r"--.*|'[^']*'", "", query)))
    chosen = ((name, parameters[name]) for name in names)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in chosen}


def _labelled(
    edition: Edition,
    annex_list: AnnexList,
    held_back: Collection[ListColumn],
    rows: Sequence[tuple[Cell, ...]],
) -> tuple[list[tuple[Cell, ...]], tuple[tuple[str, str, int], ...]]:
    """Codes as labels; a code without one leaves its cell empty and is told with the rows it is on."""
    columns = [list(values) for values in zip(*rows, strict=True)]
    unknown: list[tuple[str, str, int]] = []
    for column, values in zip(annex_list.columns, columns, strict=bool(columns)):
        if column.codes is None or column.no_source or column in held_back:
            continue
        code_set = edition.code_sets[column.codes]
        unknown += _without_label(edition.header(column), values, code_set.labels)
        values[:] = [
            code_set.when_empty if code is None else code_set.labels.get(str(code))
            for code in values
        ]
    return list(zip(*columns, strict=True)), tuple(unknown)


def _without_label(
    header: str, values: Sequence[Cell], labels: Mapping[str, str]
) -> Iterator[tuple[str, str, int]]:
    for code in sorted({str(each) for each in values if each is not None} - set(labels)):
        yield header, code, sum(str(each) == code for each in values)
