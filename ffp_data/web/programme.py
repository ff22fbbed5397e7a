"""The programme's page: what the partnership counts, with pictures, tables and what everybody may read.

The figures tell of nobody by name and are for those who answer for the programme: they stand unsuppressed. Files can be
taken away only as they were published, protected by the release.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response

from ffp_data.programme.counting import ALL
from ffp_data.programme.figures import PUBLICATION
from ffp_data.programme.profile import Profile, read_profile
from ffp_data.web.pages import show
from ffp_data.web.pictures import picture
from ffp_data.web.programme_pictures import drawable
from ffp_data.web.service import Served, Service, Who
from governance.access import Right

routes = APIRouter(prefix="/programme")
Quarter = Annotated[str, Query(max_length=10)]
_KINDS = {
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@routes.get("")
def overview(request: Request, service: Served, who: Who, quarter: Quarter = "") -> Response:
    """Every figure of the newest run; of moves, the newest quarter or the one that is chosen."""
    service.gate.read(who.principal, Right.PROGRAMME)
    profile = _profile(service)
    chosen = _quarter(profile, quarter)
    pictures = {
        name: (each.title, each.words(profile, chosen)) for name, each in drawable(profile).items()
    }
    return show(
        request, "programme.html", profile=profile, quarter=chosen, pictures=pictures, all=ALL,
        files=[each.name for each in _files(service)],
    )  # fmt: skip


@routes.get("/pictures/{name}.svg")
def one_picture(service: Served, who: Who, name: str, quarter: Quarter = "") -> Response:
    """One picture of the page."""
    service.gate.check(who.principal, Right.PROGRAMME)
    profile = _profile(service)
    found = drawable(profile).get(name)
    if found is None:
        raise HTTPException(404)
    return picture(found.svg(profile, _quarter(profile, quarter)))


@routes.get("/published/{name}")
def published(service: Served, who: Who, name: str) -> Response:
    """One file of the newest publication, as everybody may read it."""
    service.gate.check(who.principal, Right.PROGRAMME)
    found = next((each for each in _files(service) if each.name == name), None)
    if found is None:
        raise HTTPException(404)
    service.gate.append("document_read", who=who.key, role=who.user.role, document=name)
    return FileResponse(found, media_type=_KINDS[found.suffix], filename=name)


def _profile(service: Service) -> Profile:
    view = service.view.newest()
    return read_profile(view.rows, view.as_at)


def _quarter(profile: Profile, asked: str) -> str:
    """The end of the quarter asked for; of the newest when there is no such."""
    newest = profile.quarters[-1] if profile.quarters else ""
    return asked if asked in profile.quarters else newest


def _files(service: Service) -> list[Path]:
    """Files of the newest publication, the workbook first."""
    days = sorted((service.home.out / "published" / PUBLICATION).glob("*/manifest.json"))
    found = days[-1].parent.iterdir() if days else ()
    return sorted(
        (f for f in found if f.suffix in _KINDS), key=lambda f: (f.suffix != ".xlsx", f.name)
    )
