"""Every page, asked by every role, of a child in every situation: each answer as in `access.yaml`, and written down.

Roles are those of the register, pages those of the application, so that a new one of either is asked too. Each
question is asked by somebody of its own, so that the ledger tells what it wrote of which. The sealed child was
sealed by the command's own code; that the answer is the one for an identifier that was never issued is held to the
letter: status, headers, words, events, and the very queries that were made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
import yaml
from fastapi.testclient import TestClient

from ffp_data import feeds
from ffp_data.access import Access
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub import Hub
from ffp_data.hub.child_id import new_child_id
from ffp_data.pipeline import identify
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.sealing.places import custodian_file
from ffp_data.sealing.seal import seal
from ffp_data.sealing.vault import CustodianKey
from ffp_data.serving import store
from ffp_data.serving.view import ROOM
from ffp_data.settings import Home
from ffp_data.single_view.published import Published
from ffp_data.warehouse import connect
from ffp_data.web.app import make_app
from ffp_data.web.session import COOKIE
from ffp_data.web.users import User
from governance.access import load_roles
from tests.web.routes import Page, pages_of
from tests.web.world import AS_AT, make_world, tables_of

TABLE: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("access.yaml").read_text("utf-8")
)
ROLES = tuple(load_roles().by_id)
SIGNED_OUT = "signed out"
NOTHING = "nothing"
PAGES = pages_of(make_app(Home(Path("nowhere"))))
LISTED = [page for page in PAGES if page.name in TABLE]

USUAL = {
    "own": [200, "view"],
    "others": [303, NOTHING],  # to the page that asks for a reason
    "with_reason": [200, "view_off_caseload"],
    "shielded": [200, "view"],
    "shielded_others": [200, "view_off_caseload"],
    "suspended": [200, "view"],
    "sealed": [404, "view"],
    "never": [404, "view"],
}
"""What a page of one child answers those who may have it: status, and the right that the ledger's event names."""

REASON = "call from the school (case D-7)"
WITH_REASON = ("with_reason", "shielded_others")
PLACES = ("Ash Lane", "XF1", "990155", "01632 960001", "Family Help North")
PERSONAL = (
    "Wren",
    "Ottaway",
    "Ottoway",
    "Linnet",
    "Marigold",
    "Quill",
    "Ash Lane",
    "XF1",
    "9990000018",
)


