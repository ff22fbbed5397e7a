"""Whoever means harm, by sessions and requests that no browser makes: forged, planted, replayed, too large, odd.

What is typed into fields is tried in test_hostile.py.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from ffp_data.access import Access
from ffp_data.hub.child_id import new_child_id
from ffp_data.web.app import make_app
from ffp_data.web.guard import LARGEST_FORM
from ffp_data.web.session import COOKIE, IDLE
from ffp_data.web.users import User
from tests.web.conftest import Visitor
from tests.web.world import World


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with TestClient(make_app(world.home), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def visitor(client: TestClient) -> Visitor:
    """One server for all tests, and a browser that has forgotten everything."""
    client.cookies.clear()
    return Visitor(client)


# Sessions

FORGED = (
    "",
    "A" * 43,
    "A" * 10_000,
    "../../etc/passwd",
    "' OR 1=1 --",
    "admin",
    "\u00e9".encode("latin-1"),
)


@pytest.mark.parametrize("cookie", FORGED, ids=lambda cookie: repr(cookie)[:20])
def test_a_forged_session_is_nobody_and_logged(
    visitor: Visitor, cookie: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    value = cookie.encode() if isinstance(cookie, str) else cookie
    sent = {b"cookie": COOKIE.encode() + b"=" + value}
    page = visitor.client.get("/search", headers=sent, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
    assert [r.message for r in caplog.records if r.name == "uvicorn.error"] == [
        "refused: a session that is not open"
    ]


def test_a_cookie_that_was_planted_before_signing_in_is_never_the_sessions(
    visitor: Visitor,
) -> None:
    planted = "planted-by-somebody-else"
    visitor.client.cookies.set(COOKIE, planted)
    given = visitor.client.post(
        "/sign-in", data={"user": "family-help"}, follow_redirects=False
    ).headers["set-cookie"]
    assert planted not in given
    visitor.client.cookies.clear()
    visitor.client.cookies.set(COOKIE, planted)
    assert visitor.get("/").url.path == "/sign-in"


def test_signing_in_again_ends_the_session_before(visitor: Visitor) -> None:
    visitor.sign_in("family-help")
    before = visitor.client.cookies[COOKIE]
    visitor.sign_in("front-door")
    assert visitor.client.cookies[COOKIE] != before
    visitor.client.cookies.clear()
    visitor.client.cookies.set(COOKIE, before)
    assert visitor.get("/").url.path == "/sign-in"


def test_an_expired_session_is_nobody_even_with_its_own_form(visitor: Visitor) -> None:
    visitor.sign_in("front-door").get("/search")
    sessions = visitor.client.app.state.service.sessions  # type: ignore[attr-defined]
    sessions.find(visitor.client.cookies[COOKIE]).last -= IDLE
    page = visitor.send("/search", text="wren")
    assert page.url.path == "/sign-in"
    assert "Wren" not in page.text


def test_a_token_of_another_session_is_refused_and_written_down(
    visitor: Visitor, world: World
) -> None:
    visitor.sign_in("front-door").get("/search")
    sessions = visitor.client.app.state.service.sessions  # type: ignore[attr-defined]
    other = sessions.find(sessions.begin("other", User(name="Other", role="practitioner")))
    sent = {"form_token": sessions.form_token(other), "text": "wren"}
    assert visitor.client.post("/search", data=sent).status_code == 400
    visitor.client.app.state.service.gate.append.__self__.flush()  # type: ignore[attr-defined]
    last = [e["facts"] for e in Access(world.home).ledger.events() if e["kind"] == "page_refused"][
        -1
    ]
    assert (last["who"], last["why"]) == ("front-door", "form")


# Requests that no browser sends


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_no_other_method_does_anything(visitor: Visitor, world: World, method: str) -> None:
    visitor.sign_in("family-help")
    page = visitor.client.request(method, f"/children/{world.mine}")
    assert page.status_code == 405
    assert "Ottaway" not in page.text


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_method_is_not_overridden(visitor: Visitor, name: str) -> None:
    visitor.sign_in("family-help")
    visitor.client.get(
        "/search", headers={name: "POST"}, params={"_method": "POST", "text": "wren"}
    )
    assert "Sign out" in visitor.get("/search").text
    assert visitor.client.get("/sign-out", headers={name: "POST"}).status_code in (404, 405)
    assert visitor.get("/").url.path == "/"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", ""]
)
def test_a_host_of_another_name_is_not_answered(world: World, host: str) -> None:
    app = make_app(world.home, ("127.0.0.1", "localhost"))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        assert client.get("/sign-in").status_code == 200
        refused = client.get("/sign-in", headers={"host": host})
    assert refused.status_code == 400
    assert "evil" not in refused.text
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_no_redirect_repeats_the_host_that_a_request_claims(visitor: Visitor) -> None:
    visitor.sign_in("family-help")
    for path in ("/search/", "//evil.example/", "/children/", "/"):
        page = visitor.client.get(path, headers={"host": "evil.example"}, follow_redirects=False)
        assert "evil" not in page.headers.get("location", "")


def test_a_body_that_is_too_large_is_refused_unread(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    visitor.sign_in("front-door")
    body = b"text=" + b"a" * LARGEST_FORM
    form = {"content-type": "application/x-www-form-urlencoded"}
    told = visitor.client.post("/search", content=body, headers=form)
    pieces = visitor.client.post("/search", content=iter([body[:9], body[9:]]), headers=form)
    assert (told.status_code, pieces.status_code) == (413, 413)
    assert told.headers["x-content-type-options"] == pieces.headers["x-content-type-options"]
    assert sum("refused: 413" in r.message for r in caplog.records) == 2


BODIES = {
    "json": (b'{"text": "wren"}', "application/json"),
    "no multipart": (b"--x--", "multipart/form-data; boundary=y"),
    "no boundary": (b"wren", "multipart/form-data"),
    "a file for a text": (
        b'--x\r\nContent-Disposition: form-data; name="text"; filename="a"\r\n\r\nwren\r\n--x--\r\n',
        "multipart/form-data; boundary=x",
    ),
    "no utf-8": (b"text=%ff%fe&form_token=%ff", "application/x-www-form-urlencoded"),
    "many fields": (
        b"&".join(b"a%d=1" % n for n in range(5_000)),
        "application/x-www-form-urlencoded",
    ),
    "nothing": (b"", "application/x-www-form-urlencoded"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_another_kind_is_refused(visitor: Visitor, name: str) -> None:
    visitor.sign_in("front-door")
    body, kind = BODIES[name]
    page = visitor.client.post("/search", content=body, headers={"content-type": kind})
    assert page.status_code == 400
    assert "wren" not in page.text.lower()


def test_a_field_that_is_sent_twice_counts_once_and_a_token_too(visitor: Visitor) -> None:
    visitor.sign_in("front-door").get("/search")
    token = re.findall(r'form_token" value="([^"]+)"', visitor.page.text)[-1]
    twice = {"form_token": ["no token", token], "text": ["wren", "' OR 1=1"]}
    page = visitor.client.post("/search", data=twice)
    assert page.status_code == 200
    assert "Ottaway" not in page.text
    assert visitor.client.post("/search", data=twice).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/%2e%2e/settings.py",
        "/static//etc/passwd",
    ],
)
def test_no_file_beside_the_styles_is_given(visitor: Visitor, path: str) -> None:
    assert visitor.client.get(path).status_code in (404, 405)


def test_an_address_of_another_child_is_no_way_round_the_reason(
    visitor: Visitor, world: World
) -> None:
    """A reason for one child opens no other, in whatever way the address is written."""
    visitor.sign_in("family-help").get(f"/children/{world.other}")
    visitor.send(f"/children/{world.other}/reason", why="call from the school", case_reference="1")
    for address in (world.hidden, world.hidden.lower(), f"%20{world.hidden}", new_child_id()):
        page = visitor.get(f"/children/{address}")
        assert "Marigold" not in page.text
