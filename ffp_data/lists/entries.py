"""Who stands on a list, as the newest published view has it: what a page and a command show alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

WITHHELD = "withheld"
_ENTRIES = """
SELECT e.*, c.given_name, c.middle_names, c.surname, c.date_of_birth, c.expected_birth_date, c.age_years,
       c.is_restricted
FROM list_entries AS e JOIN children AS c USING (child_id)
WHERE e.list_id = ? ORDER BY e.since, c.surname, c.given_name, e.child_id
"""


class View(Protocol):
    """The published view."""

    @property
    def protected(self) -> frozenset[str]:
        """Children who must not be located."""

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a query over the published tables."""


def overview(view: View) -> list[dict[str, Any]]:
    """Every list with its rule, owner, counts and how its feeds stand."""
    return view.rows("FROM lists ORDER BY place")


def states(view: View, list_id: str) -> list[dict[str, Any]]:
    """How each feed stands that a list rests on."""
    return view.rows("FROM list_states WHERE list_id = ? ORDER BY feed", [list_id])


def entries(view: View, list_id: str, shielded: Collection[str]) -> list[dict[str, Any]]:
    """The children of a list, longest on it first, each with `is_protected` and what a page names them by.

    `shielded`: children hidden since the view was made; like those it hides, they have no team and no district.
    """
    hidden = view.protected.union(shielded)
    return [_entry(row, row["child_id"] in hidden) for row in view.rows(_ENTRIES, [list_id])]


def of_place(
    found: Sequence[dict[str, Any]], team: str = "", district: str = ""
) -> list[dict[str, Any]]:
    """Those of a team and a district; empty: of all."""
    return [e for e in found if team in ("", e["team"]) and district in ("", e["district"])]


def _entry(row: Mapping[str, Any], is_hidden: bool) -> dict[str, Any]:
    is_protected = is_hidden or bool(row["is_restricted"])
    place = {"team": WITHHELD, "district": WITHHELD} if is_protected else {}
    return {**row, **place, "is_protected": is_protected}
