"""Something is wrong here: from the practitioner's form to whoever answers, and what is left of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from ffp_data.access import Access
from ffp_data.cli.main import app
from ffp_data.kept import Kept, tidy, wrong
from ffp_data.kept.database import file_of
from ffp_data.web.app import make_app
from tests.web.conftest import Visitor
from tests.web.world import AS_AT, HOSTILE, World, make_world

WORDS = "The father is called Ivor, not Ivo"


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("wrong") / "home")


@pytest.fixture
def at_work(own: World) -> Iterator[Visitor]:
    with TestClient(make_app(own.home), raise_server_exceptions=False) as client:
        yield Visitor(client).sign_in("family-help")


def _report(visitor: Visitor, child: str, feed: str = "case_system", words: str = WORDS) -> str:
    visitor.get(f"/children/{child}/wrong?about=family")
    text: str = visitor.send(
        f"/children/{child}/wrong", about="family", feed=feed, words=words
    ).text
    return text


def test_a_report_reaches_the_officer_and_is_gone_when_answered(
    own: World, at_work: Visitor
) -> None:
    page = at_work.get(f"/children/{own.mine}").text
    assert f"/children/{own.mine}/wrong?about=family" in page
    assert "Your words wait for children&#39;s social care" in _report(at_work, own.mine)
    assert "wait for the reviewers" in _report(at_work, own.mine, wrong.REVIEWERS, HOSTILE)
    at_work.send("/sign-out")
    page = at_work.sign_in("ig-officer").get("/wrong").text
    assert WORDS in page
    assert own.mine in page
    assert "script" not in page
    at_work.send("/wrong/1/answered")
    assert "No report waits" in at_work.get("/wrong").text
    at_work.send("/sign-out")
    page = at_work.sign_in("reviewer").get("/wrong").text
    assert "&lt;script&gt;" in page
    assert "Whom to tell" not in page
    at_work.client.__exit__(None, None, None)
    events = list(Access(own.home).ledger.events())
    told = [event["facts"] for event in events if event["kind"] == "reported_wrong"]
    assert [(f["who"], f["about"], f["feed"]) for f in told] == [
        ("family-help", "family", "case_system"), ("family-help", "family", "reviewers")]  # fmt: skip
    assert "Ivo" not in json.dumps(events)
    assert own.mine not in json.dumps(events)
    assert b"Ivor" not in file_of(own.home).read_bytes()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"about": "nothing", "feed": "case_system", "words": WORDS}, "Choose what is wrong"),
        ({"about": "family", "feed": "prison", "words": WORDS}, "Choose who says it"),
        ({"about": "family", "feed": "case_system", "words": " " * 20}, "Say what is wrong in 10"),
        ({"about": "family", "feed": "case_system", "words": "x" * 301}, "Say what is wrong in 10"),
    ],
)  # fmt: skip
def test_a_report_names_a_fact_of_the_page_and_is_short(
    visitor: Visitor, world: World, fields: dict[str, str], says: str
) -> None:
    visitor.sign_in("family-help").get(f"/children/{world.mine}/wrong")
    page = visitor.send(f"/children/{world.mine}/wrong", **fields)
    assert page.status_code == 400
    assert says in page.text


def test_a_report_on_a_child_of_others_asks_for_a_reason_first(
    visitor: Visitor, world: World
) -> None:
    page = visitor.sign_in("family-help").get(f"/children/{world.other}/wrong")
    assert "Why do you need to look?" in page.text


def test_an_unanswered_report_goes_with_time_or_with_the_key_of_the_child(
    own: World, at_work: Visitor
) -> None:
    access = Access(own.home)
    kept = Kept.open(own.home, access.keys)
    for _ in range(2):
        _report(at_work, own.mine)
    tidy(own.home, access.keys, AS_AT + timedelta(90), 90)
    assert [each.reports for each in wrong.counts(kept)] == [2]
    tidy(own.home, access.keys, AS_AT + timedelta(91), 90)
    assert wrong.counts(kept) == []
    _report(at_work, own.mine)
    access.subjects.keys.destroy(own.mine)
    assert wrong.waiting(kept, access.subjects, for_reviewers=False) == []
    assert wrong.counts(kept) == []
    kept.close()


def test_the_command_counts_lists_and_removes(own: World, at_work: Visitor) -> None:
    _report(at_work, own.mine)
    own.home.warehouse.touch()

    def ffp(*words: str) -> str:
        done = CliRunner().invoke(app, ["reports", "wrong", "--home", str(own.home.root), *words])
        assert done.exit_code == (2 if "9" in words else 0), done.output
        return done.output

    assert json.loads(ffp("--json")) == [
        {"feed": "case_system", "oldest": "2026-03-31", "reports": 1}
    ]
    (listed,) = json.loads(ffp("--list", "--json"))
    assert (listed["words"], listed["child_id"]) == (WORDS, own.mine)
    assert json.loads(ffp("--list", "--identities", "--json")) == []
    assert "no such report" in ffp("--answered", "9")
    ffp("--answered", "1")
    assert json.loads(ffp("--json")) == []
