"""The generated view of one relation: what leaves of it, as one SELECT of the decision's own names.

Columns and transforms are the agreement's, rows those of its cohort and of its feeds. Above the
agreement stand people's rights: a child who is kept out has no row, and one who must not be located
has no value in any column that tells of a place, whether or not the mart thought of it; nor has one
whose numbers are left out for the recipient a number that names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from governance.grants import Cohort, ReleaseDecision, ReleaseItem
from governance.release.errors import ReleaseFailedError, ReleaseRefusedError
from governance.release.zone import Rights, Zone
from governance.subject_lists import people_columns
from governance.syntax import quoted

_NUMBERS = "direct_identifier"
HIDDEN = "_whom_"
"""Begins the names of columns that are read to know whom a release is about, and do not leave."""


@dataclass(frozen=True)
class View:
    """A SELECT of the agreed columns in their order, then of those that say whom a row is about."""

    relation: str
    items: tuple[ReleaseItem, ...]
    sql: str
    parameters: Mapping[str, Any]


def release_view(
    con: duckdb.DuckDBPyConnection,
    decision: ReleaseDecision,
    relation: str,
    zone: Zone,
    as_at: date,
) -> View:
    """Return the view of a relation. Raises ReleaseRefusedError for a relation or cohort outside the zone
    and ReleaseFailedError when the warehouse lacks what was agreed."""
    cohort = _cohort(decision)
    _refuse_outside(con, relation, cohort, zone)
    items = tuple(each for each in decision.items if each.relation == relation)
    types = _types(con, decision, relation)
    if lacking := [each.column for each in items if each.column not in types]:
        raise ReleaseFailedError(
            f"{decision.agreement} names {', '.join(lacking)}, which {relation} lacks; "
            "amend the agreement or the model"
        )
    person = _person(cohort.key, types)
    if person is None and any(each.is_place or each.category == _NUMBERS for each in items):
        raise ReleaseFailedError(
            f"{relation} has no {cohort.key}, so places and numbers cannot be left out where rights ask for it"
        )
    selected = [f"{_expression(each, types)} AS {quoted(each.name)}" for each in items]
    whom = people_columns(types, [each.column for each in items])
    hidden = [f"r.{quoted(name)}::VARCHAR AS {quoted(HIDDEN + name)}" for name in whom]
    conditions = [_in_cohort(cohort), *_of_agreed_feeds(decision, items), *_not_kept_out(person)]
    sql = (
        f"SELECT {', '.join([*selected, *hidden])}\nFROM {_qualified(relation)} AS r"
        f"{_joins(person, zone.rights)}\nWHERE {' AND '.join(conditions)}"
    )
    return View(relation, items, sql, _parameters(sql, decision, as_at))


def _parameters(sql: str, decision: ReleaseDecision, as_at: date) -> dict[str, Any]:
    known = {"as_at": as_at, "recipient": decision.recipient, "purpose": decision.purpose}
    return {name: value for name, value in known.items() if f"${name}" in sql}


def _cohort(decision: ReleaseDecision) -> Cohort:
    if decision.cohort is None:
        raise ReleaseRefusedError("a decision without a cohort releases no row")
    return decision.cohort


def _refuse_outside(
    con: duckdb.DuckDBPyConnection, relation: str, cohort: Cohort, zone: Zone
) -> None:
    """The engine itself says which tables are read: a macro or a subquery hides none from it."""
    tables = {relation} | (
        con.get_table_names(cohort.members, qualified=True) if cohort.members else set()
    )
    outside = sorted(each for each in tables if each.split(".")[-2] not in zone.schemas)
    if outside:
        raise ReleaseRefusedError(
            f"{', '.join(outside)}: not a mart that releases read; "
            f"name tables of {', '.join(sorted(zone.schemas))}"
        )


def _types(
    con: duckdb.DuckDBPyConnection, decision: ReleaseDecision, relation: str
) -> dict[str, str]:
    try:
        described = con.execute(f"DESCRIBE {_qualified(relation)}").fetchall()
    except duckdb.CatalogException:
        raise ReleaseFailedError(
            f"{decision.agreement} names {relation}, which the warehouse lacks; build it first"
        ) from None
    return {row[0]: row[1] for row in described}


def _person(key: str, types: Mapping[str, str]) -> str | None:
    """The expression of the child of a row, by the key of the cohort."""
    if key not in types:
        return None
    return "m.child_id" if key == "record_key" else f"r.{quoted(key)}"


def _joins(person: str | None, rights: Rights) -> str:
    """The rights of the child of a row: p must not be located, o is kept out, n goes without numbers."""
    if person is None:
        return ""
    joins = [
        f"(SELECT DISTINCT child_id FROM ({rights.protected})) AS p",
        f"({those_kept_out(rights)}) AS o",
        f"(SELECT DISTINCT child_id FROM ({rights.unnumbered}) AS k WHERE {_THIS_RECIPIENT}) AS n",
    ]
    member = f"\nLEFT JOIN ({rights.members}) AS m ON m.record_key = r.record_key"
    return (member if person.startswith("m.") else "") + "".join(
        f"\nLEFT JOIN {each} ON {each[-1]}.child_id = {person}" for each in joins
    )


def those_kept_out(rights: Rights) -> str:
    """SELECT of the children of whom nothing leaves for $purpose to $recipient."""
    return (
        f"SELECT DISTINCT child_id FROM ({rights.kept_out}) AS k"
        f" WHERE {_THIS_RECIPIENT} AND {_THIS_PURPOSE}"
    )


_THIS_RECIPIENT = "(k.recipient IS NULL OR k.recipient = $recipient)"
_THIS_PURPOSE = (
    "(k.purpose IS NULL OR k.purpose = $purpose OR starts_with($purpose, k.purpose || '.')"
    " OR starts_with(k.purpose, $purpose || '.'))"
)


def _in_cohort(cohort: Cohort) -> str:
    return f"r.{quoted(cohort.key)} IN (\n{cohort.members}\n)" if cohort.members else "true"


def _of_agreed_feeds(decision: ReleaseDecision, items: Sequence[ReleaseItem]) -> list[str]:
    """Of a table that names its sources, only rows that rest on agreed feeds alone."""
    if not any(each.column == "source" for each in items):
        return []
    feeds = ", ".join(f"'{feed}'" for feed in decision.terms["rows"].get("feeds", ()))
    return [f"list_has_all([{feeds}]::VARCHAR[], string_split(r.source, ', '))"]


def _not_kept_out(person: str | None) -> list[str]:
    return ["o.child_id IS NULL"] if person else []


def _expression(item: ReleaseItem, types: Mapping[str, str]) -> str:
    changed = _transformed(item, types[item.column])
    if item.is_place:
        return f"CASE WHEN p.child_id IS NULL THEN {changed} END"
    if item.category == _NUMBERS and item.transform != "pseudonymised":
        return f"CASE WHEN n.child_id IS NULL THEN {changed} END"
    return changed


def _transformed(item: ReleaseItem, kind: str) -> str:
    column = f"r.{quoted(item.column)}"
    if item.transform == "clear" and kind.endswith("[]"):
        return f"array_to_string({column}, '; ')"  # a sheet has no lists, and lists do not sort
    if item.transform == "flag":
        return f"coalesce({column}, false)" if kind == "BOOLEAN" else f"{column} IS NOT NULL"
    return {
        "clear": column,
        "pseudonymised": f"{column}::VARCHAR",
        "month": f"strftime({column}, '%Y-%m')",
        "year": f"year({column})::INTEGER",
        "district": f"nullif(split_part({column}, ' ', 1), '')",
    }[item.transform]


def _qualified(relation: str) -> str:
    return ".".join(quoted(each) for each in relation.split("."))
