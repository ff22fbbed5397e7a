"""The officer's pages: agreements and their state, lineage, who looked, what an end would take, orders, the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pytest
from fastapi.testclient import TestClient

from ffp_data.access import Access
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub.child_id import new_child_id
from ffp_data.rights import hold
from ffp_data.rights.access_log import PAGE, AccessLog
from ffp_data.rights.disclosure_index import DisclosureIndex
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.serving import store
from ffp_data.web.app import make_app
from tests.web.conftest import Visitor
from tests.web.world import AS_AT, World, make_world

SUSPENDED = "DSA-POL-02"
TODAY = datetime.now(UTC).date().isoformat()


@pytest.fixture(scope="module")
def governed(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A home whose policy has one agreement suspended, and another that soon ends."""
    world = make_world(tmp_path_factory.mktemp("governed") / "home")
    folder = policy.start_policy(world.home) / "agreements"
    for name, old, new in (
        (SUSPENDED, r"^status: .*$", "status: suspended"),
        ("DSA-HOU-01", r"^review: .*$", "review: 2026-05-01"),
    ):
        path = next(p for p in folder.glob("*.yaml") if f"id: {name}\n" in p.read_text("utf-8"))
        path.write_text(re.sub(old, new, path.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    run = Run.at(run_id="first", home=world.home.root, as_at=AS_AT)
    assert policy.compile_lock(run).problems == []
    return world


@pytest.fixture(scope="module")
def served(governed: World) -> Iterator[TestClient]:
    with TestClient(make_app(governed.home), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def officer(served: TestClient) -> Visitor:
    return Visitor(served).sign_in("ig-officer")


def words(visitor: Visitor) -> str:
    """What stands on the page, in one line."""
    text = visitor.page.text.split("<main", 1)[1].split("</main>", 1)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/governance", "Who looked at a child, and at what a user looked"),
        (
            "/governance/agreements",
            "DSA-CSC-01@2 Children&#39;s social care records to the children&#39;s hub in force",
        ),
        ("/governance/agreements", "neighbouring force to the children&#39;s hub: it is suspended"),
        (
            "/governance/agreements",
            "homelessness duty to the children&#39;s hub: review by 1 May 2026",
        ),
        ("/governance/agreements/DSA-POL-02", "Suspended It is suspended."),
        ("/governance/agreements/DSA-POL-02", "free text that names other people"),
        ("/governance/agreements/DSA-HOU-01", "single_view.chronology no column"),
        ("/governance/agreements/DSA-FHN-01", "Goes to Family Help team North, Fenmarch Council"),
        ("/governance/lineage?column=single_view.children.sex", "education attendance pupils"),
        (
            "/governance/lineage?column=single_view.children.sex",
            "police pole persons gender, person_id no agreement in force: it stays out nothing",
        ),
        ("/governance/lineage?column=single_view.children.sex", "DSA-FHN-01"),
        ("/governance/lineage?column=single_view.children.sex", "No release held it"),
        ("/governance/withdrawal", "DSA-POL-01"),
        ("/governance/withdrawal/DSA-POL-02", "It is not in force (it is suspended)"),
        ("/governance/ledger", "no release yet: nobody outside holds a checkpoint"),
        ("/governance/ledger", "nothing: every line was signed"),
    ],
)
def test_each_page_says_what_an_officer_asks(officer: Visitor, path: str, says: str) -> None:
    assert officer.get(path).status_code == 200
    assert says.lower() in words(officer).lower()


@pytest.mark.parametrize(
    "path",
    [
        "/governance/agreements",
        "/governance/agreements/DSA-HOU-01",
        "/governance/agreements/DSA-POL-02",
        "/governance/lineage?column=single_view.children.sex",
        "/governance/withdrawal/DSA-POL-02",
        "/governance/ledger",
    ],
)
def test_an_officer_reads_days_as_people_say_them(officer: Visitor, path: str) -> None:
    assert officer.get(path).status_code == 200
    assert re.findall(r"\b\d{4}-\d\d-\d\d\b", words(officer)) == []


@pytest.mark.parametrize(
    "path",
    [
        "/governance/agreements/DSA-NO-01",
        "/governance/agreements/%2e%2e",
        "/governance/lineage?column=single_view.children.no_such",
        "/governance/lineage?column='; DROP TABLE children; --",
        "/governance/withdrawal/DSA-NO-01",
    ],
)
def test_what_is_not_there_is_said_to_be_not_there(officer: Visitor, path: str) -> None:
    assert officer.get(path).status_code == 404


def test_what_a_suspended_agreement_filled_alone_is_not_said_to_rest_on_it(
    officer: Visitor,
) -> None:
    officer.get(f"/governance/agreements/{SUSPENDED}")
    assert "What rests on it" not in officer.page.text
    assert "See what would go" not in officer.page.text


def test_the_log_of_a_child_has_looks_reasons_and_refusals_and_reading_it_is_in_it(
    served: TestClient, governed: World
) -> None:
    look = Visitor(served).sign_in("family-help")
    look.get(f"/children/{governed.other}")
    look.send(
        f"/children/{governed.other}/reason", why="duty call from school", case_reference="D-7"
    )
    Visitor(served).sign_in("reviewer").get(f"/children/{governed.other}")
    officer = Visitor(served).sign_in("ig-officer")
    officer.get("/governance/access")
    officer.send("/governance/access/child", child_id=governed.other)
    told = words(officer)
    assert "duty call from school (case D-7)" in told
    assert "Refused view" in told
    assert "Kit Larkin (made up), reviewer" in told
    officer.send("/governance/access/child", child_id=governed.other)
    assert "Noor Whitby (made up), ig-officer" in words(officer)
    reads = [e["facts"] for e in Access(governed.home).ledger.events() if e["kind"] == "read"]
    assert [r["log"] for r in reads if r["right"] == "access_log"][-2:] == ["child", "child"]
    assert governed.other not in str(reads)


def test_the_log_of_a_user_tells_how_many_they_looked_at_and_never_whom(
    served: TestClient, governed: World
) -> None:
    Visitor(served).sign_in("family-help").get(f"/children/{governed.mine}")
    officer = Visitor(served).sign_in("ig-officer")
    officer.get("/governance/access")
    officer.send("/governance/access/user", user="family-help")
    told = words(officer)
    assert "1 person" in told
    assert "signed in" in told
    assert governed.mine not in officer.page.text
    for days, is_there in (({"since": TODAY}, True), ({"until": "2020-01-01"}, False)):
        officer.send("/governance/access/user", user="family-help", **days)
        assert ("1 person" in words(officer)) == is_there, days
        assert ("Nobody looked on these days" in words(officer)) != is_there, days


def test_a_long_log_has_pages_that_together_tell_each_entry_once(governed: World) -> None:
    access = Access(governed.home)
    child = {"right": "view", "role": "practitioner", "purpose": "p", "reason": None}
    many = [("read", {"who": "busy", **child, "found": n}) for n in range(2 * PAGE + 5)]
    access.ledger.append_many(many)
    log = AccessLog(governed.home, access)
    pages = [log.of_user("busy", page=page) for page in (1, 2, 3)]
    assert [len(page.looks) for page in pages] == [PAGE, PAGE, 5]
    assert {page.pages for page in pages} == {3}
    told = [dict(look.told)["found"] for page in pages for look in page.looks]
    assert told == [str(n) for n in reversed(range(len(many)))]


def test_lines_that_wait_in_a_journal_stand_in_the_log_too(governed: World) -> None:
    access = Access(governed.home)
    waits = {"who": "hasty", "right": "view", "subjects": [], "read_at": f"{TODAY}T00:00:00.000Z"}
    line = access.ledger.waiting_line("abc:1", f"{TODAY}T00:00:00.000Z", "read", waits)
    path = governed.home.ledger_dir / "reads-abc-00000000.journal"
    path.write_bytes(line)
    try:
        (look,) = AccessLog(governed.home, access).of_user("hasty").looks
    finally:
        path.unlink()
    assert (look.number, look.right) == (None, "view")


def test_an_index_of_before_there_were_looks_is_made_anew(governed: World) -> None:
    access = Access(governed.home)
    log = AccessLog(governed.home, access)
    before = log.users()
    path = governed.home.serving / "disclosures" / "index.duckdb"
    with DisclosureIndex(governed.home, access.ledger).opened() as answers:
        answers.con.execute("DROP TABLE looks")
    assert path.is_file()
    assert log.users() == before != []


def test_of_nobody_the_log_and_the_disclosures_say_the_same_whoever_never_was(
    officer: Visitor,
) -> None:
    for page, form in (
        ("/governance/access", "/governance/access/child"),
        ("/governance/disclosures", "/governance/disclosures"),
    ):
        for wrong in (new_child_id(), "nonsense"):
            officer.get(page)
            assert officer.send(form, child_id=wrong).status_code == 404
            assert "This hub has no such child" in words(officer)


def test_disclosures_are_those_of_the_days_and_the_person_asked_for(
    served: TestClient, governed: World
) -> None:
    Visitor(served).sign_in("family-help").get(f"/children/{governed.mine}")
    officer = Visitor(served).sign_in("ig-officer")
    asked = {"child_id": governed.mine}
    officer.get("/governance/disclosures")
    for more, is_there in (
        ({"to": "family-help"}, True), ({"to": "somebody-else"}, False), ({"since": TODAY}, True),
        ({"until": "2020-01-01"}, False), ({"since": "not a day"}, True),
    ):  # fmt: skip
        officer.send("/governance/disclosures", **asked, **more)
        assert ("family-help practitioner read" in words(officer)) == is_there, more


def test_a_copy_that_was_refused_was_told_to_nobody_and_stands_in_the_access_log(
    officer: Visitor, governed: World
) -> None:
    access = Access(governed.home)
    told = {"who": "taker", "role": "practitioner", "right": "take_away", "agreement": "DSA-PRA-01",
            "subjects": access.subjects.references([governed.bare]), "reason": "core group"}  # fmt: skip
    why = "the agreement is suspended"
    access.ledger.append_many(
        [("copy_begun", told), ("release_refused", {**told, "reason_refused": why})]
    )
    officer.get("/governance/disclosures")
    officer.send("/governance/disclosures", child_id=governed.bare)
    assert "0 disclosures of" in words(officer)
    officer.get("/governance/access")
    officer.send("/governance/access/child", child_id=governed.bare)
    assert f"Refused take away, release refused agreement: DSA-PRA-01 core group {why}" in words(
        officer
    )


def test_orders_are_counted_and_listed_without_whom_they_are_about_or_why(
    officer: Visitor, governed: World
) -> None:
    with Orders(governed.home) as orders:
        number = orders.give(
            Kind.SHIELD, governed.hidden, Said("a.head", "the father searches for the mother")
        )
        orders.give(Kind.HOLD, None, Said("a.head", "the inquiry asks"), scope="feed:housing")
    officer.get("/governance/orders")
    told = words(officer)
    assert "nobody is told where the child is 1" in told
    assert f"{number}: shield" in told
    assert "feed housing" in told
    for closed in (governed.hidden, "a.head", "father", "Quill"):
        assert closed not in officer.page.text.split("<main", 1)[1]


def test_a_hold_that_is_due_for_review_stands_among_what_is_due_and_beside_the_order(
    officer: Visitor, governed: World
) -> None:
    with Orders(governed.home) as orders:
        number = hold.add(
            orders, governed.mine, Said("a.head", "the inquiry asks"), authority="the inquiry",
            review=date(2026, 5, 1), feeds=[], classes=[],
        )  # fmt: skip
    for path in ("/governance/agreements", "/governance/orders"):
        officer.get(path)
        told = words(officer)
        assert "ook by 1 May 2026" in told, path
        for closed in (governed.mine, "a.head", "the inquiry"):
            assert closed not in officer.page.text.split("<main", 1)[1]
    officer.get("/governance/agreements")
    assert f"Hold {number} on one child: look by 1 May 2026 whether it is still needed" in words(
        officer
    )


def test_a_simulation_is_worked_out_beside_the_pages_and_says_when_it_cannot_be(
    officer: Visitor, served: TestClient
) -> None:
    officer.get("/governance/withdrawal/DSA-HOU-01")
    officer.send("/governance/withdrawal/DSA-HOU-01", status="suspended")
    assert "It is being worked out" in words(officer)
    other = Visitor(served).sign_in("ig-officer")
    other.get("/governance/withdrawal/DSA-EDU-01")
    assert other.send("/governance/withdrawal/DSA-EDU-01").status_code == 409
    assert "Another simulation is being worked out" in words(other)
    officer.get("/governance/withdrawal/DSA-HOU-01/answer?status=suspended")
    assert "No answer: " in words(officer)  # this home has no warehouse to build anew
    assert "Work it out" in words(officer)


def test_an_answer_is_told_for_the_policy_and_the_run_that_it_was_asked_of(
    officer: Visitor, served: TestClient, governed: World
) -> None:
    simulations = served.app.state.service.simulations  # type: ignore[attr-defined]
    officer.get("/governance/withdrawal/DSA-PRI-01")
    officer.send("/governance/withdrawal/DSA-PRI-01")
    asked = next(key for key in simulations._works if key.agreement == "DSA-PRI-01")
    simulations._works[asked].process.kill()
    simulations._works[asked].answer = {"found": FOUND}
    officer.get("/governance/withdrawal/DSA-PRI-01")
    told = words(officer)
    assert "2 children are kept from being located by these records alone" in told
    assert "4 people with records of it are held (by 3, 7)" in told
    assert "single_view.involvements 9 4 0 since 3 since 3, state 4" in told
    assert "5 records and 7 compared pairs go" in told
    store_of_next = {"n": duckdb.sql("SELECT 1 AS n").to_arrow_table()}
    newest = store.current(governed.home, "view")
    store.write(governed.home, "another run", store_of_next, room="view")
    officer.get("/governance/withdrawal/DSA-PRI-01")
    assert "Work it out" in words(officer)
    assert newest is not None
    (governed.home.serving / "view" / store.POINTER).write_text(newest.name, "ascii")


FOUND = {
    "lose_their_agreement": [{"feed": "prison", "table": "prisoners", "columns": ["prison_number"]}],
    "outputs": [
        {"table": "single_view.involvements", "rows_gone": 4, "rows_new": 0, "children": 9,
         "cells_changed": {"since": 3, "state": 4}, "cells_emptied": {"since": 3}},
    ],
    "extracts": [],
    "links": {"records": 5, "losing": 3, "alone": 1, "parting": 0, "pairs": 7},
    "no_longer_protected": 2,
    "held": {"holds": [3, 7], "people": 4},
    "past_releases": [],
    "releases_withdrawn": [],
}  # fmt: skip
