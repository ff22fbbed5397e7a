"""The governance officer's pages: the documents of the last run, to whom a child was disclosed, the ledger's state."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, Response

from ffp_data.rights.disclosures import DisclosureRegister, NoSuchChildError
from ffp_data.web.pages import show
from ffp_data.web.service import Asker, Checked, Served, Service, Who
from governance.access import Right

routes = APIRouter(prefix="/governance")
DOCUMENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""Documents carry their own style, so that they can be sent to somebody; scripts stay forbidden."""

_KINDS = {
    ".html": "text/html; charset=utf-8", ".json": "application/json", ".csv": "text/csv; charset=utf-8",
    ".ndjson": "application/x-ndjson",
}  # fmt: skip
_TITLES = {
    "index.html": "All documents",
    "record-of-processing.html": "Record of processing (Article 30)",
    "agreement-register.html": "Register of sharing agreements",
    "privacy-notice.html": "Privacy notice: who gets what",
    "control-evidence.html": "Evidence of controls",
    "lineage/columns.html": "Where every column comes from, and who may have it",
}


@routes.get("")
def overview(request: Request, service: Served, who: Who) -> Response:
    """Documents and the state of the ledger."""
    _require(service, who)
    folder = service.home.out / "governance"
    documents = [(path, title) for path, title in _TITLES.items() if (folder / path).is_file()]
    return show(
        request, "governance.html", documents=documents,
        checkpoint=service.access.ledger.last_checkpoint(), problems=None,
    )  # fmt: skip


@routes.post("/ledger", dependencies=[Checked])
def verify(request: Request, service: Served, who: Who) -> Response:
    """Verify the whole ledger now."""
    _require(service, who)
    ledger = service.access.ledger
    problems = [str(problem) for problem in ledger.verify()]
    return show(
        request, "governance_ledger.html", checkpoint=ledger.last_checkpoint(), problems=problems
    )


@routes.get("/documents/{path:path}")
def document(request: Request, service: Served, who: Who, path: str) -> Response:
    """One document of the last run; nothing that lies elsewhere."""
    _require(service, who)
    folder = (service.home.out / "governance").resolve()
    found = (folder / path).resolve()
    if not found.is_relative_to(folder) or not found.is_file() or found.suffix not in _KINDS:
        return show(
            request,
            "refused.html",
            404,
            title="No such document",
            words="The last run made no such document.",
        )
    service.gate.append(
        "document_read", who=who.key, role=who.user.role, document=_name(found, folder)
    )
    answer = FileResponse(found, media_type=_KINDS[found.suffix])
    answer.headers["Content-Security-Policy"] = DOCUMENT_POLICY
    return answer


@routes.get("/disclosures")
def disclosures_form(request: Request, service: Served, who: Who) -> Response:
    """Ask for a child."""
    _require(service, who)
    return show(request, "governance_disclosures.html", child_id="", log=None, error=None)


@routes.post("/disclosures", dependencies=[Checked])
def disclosures(
    request: Request, service: Served, who: Who, child_id: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """To whom a child's data went: every release and every read."""
    asked = child_id.strip()
    gate = service.access.gate  # on disk before the answer: a question of law, not of speed
    facts = gate.check(who.principal, Right.DISCLOSURES, subjects=[asked])
    page: dict[str, Any] = {"child_id": asked, "log": None, "error": None}
    try:
        register = DisclosureRegister(service.home, service.access)
        log = register.of_child(register.identity(asked))
    except NoSuchChildError:
        error = "This hub has no such child"
        return show(request, "governance_disclosures.html", 404, **{**page, "error": error})
    gate.append("read", **facts, disclosures=len(log.disclosures), upto=log.events)
    return show(request, "governance_disclosures.html", **{**page, "log": log})


def _require(service: Service, who: Asker) -> None:
    service.gate.check(who.principal, Right.EXPLAIN)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
