"""What an empty cell means: one of the states of silence, told by the feeds that could fill it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb

from ffp_data.lineage.cell import Cell
from ffp_data.lineage.columns import ColumnLineage

WITHHELD = "withheld"

STATES = {
    "current": "stands today",
    "historic": "worked with the child or the family, no more",
    "no_record_found": "the feeds that could say it were asked, and no record says it",
    "not_covered": "no feed that the hub takes says it",
    "not_shared": "no agreement in force lets it be shown",
    "late": "the feeds that could say it are late, and had not said it when they last delivered",
    WITHHELD: "the child, or somebody who lives with the child, must not be located",
}

_PLACES = {
    "children": {"postcode", "address_line", "address_source", "address_as_of", "school_urn"},
    "involvements": {"contact_name", "contact_phone", "team"},
    "family_members": {"lives_with"},
}
"""Columns that the view leaves empty for a child who must not be located."""


class _Feed(NamedTuple):
    is_shared: bool
    is_covered: bool
    is_late: bool


@dataclass(frozen=True)
class Silence:
    """How the feeds stood in the last run, and which of them could fill a column."""

    feeds: Mapping[str, _Feed]
    lineage: ColumnLineage

    @classmethod
    def of_warehouse(cls, con: duckdb.DuckDBPyConnection, lineage: ColumnLineage) -> Silence:
        """The feeds as the last run found them."""
        found = con.execute(
            "SELECT feed, is_shared, is_covered, is_late FROM intermediate.int_feeds__states"
        ).fetchall()
        return cls({feed: _Feed(*map(bool, state)) for feed, *state in found}, lineage)

    def of_row(self, cell: Cell, row: Mapping[str, Any], is_hidden: bool) -> str:
        """The state of a cell of a row."""
        if is_hidden and cell.column in _PLACES.get(cell.table, ()):
            return WITHHELD
        if cell.table == "involvements":
            return str(row["state"])
        return "current" if row[cell.column] is not None else self.of(cell)

    def of(self, cell: Cell) -> str:
        """Why nothing says it, by the feeds whose values could."""
        could = self.lineage.upstream(cell.relation, cell.column).direct
        states = [self.feeds[f] for f in {each.feed for each in could} if f in self.feeds]
        covered = [state for state in states if state.is_covered]
        if not covered:
            return "not_covered"
        shared = [state for state in covered if state.is_shared]
        if not shared:
            return "not_shared"
        return "late" if all(state.is_late for state in shared) else "no_record_found"
