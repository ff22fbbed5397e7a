"""Whoever means harm, by words: in every field of every page, and in what agencies send. Nothing breaks.

Pages and their fields are read from the application, so that a new field is tried too. Each text carries a mark: it
may stand in a page as text, and in the ledger as the reason that somebody gave, and nowhere in a log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from ffp_data.access import Access
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.serving import store
from ffp_data.serving.view import ROOM
from ffp_data.web.app import make_app
from ffp_data.web.session import COOKIE
from ffp_data.web.users import User
from tests.web.routes import Page
from tests.web.test_access_matrix import LISTED, TABLE
from tests.web.world import AS_AT, World, make_world, tables_of

MARK = "zqxj"
TEXTS = {
    "markup": f'{MARK}"><script>alert(1)</script><img src=x onerror=alert(1)>{{{{1337*1337}}}}${{1337*1337}}',
    "sql": f"=1+1 {MARK}' OR '1'='1'; DROP TABLE children; -- \" UNION SELECT * FROM children",
    "line ends": f"{MARK}\r\nX-Injected: yes\r\n\r\nINFO signed_in who=admin\x1b[2J",
    "unicode": f"{MARK}\u202e\ufffe\U0010ffff" + "\u0301" * 20 + "٣" * 10,
    "nul": f"..%2f../../../../{MARK}/../keys/root.key\x00.html",
    "long": MARK * 2_500,
}
SAID = {200, 303, 400, 403, 404, 409, 413, 422, 503}
"""Answers that a page gives on purpose; 503 where the home of the test has no such thing."""

UNEVALUATED = "1787569"  # what the sums above come to
MAY_KEEP = {"reason", "meeting"}
"""Facts of the ledger that are the words of who looked, took away or decided."""


@dataclass(frozen=True)
class Tried:
    """What a page answered to a hostile text."""

    page: str
    field: str
    text: str
    status: int
    headers: Mapping[str, str]
    body: str


@pytest.fixture(scope="module")
def hostile_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return _made(tmp_path_factory.mktemp("hostile"))


def _made(folder: Path) -> World:
    """A world whose policy is compiled, so that pages of agreements have something to show."""
    world = make_world(folder / "home")
    run = Run.at(run_id="policy", home=world.home.root, landing=folder / "landing", as_at=AS_AT)
    assert policy.compile_lock(run).problems == []
    return world


@pytest.fixture(scope="module")
def tried(hostile_world: World) -> tuple[list[Tried], str]:
    """Every text in every field, all other fields as they should be; and all that was logged."""
    told = _Log()
    logging.getLogger().addHandler(told)
    logging.getLogger().setLevel(logging.INFO)
    found = []
    client = TestClient(
        make_app(hostile_world.home), raise_server_exceptions=False, follow_redirects=False
    )
    with client:
        for number, (page, field) in zip(count(), _fields()):
            for name, text in TEXTS.items():
                key = f"user {number} {name}"
                response = _send(client, page, field, text, key, hostile_world)
                found.append(
                    Tried(
                        page.name,
                        field,
                        name,
                        response.status_code,
                        response.headers,
                        response.text,
                    )
                )
    logging.getLogger().removeHandler(told)
    return found, "\n".join(told.lines)


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(("httpx", "httpcore", "asyncio")):  # the browser's side
            self.lines.append(self.format(record))


def _fields() -> Iterator[tuple[Page, str]]:
    """First those that read the ledger, while it is short."""
    for page in sorted(LISTED, key=lambda page: not page.path.startswith("/governance")):
        yield from ((page, name) for name in (*page.in_path, *page.in_query, *page.in_form))


def _role(page: Page) -> str:
    roles = TABLE[page.name].get("roles", "everybody")
    return "practitioner" if roles == "everybody" else str(roles[0])


def _send(client: TestClient, page: Page, field: str, text: str, key: str, world: World) -> Any:
    sessions = client.app.state.service.sessions  # type: ignore[attr-defined]
    user = User(name="Somebody", role=_role(page), teams=("Family Help North",))
    client.cookies.clear()
    client.cookies.set(COOKIE, cookie := sessions.begin(key, user))
    takes = {"child_id": world.mine, **TABLE[page.name].get("takes", {})}
    takes |= {"child_id": world.mine} if takes["child_id"] == "OWN" else {}
    session = sessions.find(cookie)
    token = {"form_token": sessions.form_token(session)} if "form_token" in page.in_form else {}
    values = {**takes, **token, field: text}
    path = page.address(**{n: quote(str(values[n]), safe="") for n in page.in_path})
    query = {n: values[n] for n in page.in_query if n in values}
    form = {n: values[n] for n in page.in_form if n in values}
    return client.request(page.method, path, params=query, data=form or None)


@pytest.mark.control("D08")
def test_no_text_in_any_field_breaks_a_page(tried: tuple[list[Tried], str]) -> None:
    found, _ = tried
    assert len(found) > 200
    assert [(t.page, t.field, t.text) for t in found if t.status not in SAID] == []


@pytest.mark.control("D08")
def test_no_text_in_any_field_becomes_markup_or_a_header_or_is_worked_out(
    tried: tuple[list[Tried], str],
) -> None:
    for each in tried[0]:
        asked = (each.page, each.field, each.text)
        assert "x-injected" not in each.headers, asked
        assert UNEVALUATED not in each.body, asked
        assert each.headers["content-security-policy"].startswith("default-src 'none'"), asked
        if each.headers.get("content-type", "").startswith("text/html"):
            assert _strange(each.body) == [], asked


def test_a_refused_page_repeats_nothing(tried: tuple[list[Tried], str]) -> None:
    """What was refused stands in no refusal; a form that asks again may keep what was typed, as text."""
    refused = [t for t in tried[0] if t.status >= 400 and "<form" not in t.body.split("<main")[-1]]
    assert refused
    assert [(t.page, t.field, t.text) for t in refused if MARK in t.body] == []


@pytest.mark.control("D05", "D08")
def test_neither_log_nor_ledger_keeps_a_hostile_text_and_each_refusal_stands_in_one(
    tried: tuple[list[Tried], str], hostile_world: World
) -> None:
    found, log = tried
    assert MARK not in log
    assert "\x1b" not in log
    refused = [t for t in found if t.status >= 400]
    assert log.count("refused: ") >= len(refused)
    events = list(Access(hostile_world.home).ledger.events())
    kept = [{k: v for k, v in e["facts"].items() if k not in MAY_KEEP} for e in events]
    assert MARK not in json.dumps(kept)
    assert {"page_refused", "read"} <= {event["kind"] for event in events}


OWN = ("/", "#", "?", "http://127.0.0.1:3000")
"""Where links lead: to these pages, and for engineers to Dagster on the same machine."""


class _Strange(HTMLParser):
    """Collects what no page of ours has: scripts, handlers of events, styles in place, addresses elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "iframe", "object", "embed", "base"):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.found.append(f"{tag} {name}")
            elif name in ("href", "src", "action") and not (value or "").startswith(OWN):
                self.found.append(f"{tag} {name}={value}")


