"""One home for all tests of pages, and a browser's worth of requests as one of its users."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ffp_data.web.app import make_app
from tests.web.world import World, make_world


@dataclass
class Visitor:
    """Somebody at a browser: follows redirects, sends forms with the token of the page that they stand on."""

    client: TestClient
    page: Any = None

    def get(self, path: str, **options: Any) -> Any:
        self.page = self.client.get(path, **options)
        return self.page

    def send(self, path: str, **fields: str | list[str]) -> Any:
        token = re.search(r'name="form_token" value="([^"]+)"', self.page.text)
        assert token is not None, "the page has no form"
        self.page = self.client.post(path, data={"form_token": token[1], **fields})
        return self.page

    def sign_in(self, user: str) -> Visitor:
        self.page = self.client.post("/sign-in", data={"user": user})
        return self


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("pages") / "home")


@pytest.fixture
def visitor(world: World) -> Iterator[Visitor]:
    with TestClient(make_app(world.home), raise_server_exceptions=False) as client:
        yield Visitor(client)
