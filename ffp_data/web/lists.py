"""The early-warning lists: which there are and how their feeds stand, and the children of one with the facts.

A list is read as a whole and written down as one look at all who are shown. Whoever may not see a child's page reads
identifiers and facts, no names.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from ffp_data import lists
from ffp_data.single_view.words import age_of, name_of
from ffp_data.web.pages import show
from ffp_data.web.service import Served, Who
from governance.access import Right

routes = APIRouter(prefix="/lists")


@routes.get("")
def overview(request: Request, service: Served, who: Who) -> Response:
    """Every list: how many stand on it, whose it is, when its rule is looked at again, and what it does not know."""
    service.gate.read(who.principal, Right.LISTS)
    view = service.view.newest()
    return show(request, "lists.html", lists=lists.overview(view), as_at=view.as_at)


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
    about = next((each for each in lists.overview(view) if each["list_id"] == list_id), None)
    if about is None:
        service.gate.read(who.principal, Right.LISTS, found=0)
        raise HTTPException(404)
    every = lists.entries(view, list_id, service.register.shielded())
    shown = lists.of_place(every, team, district)
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
        list=about,
        states=lists.states(view, list_id),
        entries=[{**each, "name": name_of(each), "age": age_of(each)} for each in shown],
        total=len(every),
        teams=sorted({each["team"] for each in every}),
        districts=sorted({each["district"] for each in every}),
        team=team,
        district=district,
        may_view=service.gate.roles.may(who.principal, Right.VIEW),
        sql=_sql(list_id),
        as_at=view.as_at,
    )


def _sql(list_id: str) -> str:
    """The rule as it runs now; of a list that was taken away since, that it is gone."""
    try:
        return lists.sql_of(lists.find_list(list_id))
    except lists.RuleError as error:
        return str(error)