def _strange(page: str) -> list[str]:
    parser = _Strange()
    parser.feed(page)
    return parser.found


# What agencies send

MARKUP = f'{MARK}</h1></td><script>alert(1)</script>" onmouseover="alert(1)\' {{{{1337*1337}}}}'
OURS = {"child_id", "related_child_id", "state", "is_open_to", "kind", "token", "feed", "clock"}
"""Columns of which every value is of the hub's own making."""


@pytest.mark.control("D08")
def test_no_column_of_the_view_becomes_markup_on_any_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = _made(tmp_path_factory.mktemp("poisoned"))
    tables = {name: _poisoned(table) for name, table in tables_of(world).items() if name != "meta"}
    store.write(world.home, "poisoned", {**tables_of(world), **tables}, room=ROOM)
    marked = 0
    with TestClient(make_app(world.home), raise_server_exceptions=False) as client:
        sessions = client.app.state.service.sessions  # type: ignore[attr-defined]
        for page, child in _looks(world):
            user = User(name="Somebody", role=_role(page), teams=("Family Help North", MARKUP))
            client.cookies.set(COOKIE, cookie := sessions.begin(page.name, user))
            sessions.give_reason(sessions.find(cookie), child, "call from the school (case 1)")
            takes = TABLE[page.name].get("takes", {})
            shown = client.get(page.address(**{**takes, "child_id": child}))
            assert shown.status_code in SAID, page
            if shown.headers.get("content-type", "").startswith("text/html"):
                assert _strange(shown.text) == [], page
                assert UNEVALUATED not in shown.text, page
                marked += MARK in shown.text
    assert marked >= 4


def _poisoned(table: pa.Table) -> pa.Table:
    """The table with each text of a feed's making turned into markup."""
    rows = []
    for row in table.to_pylist():
        for field in table.schema:
            if field.name not in OURS and row[field.name] is not None:
                if pa.types.is_string(field.type):
                    row[field.name] = MARKUP
                elif pa.types.is_list(field.type) and pa.types.is_string(field.type.value_type):
                    row[field.name] = [MARKUP]
        rows.append(row)
    return pa.Table.from_pylist(rows, table.schema)


def _looks(world: World) -> Iterator[tuple[Page, str]]:
    """Every page that is read, of each child."""
    children = (world.mine, world.other, world.hidden, world.bare)
    for page in LISTED:
        if page.method == "GET" and page.path != "/sign-in/begin":
            yield from (
                (page, c) for c in (children if "child_id" in page.in_path else children[:1])
            )
