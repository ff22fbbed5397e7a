"""Taking a copy in the pages: what is asked first, what comes back, and who gets nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from ffp_data.web.app import make_app
from ffp_data.web.limits import Limiter
from tests.take_away.conftest import Desk
from tests.web.conftest import Visitor
from tests.web.world import World


@pytest.fixture(scope="module")
def world(desk: Desk) -> World:
    return desk.world


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with TestClient(make_app(world.home), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def visitor(client: TestClient) -> Visitor:
    client.cookies.clear()
    client.app.state.service = replace(client.app.state.service, copies=Limiter(6, 10))  # type: ignore[attr-defined]
    return Visitor(client).sign_in("family-help")


def _file(answer: object, kind: str) -> str:
    headers = answer.headers  # type: ignore[attr-defined]
    assert headers["content-type"].startswith(kind)
    assert headers["cache-control"] == "no-store"
    name = re.fullmatch(
        r'attachment; filename="(copy(?:-[0-9A-Z]{4}){3}\.\w+)"', headers["content-disposition"]
    )
    assert name is not None
    return name[1]


def test_a_copy_is_a_download_that_is_named_by_its_number_and_nobody(
    visitor: Visitor, world: World
) -> None:
    path = f"/children/{world.mine}/take-away"
    assert "Wren Ottaway" in visitor.get(path).text
    answer = visitor.send(path, meeting="../../etc/core\r\ngroup", since="")
    assert _file(answer, "application/pdf").endswith(".pdf")
    assert answer.content.startswith(b"%PDF-")


def test_what_it_is_for_must_be_said_and_a_day_must_be_one(visitor: Visitor, world: World) -> None:
    path = f"/children/{world.mine}/take-away"
    visitor.get(path)
    for sent, complaint in (
        ({"meeting": " x "}, "Say which meeting"),
        ({"meeting": "core group", "since": "1 April"}, "Write the day as in 2026-03-31"),
    ):
        page = visitor.send(path, **sent)
        assert page.status_code == 400
        assert complaint in page.text


def test_of_a_child_of_others_the_reason_comes_first_and_goes_with_the_copy(
    visitor: Visitor, world: World
) -> None:
    path = f"/children/{world.other}"
    assert "Why do you need to look?" in visitor.get(f"{path}/take-away").text
    visitor.send(f"{path}/reason", why="call from the school", case_reference="D-7")
    visitor.get(f"{path}/take-away")
    assert _file(visitor.send(f"{path}/take-away", meeting="strategy meeting"), "application/pdf")
    visitor.client.app.state.service.flush()  # type: ignore[attr-defined]
    events = list(visitor.client.app.state.service.access.ledger.events())  # type: ignore[attr-defined]
    reasons = [e["facts"]["reason"] for e in events if e["kind"] == "released"]
    assert reasons[-1] == "call from the school (case D-7)"


def test_the_workbook_holds_the_own_children_alone(visitor: Visitor, world: World) -> None:
    visitor.get("/take-away")
    answer = visitor.send("/take-away", meeting="supervision")
    assert _file(answer, "application/vnd.openxmlformats").endswith(".xlsx")
    rows = load_workbook(io.BytesIO(answer.content))["Children"].iter_rows(
        min_row=2, values_only=True
    )
    assert {row[1] for row in rows} == {world.mine}


def test_who_takes_more_than_a_person_does_waits(visitor: Visitor) -> None:
    for _ in range(10):
        visitor.get("/take-away")
        visitor.send("/take-away", meeting="")
    visitor.get("/take-away")
    assert visitor.send("/take-away", meeting="supervision").status_code == 429


@pytest.mark.parametrize("path", ["..%2F..%2Fetc%2Fpasswd", "%2e%2e", "A'B", "0000000000000"])
def test_an_address_that_is_no_child_is_no_child(visitor: Visitor, path: str) -> None:
    visitor.get("/take-away")
    token = re.search(r'name="form_token" value="([^"]+)"', visitor.page.text)
    assert token is not None
    answer = visitor.client.post(
        f"/children/{path}/take-away", data={"form_token": token[1], "meeting": "core group"}
    )
    assert answer.status_code == 404
    assert "attachment" not in str(answer.headers)
