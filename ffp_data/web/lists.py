"""The early-warning lists: which there are and how their feeds stand, and the children of one with the facts.

A list is read as a whole and written down as one look at all who are shown. Whoever may not see a child's page reads
identifiers and facts, no names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from ffp_data.lists import RuleError, find_list, sql_of
from ffp_data.web.child import age_of, name_of
from ffp_data.web.pages import show
from ffp_data.web.published import Published
from ffp_data.web.service import Served, Who
from governance.access import Right

routes = APIRouter(prefix="/lists")
_WITHHELD = "withheld"
_ENTRIES = """
SELECT e.*, c.given_name, c.middle_names, c.surname, c.date_of_birth, c.expected_birth_date, c.age_years,
       c.is_restricted
FROM list_entries AS e JOIN children AS c USING (child_id)
WHERE e.list_id = ? ORDER BY e.since, c.surname, c.given_name, e.child_id
"""


@dataclass(frozen=True)
class Choice:
    """What of a list is wanted; empty: all of it."""

    team: str = ""
    district: str = ""


@routes.get("")
def overview(request: Request, service: Served, who: Who) -> Response:
    """Every list: how many stand on it, whose it is, when its rule is looked at again, and what it does not know."""
    service.gate.read(who.principal, Right.LISTS)
    view = service.view.newest()
    return show(
        request, "lists.html", lists=view.rows("FROM lists ORDER BY place"), as_at=view.as_at
    )


@routes.get("/{list_id}")
def one_list(
    request: Request,
    service: Served,
    who: Who,
    list_id: str,
    team: Annotated[str, Query(max_length=80)] = "",
    district: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The children of a list, longest on it first; of a team or a district where one is chosen."""
    service.gate.check(who.principal, Right.LISTS)
    view = service.view.newest()
    found = view.rows("FROM lists WHERE list_id = ?", [list_id])
    if not found:
        service.gate.read(who.principal, Right.LISTS, found=0)
        raise HTTPException(404)
    every = entries(view, list_id, service.register.shielded())
    chosen = Choice(team, district)
    shown = [each for each in every if _fits(each, chosen)]
    service.gate.read(
        who.principal,
        Right.LISTS,
        subjects=[each["child_id"] for each in shown],
        list=list_id,
        found=len(shown),
    )
    return show(
        request,
        "list.html",
        list=found[0],
        states=view.rows("FROM list_states WHERE list_id = ? ORDER BY feed", [list_id]),
        entries=shown,
        total=len(every),
        teams=sorted({each["team"] for each in every}),
        districts=sorted({each["district"] for each in every}),
        chosen=chosen,
        may_view=service.gate.roles.may(who.principal, Right.VIEW),
        sql=_sql(list_id),
        as_at=view.as_at,
    )


def entries(view: Published, list_id: str, shielded: Collection[str]) -> list[dict[str, Any]]:
    """Who stands on a list. `shielded`: children hidden since the view was made, whose place is not told any more."""
    hidden = view.protected.union(shielded)
    return [_entry(row, row["child_id"] in hidden) for row in view.rows(_ENTRIES, [list_id])]


def _entry(row: Mapping[str, Any], is_hidden: bool) -> dict[str, Any]:
    is_protected = is_hidden or row["is_restricted"]
    place = {"team": _WITHHELD, "district": _WITHHELD} if is_protected else {}
    return {
        **row,
        **place,
        "is_protected": is_protected,
        "name": name_of(row),
        "age": age_of(row),
    }


def _fits(entry: Mapping[str, Any], chosen: Choice) -> bool:
    return chosen.team in ("", entry["team"]) and chosen.district in ("", entry["district"])


def _sql(list_id: str) -> str:
    """The rule as it runs now; of a list that was taken away since, that it is gone."""
    try:
        return sql_of(find_list(list_id))
    except RuleError as error:
        return str(error)