@dataclass(frozen=True)
class Answer:
    """What came back, what the ledger wrote, and which queries were made for it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    text: str
    queries: tuple[str, ...]
    events: tuple[Mapping[str, Any], ...] = ()

    @property
    def told(self) -> list[str]:
        """Of each event the right or, where none was asked, the kind."""
        return [str(e["facts"].get("right", e["kind"])) for e in self.events]


@dataclass(frozen=True)
class Cell:
    """One question: which page, who asks, and of which child."""

    page: str
    role: str
    situation: str = ""


@dataclass(frozen=True)
class Case:
    """A home with a child in each situation."""

    home: Home
    children: Mapping[str, str]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("matrix")
    world = make_world(folder / "home")
    home = world.home
    more = ("shielded", "shielded_others", "suspended", "sealed")
    with Hub.open(home.hub_url) as hub:
        keys = [f"case_system|x|{n}" for n in range(4 + len(more))]
        hub.apply_run("more", AS_AT, "model", pa.table({"record_id": keys, "cluster_id": keys}))
        issued = {row["record_key"]: row["child_id"] for row in hub.membership().to_pylist()}
    new = {name: issued[f"case_system|x|{4 + n}"] for n, name in enumerate(more)}
    tables = tables_of(world)
    for name, child_id in new.items():
        like = world.other if name == "shielded_others" else world.mine
        tables = _with_another(tables, like, child_id, is_shared=name != "suspended")
    store.write(home, "more", tables, room=ROOM)
    documents = home.out / "governance"
    documents.mkdir(parents=True)
    (documents / "index.html").write_text("<h1>Documents</h1>", "utf-8")
    with Orders(home) as orders:
        for name in ("shielded", "shielded_others"):
            orders.give(Kind.SHIELD, new[name], Said("a.head", "the father searches for them"))
    _seal(home, folder, new["sealed"])
    own = {"own": world.mine, "others": world.other, "with_reason": world.other}
    return Case(home, {**own, **new, "never": new_child_id()})


def _with_another(
    tables: Mapping[str, pa.Table], like: str, child_id: str, *, is_shared: bool
) -> dict[str, pa.Table]:
    """The tables with one more child who is like another."""
    found = {}
    for name, table in tables.items():
        rows = table.to_pylist()
        new = [{**row, "child_id": child_id} for row in rows if row.get("child_id") == like]
        if name == "children":
            new = [{**row, "given_name": "Linnet"} for row in new]
        if name == "involvements" and not is_shared:
            shut = {
                "state": "not_shared",
                "state_in_words": "not shared: the agreement is suspended",
            }
            gone = dict.fromkeys(("contact_name", "contact_phone", "since"))
            new += [{**row, **shut, **gone, "service_label": "health visiting"} for row in new]
        found[name] = pa.Table.from_pylist([*rows, *new], table.schema)
    return found


def _seal(home: Home, folder: Path, child_id: str) -> None:
    """Seal a child as `ffp hub seal` does, in a home whose warehouse is empty but for whose records are whose."""
    run = Run.at(run_id="sealing", home=home.root, landing=folder / "landing", as_at=AS_AT)
    CustodianKey.make().write(folder / "private.pem", custodian_file(home), None)
    assert policy.compile_lock(run).problems == []
    with connect(home) as con:
        feeds.create_empty_raw_tables(con, run.contracts)
    identify.assemble(run)
    with Hub.open(home.hub_url) as hub:
        membership = hub.membership()  # noqa: F841 -- read by name
    with connect(home) as con:
        con.execute("CREATE OR REPLACE TABLE identity.child_membership AS SELECT * FROM membership")
    report = seal(run, child_id, "c.custodian", "adoption order 7")
    assert report.counts["hub"]


@pytest.fixture(scope="module")
def answers(case: Case) -> Mapping[Cell, Answer]:
    """Every question, asked once; the ledger read at the end."""
    asked: dict[str, tuple[Cell, Answer]] = {}
    client = TestClient(make_app(case.home), raise_server_exceptions=False, follow_redirects=False)
    with client, Queries() as made:
        for number, (page, cell) in zip(count(), _cells()):
            key = f"user {number}"
            made.clear()
            response = _ask(client, page, cell, key, case.children)
            headers = tuple(sorted((n, v) for n, v in response.headers.items()))
            answer = Answer(response.status_code, headers, response.text, tuple(made))
            asked[key] = (cell, answer)
    written: dict[str, list[Mapping[str, Any]]] = {key: [] for key in asked}
    for event in Access(case.home).ledger.events():
        if event["facts"].get("who") in written:
            written[event["facts"]["who"]].append(event)
    return {
        cell: Answer(a.status, a.headers, a.text, a.queries, tuple(written[key]))
        for key, (cell, a) in asked.items()
    }


def _cells() -> Iterator[tuple[Page, Cell]]:
    """First those that read the ledger, while it is short."""
    for page in sorted(LISTED, key=lambda page: not page.path.startswith("/governance")):
        line = TABLE[page.name]
        for role in (SIGNED_OUT,) if "open" in line else (SIGNED_OUT, *ROLES):
            for situation in _situations(page, role):
                yield page, Cell(page.name, role, situation)


def _situations(page: Page, role: str) -> tuple[str, ...]:
    """Of which children a role is asked; who is refused anyway, of those who must be alike to them."""
    if "child_id" not in page.in_path:
        return ("",)
    return tuple(USUAL) if role in TABLE[page.name]["roles"] else ("own", "sealed", "never")


def _ask(client: TestClient, page: Page, cell: Cell, key: str, children: Mapping[str, str]) -> Any:
    takes = {
        k: children.get(str(v).lower(), v) for k, v in TABLE[page.name].get("takes", {}).items()
    }
    child_id = children.get(cell.situation, "")
    sent = {name: takes[name] for name in page.in_form if name in takes}
    client.cookies.clear()
    if cell.role != SIGNED_OUT:
        sessions = client.app.state.service.sessions  # type: ignore[attr-defined]
        user = User(name="Somebody", role=cell.role, teams=("Family Help North",))
        cookie = sessions.begin(key, user)
        client.cookies.set(COOKIE, cookie)
        session = sessions.find(cookie)
        if cell.situation in WITH_REASON:
            sessions.give_reason(session, child_id, REASON)
        sent |= {"form_token": sessions.form_token(session)} if page.method == "POST" else {}
    asked = {name: takes[name] for name in page.in_query if name in takes}
    address = page.address(**{**takes, "child_id": child_id})
    return client.request(page.method, address, params=asked, data=sent or None)


class Queries:
    """Every query that is made for a page: to the register, and to the published view."""

    def __enter__(self) -> list[str]:
        self._made: list[str] = []
        self._rows = Published.rows
        sa.event.listen(sa.Engine, "before_cursor_execute", self._told)

        def rows(view: Published, sql: str, parameters: Any = ()) -> list[dict[str, Any]]:
            self._made.append(sql)
            return self._rows(view, sql, parameters)

        Published.rows = rows  # type: ignore[method-assign,assignment]
        return self._made

    def _told(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._made.append(statement)

    def __exit__(self, *_: object) -> None:
        Published.rows = self._rows  # type: ignore[method-assign]
        sa.event.remove(sa.Engine, "before_cursor_execute", self._told)


def test_every_page_has_a_line_and_every_line_a_page() -> None:
    assert {page.name for page in PAGES} == set(TABLE), "say in tests/web/access.yaml who may"


def _expected(page: Page, cell: Cell) -> tuple[int, str]:
    """Status, and what the ledger says."""
    line = TABLE[page.name]
    if "open" in line:
        return line["open"], "any"
    if cell.role == SIGNED_OUT:
        return 303, NOTHING
    roles = line["roles"]
    if roles != "everybody" and cell.role not in roles:
        return (303, NOTHING) if cell.role in line.get("begins", {}) else (403, "access_refused")
    if cell.situation:
        status, writes = {**USUAL, **line.get("child", {})}[cell.situation]
        return status, writes
    return line.get("status", 200), line.get("writes", "any")


@pytest.mark.control("C02", "F06")
@pytest.mark.parametrize("page", LISTED, ids=lambda page: page.name)
def test_each_role_gets_what_the_policy_gives_it_and_the_ledger_says_so(
    page: Page, answers: Mapping[Cell, Answer]
) -> None:
    wrong: list[tuple[Cell, object, object]] = []
    for cell, answer in answers.items():
        if cell.page == page.name:
            status, writes = _expected(page, cell)
            wrong += [(cell, status, answer.status)] if answer.status != status else []
            wrong += [(cell, writes, answer.told)] if not _says(answer, writes) else []
    assert wrong == []


def _says(answer: Answer, writes: str) -> bool:
    if writes == NOTHING:
        return not answer.events
    if writes == "access_refused":
        return [event["kind"] for event in answer.events] == [writes]
    return writes == "any" or writes in answer.told


def test_who_is_not_signed_in_is_sent_to_sign_in_and_nowhere_else(
    answers: Mapping[Cell, Answer],
) -> None:
    sent = {dict(a.headers)["location"] for c, a in answers.items()
            if c.role == SIGNED_OUT and "open" not in TABLE[c.page]}  # fmt: skip
    assert sent == {"/sign-in"}


def test_a_role_begins_where_its_line_says(answers: Mapping[Cell, Answer]) -> None:
    for role, begins in TABLE["GET /"]["begins"].items():
        assert dict(answers[Cell("GET /", role)].headers)["location"] == begins


@pytest.mark.control("D05")
def test_no_event_carries_a_name_a_number_or_an_identifier(
    answers: Mapping[Cell, Answer], case: Case
) -> None:
    told = json.dumps([answer.events for answer in answers.values()])
    assert len(told) > 10_000
    assert [word for word in (*PERSONAL, *case.children.values()) if word in told] == []


def test_a_refusal_of_a_role_is_one_page_whoever_the_child_is(
    answers: Mapping[Cell, Answer], case: Case
) -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for cell, answer in answers.items():
        if cell.situation and answer.status == 403:
            page = _plain(answer, case.children[cell.situation])
            found.setdefault((cell.page, cell.role), set()).add(page)
    assert found
    assert {key for key, pages in found.items() if len(pages) > 1} == set()


@pytest.mark.control("B05")
def test_of_a_sealed_child_nothing_is_confirmed_not_even_by_the_work_that_is_done(
    answers: Mapping[Cell, Answer], case: Case
) -> None:
    compared = 0
    for cell, answer in answers.items():
        if cell.situation == "sealed":
            never = answers[Cell(cell.page, cell.role, "never")]
            assert answer.status == never.status, cell
            assert _without_length(answer) == _without_length(never), cell
            assert _plain(answer, case.children["sealed"]) == _plain(never, case.children["never"])
            assert answer.queries == never.queries, cell
            assert [_shape(e) for e in answer.events] == [_shape(e) for e in never.events], cell
            compared += answer.status == 404
    assert compared


def _plain(answer: Answer, child_id: str) -> str:
    """A page without what differs from question to question: the token of its form, and whom it was asked of."""
    text = re.sub(r'name="form_token" value="[^"]+"', "", answer.text)
    return text.replace(child_id, "CHILD") if child_id else text


def _without_length(answer: Answer) -> list[tuple[str, str]]:
    return [(n, v) for n, v in answer.headers if n not in ("content-length", "set-cookie")]


def _shape(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event without who asked, when, and the reference, which is random for whom nobody knows."""
    facts = {k: v for k, v in event["facts"].items() if k not in ("who", "entry", "read_at")}
    return {"kind": event["kind"], **facts, "subjects": len(facts.get("subjects", ()))}


