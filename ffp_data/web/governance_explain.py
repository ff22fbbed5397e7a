"""Why one value of a child is as it is: the row of the file, the agreement, what was not chosen, who received it."""

from __future__ import annotations

from typing import Annotated, Any

import duckdb
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from ffp_data.lineage.cell import UnknownAttributeError
from ffp_data.lineage.explain import open_explainer
from ffp_data.lookups import NotThereError
from ffp_data.web.agreed import lineage_of, require
from ffp_data.web.pages import show
from ffp_data.web.service import Checked, Served, Who

routes = APIRouter(prefix="/explain")
_NOBODY = "This hub has no such child, or no such row of it"
_BUSY = "A run is writing. Ask again when it has ended: a few minutes"


@routes.get("")
def ask(
    request: Request,
    service: Served,
    who: Who,
    attribute: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """Ask for a child and a value."""
    require(service, who)
    return _shown(request, attribute=attribute)


@routes.post("", dependencies=[Checked])
def explain(
    request: Request,
    service: Served,
    who: Who,
    child_id: Annotated[str, Form(max_length=40)] = "",
    attribute: Annotated[str, Form(max_length=120)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The explanation; the question is in the ledger before anything is read."""
    require(service, who)
    asked, wanted = child_id.strip(), attribute.strip()
    form: dict[str, Any] = {"child_id": asked, "attribute": wanted, "reason": reason}
    try:
        with open_explainer(service.home, lineage_of(service), service.access) as opened:
            answer = opened.explain(who.principal, asked, wanted, reason or None)
    except UnknownAttributeError as error:
        return _shown(request, 404, **form, error=str(error))
    except NotThereError:
        return _shown(request, 404, **form, error=_NOBODY)
    except (duckdb.IOException, duckdb.CatalogException):
        return _shown(request, 503, **form, error=_BUSY)
    return _shown(request, **form, answer=answer)


def _shown(request: Request, status: int = 200, **page: Any) -> Response:
    nothing = {"child_id": "", "attribute": "", "reason": "", "answer": None, "error": None}
    return show(request, "governance_explain.html", status, **{**nothing, **page})
