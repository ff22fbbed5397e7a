"""The accessibility statement and the words about cookies, for everybody, signed in or not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any

import yaml
from fastapi import APIRouter, Request
from fastapi.responses import Response

from ffp_data.single_view.words import day
from ffp_data.web.pages import show
from ffp_data.web.service import Served, asker_of
from ffp_data.web.session import SignInNeededError

routes = APIRouter()


@routes.get("/accessibility")
def statement(request: Request, service: Served) -> Response:
    """What was tested, by what and when, what is known to be missing, and whom to tell."""
    with suppress(SignInNeededError):
        asker_of(request, service)  # for the menu
    said = _said()
    return show(
        request, "accessibility.html", said=said, tested_on=day(said["tested_on"]),
        contact=service.partnership.contact,
    )  # fmt: skip


@cache
def _said() -> Mapping[str, Any]:
    text = resources.files(__package__).joinpath("accessibility.yaml").read_text("utf-8")
    said: Mapping[str, Any] = yaml.safe_load(text)
    return said