@pytest.mark.control("B08")
def test_no_page_tells_where_a_shielded_child_is(answers: Mapping[Cell, Answer]) -> None:
    pages = {
        cell: answer.text.split("<main", 1)[-1]
        for cell, answer in answers.items()
        if cell.situation.startswith("shielded") and answer.status == 200
    }
    assert pages
    assert [(cell, p) for cell, text in pages.items() for p in PLACES if p in text] == []
    assert "Protected." in pages[Cell("GET /children/{child_id}", "practitioner", "shielded")]


def test_what_a_suspended_agreement_took_says_so_and_shows_nothing(
    answers: Mapping[Cell, Answer],
) -> None:
    page = answers[Cell("GET /children/{child_id}", "practitioner", "suspended")].text
    row = page.split("Health visiting", 1)[1].split("</tr>", 1)[0]
    assert "not shared: the agreement is suspended" in row
    assert "Kemble" not in row
    assert "01632" not in row


def test_a_child_of_others_is_not_shown_before_a_reason_is_given(
    answers: Mapping[Cell, Answer],
) -> None:
    for cell, answer in answers.items():
        if cell.situation == "others":
            assert "Vane" not in answer.text, cell
    asked = answers[Cell("GET /children/{child_id}", "practitioner", "others")]
    assert "Why do you need to look?" in asked.text
    reasons = [e["facts"]["reason"] for c, a in answers.items() for e in a.events
               if c.situation in WITH_REASON and e["facts"].get("right") == "view_off_caseload"]  # fmt: skip
    assert set(reasons) == {REASON}
