"""The governance officer's pages: the documents of the last run, to whom a child was disclosed, the ledger's state."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, Response

from ffp_data.rights.access_log import PAGE, Days
from ffp_data.rights.disclosures import DisclosureRegister, NoSuchChildError
from ffp_data.serving import NothingPublishedError
from ffp_data.serving.operations import RETURNS_LACK
from ffp_data.web.agreed import require
from ffp_data.web.governance_access import DayText, PageNumber, Text, day_of, name_of
from ffp_data.web.governance_access import routes as access
from ffp_data.web.governance_agreements import routes as agreements
from ffp_data.web.governance_explain import routes as explain
from ffp_data.web.governance_ledger import routes as ledger
from ffp_data.web.governance_lineage import routes as lineage
from ffp_data.web.governance_orders import routes as orders
from ffp_data.web.governance_withdrawal import routes as withdrawal
from ffp_data.web.pages import show
from ffp_data.web.service import Checked, Served, Service, Who
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
    require(service, who)
    folder = service.home.out / "governance"
    documents = [(path, title) for path, title in _TITLES.items() if (folder / path).is_file()]
    return show(
        request, "governance.html", documents=documents, lacks=_lacks(service),
        checkpoint=service.access.ledger.last_checkpoint(),
    )  # fmt: skip


def _lacks(service: Service) -> list[dict[str, Any]]:
    """Without what no return is released; nothing is known of it before the first run."""
    try:
        return service.view.newest().rows(f"FROM {RETURNS_LACK}")
    except NothingPublishedError:
        return []


@routes.get("/documents/{path:path}")
def document(request: Request, service: Served, who: Who, path: str) -> Response:
    """One document of the last run; nothing that lies elsewhere."""
    require(service, who)
    folder = (service.home.out / "governance").resolve()
    found = _within(folder, path)
    if found is None or found.suffix not in _KINDS:
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
    require(service, who)
    return _disclosures(request, service)


@routes.post("/disclosures", dependencies=[Checked])
def disclosures(
    request: Request,
    service: Served,
    who: Who,
    child_id: Annotated[str, Form(max_length=40)] = "",
    to: Text = "",
    since: DayText = "",
    until: DayText = "",
    page: PageNumber = 1,
) -> Response:
    """To whom a child's data went: every release, what was taken away, and every read."""
    asked, days = child_id.strip(), Days(day_of(since), day_of(until))
    gate = service.access.gate  # on disk before the answer: a question of law, not of speed
    facts = gate.check(who.principal, Right.DISCLOSURES, subjects=[asked])
    form: dict[str, Any] = {"child_id": asked, "to": to, "days": days}
    service.flush()
    try:
        register = DisclosureRegister(service.home, service.access)
        log = register.of_child(register.identity(asked))
    except NoSuchChildError:
        return _disclosures(request, service, 404, **form, error="This hub has no such child")
    gate.append("read", **facts, disclosures=len(log.disclosures), upto=log.events)
    wanted = [
        d for d in reversed(log.disclosures) if days.has(d.at[:10]) and to in ("", d.to, d.by)
    ]
    form |= {"log": log, "found": len(wanted), "shown": wanted[(page - 1) * PAGE : page * PAGE]}
    return _disclosures(request, service, **form, page=page, pages=max(1, -(-len(wanted) // PAGE)))


def _disclosures(request: Request, service: Service, status: int = 200, **page: Any) -> Response:
    nothing: dict[str, Any] = {
        "child_id": "", "to": "", "days": Days(), "log": None, "error": None, "shown": (),
        "found": 0, "page": 1, "pages": 1,
    }  # fmt: skip
    about = {"name_of": name_of(service)}
    return show(request, "governance_disclosures.html", status, **{**nothing, **about, **page})


def _within(folder: Path, path: str) -> Path | None:
    """The file of that name in the folder; None for none, and for what can be no name of a file."""
    try:
        found = (folder / path).resolve()
        return found if found.is_relative_to(folder) and found.is_file() else None
    except (ValueError, OSError):  # a NUL in it, or more letters than a name may have
        return None


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


for part in (agreements, lineage, explain, access, withdrawal, orders, ledger):
    routes.include_router(part)
