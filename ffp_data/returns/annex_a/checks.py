"""What a council mends before Ofsted finds it: unallocated cases, gaps, and lists that disagree.

The findings are for the council alone and lie beside the released folder, never in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from ffp_data.returns.annex_a.edition import Edition
from ffp_data.returns.annex_a.lists import Cell, Filled

_OPEN_WORK = {
    7: "plan_end_date",
    8: "care_end_date",
}  # list -> column that is empty while work goes on


@dataclass(frozen=True)
class Query:
    """One thing to look at: the list, the child (None: the whole list), the column and what is wrong."""

    number: int
    child: str | None
    header: str
    message: str


def check_lists(edition: Edition, lists: Mapping[int, Filled], on: date) -> list[Query]:
    """Every query of a set of lists, in order of list, header and child."""
    found = {
        *_required_but_empty(edition, lists),
        *_without_label(lists),
        *_open_but_not_in_need(edition, lists),
        *_dated_after(edition, lists, on),
    }
    return sorted(
        found, key=lambda each: (each.number, each.header, each.child or "", each.message)
    )


def _rows(edition: Edition, filled: Filled) -> Iterator[dict[str, Cell]]:
    names = [each.column for each in edition.lists[filled.number].columns]
    for row in filled.rows:
        yield dict(zip(names, row, strict=True))


def _required_but_empty(edition: Edition, lists: Mapping[int, Filled]) -> Iterator[Query]:
    for number, filled in lists.items():
        wanted = [
            each
            for each in edition.lists[number].filled
            if each.required and each not in filled.not_agreed
        ]
        for row in _rows(edition, filled):
            for column in wanted:
                if row[column.column] is None:
                    yield Query(number, _child(row), edition.header(column), "required, and empty")


def _without_label(lists: Mapping[int, Filled]) -> Iterator[Query]:
    for number, filled in lists.items():
        for header, code, count in filled.without_label:
            yield Query(
                number,
                None,
                header,
                f"code {code!r} has no label in this edition ({count} rows left empty)",
            )


def _open_but_not_in_need(edition: Edition, lists: Mapping[int, Filled]) -> Iterator[Query]:
    """A child under a plan or in care on the date is a child in need on it."""
    closed = edition.code_sets["CaseStatus"].labels["CLOSED"]
    in_need = {_child(row) for row in _rows(edition, lists[6]) if row["case_status"] != closed}
    for number, ended in _OPEN_WORK.items():
        for row in _rows(edition, lists[number]):
            if row[ended] is None and _child(row) not in in_need:
                yield Query(
                    number, _child(row), "Child Unique ID", "open here, but not open on list 6"
                )


def _dated_after(edition: Edition, lists: Mapping[int, Filled], on: date) -> Iterator[Query]:
    for number, filled in lists.items():
        for row in _rows(edition, filled):
            for column in edition.lists[number].filled:
                value = row[column.column]
                if isinstance(value, date) and value > on:
                    yield Query(
                        number,
                        _child(row),
                        edition.header(column),
                        "later than the inspection date",
                    )


def _child(row: Mapping[str, Cell]) -> str | None:
    value = row.get("child_unique_id")
    return None if value is None else str(value)
