"""Lineage of a published column: a picture, the table that says the same, the law, and who may have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ffp_data.home.kept_locks import KeptLocks
from ffp_data.lineage.columns import Upstream
from ffp_data.lineage.export import Export
from ffp_data.lineage.stored import FeedColumn
from ffp_data.lineage.who import DIRECT
from ffp_data.lineage.who import Who as WhoSees
from ffp_data.rights.disclosure_index import DisclosureIndex
from ffp_data.web.agreed import Agreed, agreed_in, export_of, require
from ffp_data.web.lineage_picture import ROW, TITLE, WIDE, draw, short
from ffp_data.web.pages import show
from ffp_data.web.service import Served, Service, Who
from governance.readset import ROWS

routes = APIRouter(prefix="/lineage")


@routes.get("")
def lineage(
    request: Request,
    service: Served,
    who: Who,
    column: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Where a column comes from, by which agreements, and to whom it goes."""
    require(service, who)
    agreed = agreed_in(service.home)
    export = export_of(service, agreed)
    tables = {relation: export.lineage.columns(relation) for relation in export.relations}
    relation, _, name = column.rpartition(".")
    page: dict[str, Any] = {"tables": tables, "column": column, "found": None, "error": None}
    if not column:
        return show(request, "governance_lineage.html", **page)
    if name not in tables.get(relation, ()):
        page["error"] = "No published table has this column: choose one of the list"
        return show(request, "governance_lineage.html", 404, **page)
    found = {
        "picture": draw(export.lineage, relation, name),
        "sizes": {"row": ROW, "title": TITLE, "wide": WIDE, "short": short},
        **_told(agreed, export, relation, name),
        "who": _who_sees(service, agreed, export, column),
    }
    return show(request, "governance_lineage.html", **{**page, "found": found})


def _told(agreed: Agreed, export: Export, relation: str, name: str) -> dict[str, Any]:
    """The same as the picture in words: each source with its agreement and purposes."""
    up: Upstream = export.lineage.upstream(relation, name)
    return {
        "count": len(up.direct),
        "sources": _sources(agreed, export, up.direct),
        "others": _by_table(agreed, export, up.indirect),
        "rests_on_linkage": up.rests_on_linkage,
    }


def _sources(agreed: Agreed, export: Export, found: Iterable[FeedColumn]) -> list[dict[str, Any]]:
    """The columns of each table of a feed under each agreement that lets them in."""
    tables: dict[tuple[str, str, str], list[str]] = {}
    for each in sorted(found):
        versioned = export.agreements.get(each, "")
        name = "a row" if each.column == ROWS else each.column
        tables.setdefault((each.feed, each.table, versioned), []).append(name)
    return [
        {
            "feed": feed.replace("_", " "),
            "table": table,
            "columns": columns,
            "agreement": versioned,
            "id": versioned.partition("@")[0],
            "purposes": _purposes(agreed, versioned),
        }
        for (feed, table, versioned), columns in tables.items()
    ]


def _purposes(agreed: Agreed, versioned: str) -> tuple[str, ...]:
    standing = agreed.standing(versioned.partition("@")[0]) if versioned else None
    return agreed.facts.purposes(standing.terms) if standing else ()


def _by_table(
    agreed: Agreed, export: Export, found: Iterable[FeedColumn]
) -> list[Mapping[str, Any]]:
    tables: dict[tuple[str, str], list[FeedColumn]] = {}
    for each in sorted(found):
        tables.setdefault((each.feed, each.table), []).append(each)
    return [
        {
            "table": f"{feed}.{table}",
            "columns": [each.column for each in columns if each.column != ROWS],
            "agreements": sorted({export.agreements[c] for c in columns if c in export.agreements}),
        }
        for (feed, table), columns in tables.items()
    ]


def _who_sees(service: Service, agreed: Agreed, export: Export, column: str) -> dict[str, Any]:
    """Who may have the column, and what left with it; reads on pages stand in the access log."""
    locks = KeptLocks(service.home, service.access.keys)
    asked = WhoSees(export.lineage, agreed.lock, service.access.roles, locks.find)
    with DisclosureIndex(service.home, service.access.ledger).opened() as answers:
        answer = asked.ask(column, list(answers.releases()))
    return {
        "could": [
            {**each.model_dump(), "name": agreed.facts.organisation(each.who),
             "id": each.agreement.partition("@")[0] if "@" in each.agreement else None}
            for each in answer.could if each.way == DIRECT
        ],
        "did": [{**e.model_dump(), "name": agreed.facts.organisation(e.who)} for e in answer.did],
        "beyond": [{**e.model_dump(), "name": agreed.facts.organisation(e.who)} for e in answer.beyond],
    }  # fmt: skip
