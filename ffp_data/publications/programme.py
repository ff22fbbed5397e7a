"""The programme's tables for everybody: counted without those whom a right keeps out, then protected by the release."""

from __future__ import annotations

from datetime import timedelta

from ffp_data.programme.counting import Scope, dimensions, measure, quarters, rows, table
from ffp_data.programme.tables import TableSpec, programme
from ffp_data.publications.counting import Counting
from governance.disclosure_control import Table
from governance.release import those_kept_out


def relations() -> dict[str, tuple[str, ...]]:
    """Each relation of the publication with its dimensions and its count."""
    return {
        spec.published: (*_headings(spec), spec.counts)
        for spec in programme().tables
        if spec.published
    }


def _headings(spec: TableSpec) -> tuple[str, str]:
    return ("level_before", "level_after") if spec.each else (spec.rows, spec.columns)


def tables(counting: Counting) -> list[Table]:
    """Every table that may be published; of moves, the newest quarter's."""
    rights = counting.rights
    who = {"recipient": counting.recipient, "purpose": counting.purpose}
    scope = Scope(counting.areas, those_kept_out(rights), rights.protected, who)
    return [_table(counting, spec, scope) for spec in programme().tables if spec.published]


def _table(counting: Counting, spec: TableSpec, scope: Scope) -> Table:
    newest = quarters(counting.con)[-1]
    found = rows(counting.con, spec, measure(spec, newest if spec.each else None), scope)
    first = newest.replace(day=1, month=(newest.month - 1) // 3 * 3 + 1)
    days = (first - timedelta(1), newest) if spec.each else None
    assert spec.published, "a table without a relation stays inside"
    frame = counting.frame(
        spec.published,
        spec.thing,
        *dimensions(spec, scope.codes(spec, found), days, newest),
        since=counting.since if spec.since else None,
    )
    return table(spec, found, frame)
