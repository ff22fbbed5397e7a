"""The API: who may do what by route and role, problems that name field, rule and remedy, the document."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Match

from ffp_data.access import Access
from ffp_data.api.app import document, make_app
from ffp_data.api.problems import MEDIA_TYPE, Problem
from ffp_data.api.quick import QuickRoute
from ffp_data.hub.child_id import new_child_id
from ffp_data.serving import load
from ffp_data.settings import Home
from governance.access.journal import take_over_left
from governance.journal_lines import journals
from governance.ledger import Ledger
from tests.lookups.world import NOAH, World
from tests.waiting import PATIENCE, wait_until

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
KNOWN = {
    "given_name": "Noah", "family_name": "Quarrington", "birth_date": "2016-05-04",
    "postcode": "XF1 2AB",
}  # fmt: skip
ROLES = ("practitioner", "reviewer", "ig_officer", "data_engineer", "service")
ROUTES = {
    "identify": ("POST", "/identify", {"practitioner", "reviewer", "service"}),
    "child": ("GET", "/children/{id}", set(ROLES)),
    "history": ("GET", "/children/{id}/history", set(ROLES) - {"service"}),
    "resolve": ("GET", "/resolve/{id}", set(ROLES)),
    "as_of": ("GET", "/as-of?when=2026-03-31", {"ig_officer", "data_engineer"}),
    "changes": ("GET", "/changes?since=first", {"ig_officer", "data_engineer", "service"}),
}


@pytest.fixture(scope="module")
def tokens(world: World) -> dict[str, str]:
    access = Access(world.home)
    day = timedelta(days=1)
    return {role: access.tokens.make(f"t-{role}", role, access.roles, day) for role in ROLES}


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with TestClient(make_app(world.home), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def noah(world: World) -> str:
    return load(world.home).child_of("health_csv|RXG|1")


def _headers(token: str, reason: str = "a test") -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Reason": reason}


def _ask(client: TestClient, route: str, child_id: str, headers: dict[str, str]) -> Any:
    method, path, _ = ROUTES[route]
    body = KNOWN if method == "POST" else None
    return client.request(method, path.format(id=child_id), json=body, headers=headers)


def _problem(answer: Any) -> Problem:
    assert answer.headers["content-type"] == MEDIA_TYPE
    return Problem.model_validate(answer.json())


@pytest.mark.control("D10")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_answers_the_roles_that_may_and_no_other(
    client: TestClient, tokens: dict[str, str], noah: str, route: str, role: str
) -> None:
    answer = _ask(client, route, noah, _headers(tokens[role]))
    if role in ROUTES[route][2]:
        assert answer.status_code == 200, answer.text
    else:
        assert answer.status_code == 403
        assert _problem(answer).type == "ffp:problem:not_permitted"


def test_every_route_but_the_health_page_is_in_the_matrix(client: TestClient) -> None:
    documented = {
        (method.upper(), path)
        for path, item in client.get("/openapi.json").json()["paths"].items()
        for method in item
    }
    listed = {
        (method, path.partition("?")[0].replace("{id}", "{child_id}"))
        for method, path, _ in ROUTES.values()
    }
    assert documented == listed | {("GET", "/healthz")}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("sent", [None, "Bearer ffp_unknown", "Basic dXNlcjpwYXNz", "Bearer "])
def test_without_a_token_that_counts_nothing_is_answered(
    client: TestClient, noah: str, route: str, sent: str | None
) -> None:
    answer = _ask(client, route, noah, {"Authorization": sent} if sent else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert _problem(answer).type == "ffp:problem:not_authenticated"


@pytest.mark.parametrize("sent", ["service", "revoked", None])
@pytest.mark.parametrize("asked", ["in use", "never issued", "mistyped", "too long", "a path"])
def test_the_short_way_of_resolve_answers_as_the_documented_route_does(
    client: TestClient, tokens: dict[str, str], noah: str, asked: str, sent: str | None
) -> None:
    """A request without a reason takes the short way, one with a reason the route of the document."""
    texts = {
        "in use": noah, "never issued": new_child_id(), "mistyped": noah[:-1] + "x", "too long": "1" * 41,
        "a path": "..%2Fhealthz",
    }  # fmt: skip
    token = {"Authorization": f"Bearer {tokens.get(sent, sent)}"} if sent else {}
    short = client.get(f"/resolve/{texts[asked]}", headers=token)
    long = client.get(f"/resolve/{texts[asked]}", headers={**token, "X-Reason": "a test"})
    assert (short.status_code, short.json()) == (long.status_code, long.json())
    assert short.headers["content-type"] == long.headers["content-type"]


@pytest.mark.parametrize(("headers", "is_short"), [([], True), ([(b"x-reason", b"why")], False)])
def test_only_a_request_without_a_reason_takes_the_short_way(
    client: TestClient, headers: list[tuple[bytes, bytes]], is_short: bool
) -> None:
    scope = {"type": "http", "method": "GET", "path": "/resolve/1565XE3B051RN", "headers": headers}
    routes = client.app.router.routes  # type: ignore[attr-defined]
    taken = next(route for route in routes if route.matches(scope)[0] is Match.FULL)
    assert isinstance(taken, QuickRoute) is is_short


def test_a_revoked_token_counts_no_longer_from_the_next_request_on(
    client: TestClient, world: World, noah: str
) -> None:
    access = Access(world.home)
    token = access.tokens.make("leaver", "service", access.roles, timedelta(days=1))
    assert _ask(client, "resolve", noah, _headers(token)).status_code == 200
    access.tokens.revoke("leaver")
    answer = _ask(client, "resolve", noah, _headers(token))
    assert (answer.status_code, "revoked" in answer.text) == (401, True)


@pytest.mark.control("B10")
def test_a_practitioner_must_say_why(client: TestClient, tokens: dict[str, str], noah: str) -> None:
    headers = {"Authorization": f"Bearer {tokens['practitioner']}"}
    answer = _ask(client, "identify", noah, headers)
    assert answer.status_code == 403
    assert "reason" in (_problem(answer).detail or "")


def test_identify_answers_with_the_child_and_no_value_of_a_record(
    client: TestClient, tokens: dict[str, str], noah: str
) -> None:
    answer = client.post("/identify", json=KNOWN, headers=_headers(tokens["practitioner"]))
    first = answer.json()["candidates"][0]
    assert (first["child_id"], first["grade"]) == (noah, "certain")
    values = (NOAH[name] for name in ("given_name", "surname", "date_of_birth", "nhs_number"))
    assert not any(str(value) in answer.text for value in (*values, "XF1", "990155"))


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"birth_date": "Quarrington"}, "body.birth_date", "date_from_datetime_parsing"),
        ({"nhs_number": "9990000019"}, "body.nhs_number", "identifier"),
        ({"Quarrington": "x"}, "body", "extra_forbidden"),
        ({"sex": "Quarrington"}, "body.sex", "literal_error"),
        ([], "body", "model_attributes_type"),
    ],
)
def test_a_wrong_body_is_told_by_field_rule_and_remedy_without_its_value(
    client: TestClient, tokens: dict[str, str], body: Any, field: str, rule: str
) -> None:
    answer = client.post("/identify", json=body, headers=_headers(tokens["practitioner"]))
    assert answer.status_code == 422
    (error,) = _problem(answer).errors
    assert (error.field, error.rule) == (field, rule)
    assert error.remedy
    assert "Quarrington" not in answer.text
    assert "9990000019" not in answer.text


def test_what_is_too_little_and_a_reason_that_names_the_person_are_problems(
    client: TestClient, tokens: dict[str, str]
) -> None:
    headers = _headers(tokens["practitioner"])
    too_little = client.post("/identify", json={"given_name": "Noah"}, headers=headers)
    assert _problem(too_little).type == "ffp:problem:too_little_known"
    named = client.post(
        "/identify", json=KNOWN, headers=_headers(tokens["practitioner"], "about Noah")
    )
    assert _problem(named).type == "ffp:problem:reason_names_the_person"


@pytest.mark.parametrize("path", ["/children/{}", "/children/{}/history", "/resolve/{}"])
def test_an_unknown_identifier_and_an_unknown_run_are_not_there(
    client: TestClient, tokens: dict[str, str], path: str
) -> None:
    headers = _headers(tokens["ig_officer"])
    assert _problem(client.get(path.format(new_child_id()), headers=headers)).status == 404
    assert _problem(client.get(path.format("no-such-child"), headers=headers)).status == 404
    assert client.get("/as-of?when=no-such-run", headers=headers).status_code == 404
    assert client.get("/changes?since=no-such-run", headers=headers).status_code == 404


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=60))
def test_any_path_gives_an_answer_or_a_problem(
    client: TestClient, tokens: dict[str, str], text: str
) -> None:
    path = "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in text)
    answer = client.get(f"/resolve/{path}", headers=_headers(tokens["service"]))
    assert answer.status_code in (200, 401, 404, 422)
    if answer.status_code != 200:
        _problem(answer)


def test_a_page_of_membership_comes_with_the_counts_of_the_whole(
    client: TestClient, tokens: dict[str, str]
) -> None:
    headers = _headers(tokens["data_engineer"])
    first = client.get("/as-of?when=2026-03-31&limit=3", headers=headers).json()
    next_ = client.get("/as-of?when=2026-03-31&limit=3&offset=3", headers=headers).json()
    assert first["records"] == next_["records"] > 300
    keys = [row["record_key"] for row in first["membership"] + next_["membership"]]
    assert len(set(keys)) == 6
    assert client.get("/as-of?when=2026-03-31&limit=99999", headers=headers).status_code == 422


def test_a_service_is_told_its_own_changes_alone(
    client: TestClient, tokens: dict[str, str]
) -> None:
    answer = client.get("/changes?since=first&recipient=other", headers=_headers(tokens["service"]))
    assert answer.status_code == 403


def test_the_document_in_docs_is_that_of_the_code(world: World) -> None:
    made = document(make_app(world.home))
    assert DOCUMENT.read_text("utf-8") == made, (
        "write it anew: ffp api --document docs/openapi.json"
    )


@pytest.mark.control("D06")
def test_a_fault_of_our_own_tells_its_kind_and_no_value(
    client: TestClient, tokens: dict[str, str], noah: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("Noah Quarrington")

    monkeypatch.setattr("ffp_data.lookups.service.Lookups.resolve", broken)
    answer = _ask(client, "resolve", noah, _headers(tokens["service"]))
    assert _problem(answer).status == 500
    assert "Quarrington" not in answer.text


def test_every_read_stands_in_the_ledger_when_the_service_has_stopped(own_world: World) -> None:
    access = Access(own_world.home)
    token = access.tokens.make("own", "service", access.roles, timedelta(days=1))
    child_id = load(own_world.home).child_of("health_csv|RXG|1")
    with TestClient(make_app(own_world.home)) as client:
        for _ in range(5):
            assert client.get(f"/resolve/{child_id}", headers=_headers(token)).status_code == 200
        assert client.get(f"/resolve/{child_id}").status_code == 401
    events = list(access.ledger.events())
    assert sum(e["facts"].get("who") == "own" for e in events) == 5
    assert events[-1]["facts"]["why"] == "token missing"
    assert access.ledger.verify() == []


@pytest.mark.slow
def test_a_real_server_listens_on_the_loopback_and_loses_no_read_when_it_is_killed(
    own_world: World,
) -> None:
    access = Access(own_world.home)
    token = access.tokens.make("own", "practitioner", access.roles, timedelta(days=1))
    with _server(own_world.home) as (url, server):
        answer = httpx2.post(
            f"{url}/identify", json=KNOWN, headers=_headers(token), timeout=PATIENCE
        )
        assert answer.json()["candidates"][0]["grade"] == "certain"
        server.kill()
        server.wait()
        said = server.stderr.read() if server.stderr else ""
    assert "Quarrington" not in said
    _take_over_when_its_search_has_ended(own_world.home, access.ledger)
    events = [e for e in access.ledger.events() if e["facts"].get("who") == "own"]
    assert [(e["kind"], e["facts"]["right"]) for e in events] == [("read", "identify")]


def _take_over_when_its_search_has_ended(home: Home, ledger: Ledger) -> None:
    """Whoever opens the ledger's folder takes over what was left, but for the journal of a process that still ends."""

    def is_all_taken() -> bool:
        take_over_left(ledger)
        return not journals(home.ledger_dir)

    wait_until(is_all_taken, "the process of the search outlived the service")


class _server:  # noqa: N801 - reads like a word at its place
    """The command `ffp api` in a process of its own, on a free port."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def __enter__(self) -> tuple[str, subprocess.Popen[str]]:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ffp_data", "api", "--home", str(self._home.root), "--port", "0"],
            stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        assert self.process.stderr
        for line in self.process.stderr:
            if "http://127.0.0.1:" in line:
                port = line.split("http://127.0.0.1:")[1].split()[0]
                return f"http://127.0.0.1:{port}", self.process
        raise AssertionError("the server did not start")

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
