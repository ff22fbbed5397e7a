"""Signing in with the council's accounts: who is let in, and every answer that is none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import OctKey, RSAKey

from ffp_data.access import Access
from ffp_data.web.app import make_app
from ffp_data.web.oidc import SECRET as SECRET_VARIABLE
from ffp_data.web.oidc import Provider
from ffp_data.web.users import UsersConfigError
from tests.web.conftest import Visitor
from tests.web.provider import SECRET, StandIn, provider
from tests.web.world import World, make_world

SIGN_IN = """
issuer: {issuer}
client_id: hub
redirect: http://127.0.0.1:8000/sign-in/done
roles: {{FFP.Practitioner: practitioner, FFP.Reviewer: reviewer}}
teams: {{g-north: Family Help North}}
"""


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with provider() as started:
        yield started


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, stand_in: StandIn) -> World:
    made = make_world(tmp_path_factory.mktemp("oidc") / "home")
    (made.home.root / "sign_in.yaml").write_text(SIGN_IN.format(issuer=stand_in.issuer), "utf-8")
    return made


@pytest.fixture
def visitor(town: World, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    stand_in.claims, stand_in.key, stand_in.algorithm = {}, stand_in.published, "RS256"
    with TestClient(make_app(town.home), raise_server_exceptions=False) as client:
        yield Visitor(client)


def _to_provider(visitor: Visitor) -> str:
    sent = visitor.client.get("/sign-in/begin", follow_redirects=False)
    assert sent.status_code == 303
    return str(sent.headers["location"])


def test_a_person_signs_in_with_role_and_teams_of_the_account(
    visitor: Visitor, stand_in: StandIn, town: World
) -> None:
    assert "Sign in with your work account" in visitor.get("/").text
    back = stand_in.authorize(_to_provider(visitor))
    page = visitor.get("/sign-in/done", params=back)
    assert page.status_code == 200
    assert "http-equiv" in page.text
    assert f"/children/{town.mine}" in visitor.get("/").text
    assert "G Kemble" in visitor.page.text
    visitor.client.__exit__(None, None, None)
    events = [(e["kind"], e["facts"].get("who")) for e in Access(town.home).ledger.events()]
    assert ("signed_in", "g.kemble") in events


def test_nobody_signs_in_as_somebody_made_up_where_a_provider_is_named(visitor: Visitor) -> None:
    assert visitor.client.post("/sign-in", data={"user": "family-help"}).status_code == 400


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("another issuer", {"iss": "https://elsewhere.example"}),
        ("for another client", {"aud": "payroll"}),
        ("expired", {"exp": int(time.time()) - 600}),
        ("of another sign-in", {"nonce": "another"}),
        ("without a role of ours", {"roles": ["Payroll.Clerk"]}),
        ("without a name", {"preferred_username": ""}),
    ],
)
def test_a_token_that_breaks_a_rule_signs_nobody_in(
    visitor: Visitor, stand_in: StandIn, name: str, claims: dict[str, object]
) -> None:
    stand_in.claims = claims
    page = visitor.get("/sign-in/done", params=stand_in.authorize(_to_provider(visitor)))
    assert page.status_code == 403, name
    assert visitor.get("/").url.path == "/sign-in"


def test_a_token_signed_by_anybody_else_signs_nobody_in(
    visitor: Visitor, stand_in: StandIn
) -> None:
    stand_in.key = RSAKey.generate_key(2048, {"kid": "k1"})
    page = visitor.get("/sign-in/done", params=stand_in.authorize(_to_provider(visitor)))
    assert page.status_code == 403


def test_a_token_signed_with_the_shared_secret_signs_nobody_in(
    visitor: Visitor, stand_in: StandIn
) -> None:
    stand_in.key, stand_in.algorithm = OctKey.import_key(SECRET * 8), "HS256"
    page = visitor.get("/sign-in/done", params=stand_in.authorize(_to_provider(visitor)))
    assert page.status_code == 403


def test_an_answer_counts_once_in_the_browser_that_asked(
    visitor: Visitor, stand_in: StandIn
) -> None:
    back = stand_in.authorize(_to_provider(visitor))
    own = visitor.client.cookies["hub_signing_in"]
    visitor.client.cookies.clear()
    visitor.client.cookies.set("hub_signing_in", "another browser")
    assert visitor.get("/sign-in/done", params=back).status_code == 403
    visitor.client.cookies.clear()
    visitor.client.cookies.set("hub_signing_in", own)
    assert visitor.get("/sign-in/done", params=back).status_code == 403  # it was used up
    assert visitor.get("/sign-in/done", params={"state": "x", "code": "y"}).status_code == 403


def test_what_is_refused_stands_in_the_ledger_as_a_rule_without_the_token(
    visitor: Visitor, stand_in: StandIn, town: World
) -> None:
    stand_in.claims = {"aud": "payroll", "preferred_username": "zoe.canary"}
    visitor.get("/sign-in/done", params=stand_in.authorize(_to_provider(visitor)))
    visitor.client.__exit__(None, None, None)
    refused = [e for e in Access(town.home).ledger.events() if e["kind"] == "sign_in_refused"]
    assert "breaks a rule" in refused[-1]["facts"]["why"]
    assert "canary" not in str(refused)


@pytest.mark.parametrize(
    "text",
    [
        "issuer: http://login.example/\nclient_id: x\nredirect: https://h/\nroles: {}",
        "[",
        "issuer: x",
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(world: World, tmp_path: Path, text: str) -> None:
    home = type(world.home)(tmp_path)
    (tmp_path / "sign_in.yaml").write_text(text, "utf-8")
    with pytest.raises(UsersConfigError, match=r"sign_in\.yaml"):
        Provider.of(home)
