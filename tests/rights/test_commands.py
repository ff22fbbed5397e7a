"""The commands of orders and decisions: given, listed, lifted; a refusal is one line and ends with 2."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from ffp_data.access import Access, os_user
from ffp_data.cli.main import app
from ffp_data.home.pending import path_of
from ffp_data.home.run import Run
from ffp_data.settings import PARTNERSHIP_FILE
from tests.rights.small import CASE, POLICE, POLICE_FOR, ids


def ffp(run: Run, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--home", str(run.home.root)])
    return done.exit_code, done.output + done.stderr


@pytest.fixture
def has_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("FFP_AS_AT", run.as_at.isoformat())
    return run


def test_an_order_is_given_listed_and_lifted(has_run: Run) -> None:
    child, why = ids(has_run)["ann"], ("--reason", "why", "--by", "a.worker")
    given = {
        "shield": (child, *why, "--until", "2030-01-01"),
        "hold": ("add", child, *why, "--authority", "inquiry", "--review", "2030-01-01"),
        "restrict": (child, "--purpose", "single_view", *why),
        "object": (child, "--purpose", "single_view", "--recipient", POLICE, *why),
    }
    for number, (command, words) in enumerate(given.items(), 1):
        code, said = ffp(has_run, command, *words)
        assert code == 0, said
        assert said.startswith(f"{number}: ")
        code, said = ffp(has_run, command, "list", "--json")
        assert number in {row["number"] for row in json.loads(said) if row["child_id"] == child}
        assert ffp(has_run, command, "lift", str(number), *why)[0] == 0
        assert ffp(has_run, command, "lift", str(number), *why)[0] == 2
    code, said = ffp(
        has_run, "hold", "add", "no_such_class", *why, "--authority", "i", "--review", "2030-01-01"
    )
    assert code == 2
    assert "nor is it a feed or a class" in said


def test_a_child_is_shared_by_decision_and_taken_back(has_run: Run) -> None:
    child = ids(has_run)["ann"]
    about = (
        "--to",
        POLICE,
        "--purpose",
        POLICE_FOR,
        "--agreement",
        CASE,
        "--by",
        "a",
        "--reason",
        "b",
    )
    share = ("decide-share", child, *about, "--decision", "share", "--facilitates", "the enquiry")
    code, said = ffp(has_run, *share, "--ground", "CA2004-S16LA")
    assert (code, "not commenced" in said) == (2, True)
    assert ffp(has_run, *share, "--ground", "CA1989-S47")[0] == 0
    code, said = ffp(has_run, "share", child, "--decision", "1", "--json")
    assert json.loads(said)["rows"]["single_view.children"] == 1
    code, said = ffp(has_run, "decide-share", "withdraw", "1", "--by", "a", "--reason", "b")
    assert (code, "taken out" in said) == (0, True)
    code, said = ffp(has_run, "decide-share", child, *about, "--decision", "withhold")
    assert (code, "more detrimental" in said) == (0, True)


def test_glass_is_broken_and_the_place_read_again(has_run: Run) -> None:
    child = ids(has_run)["ann"]
    assert ffp(has_run, "access", "place", child)[0] == 2
    code, said = ffp(
        has_run, "access", "break-glass", child, "--reason", "b", "--tell", "t.manager"
    )
    assert (code, "XF1 2AB" in said) == (0, True)
    assert "XF1 2AB" in ffp(has_run, "access", "place", child)[1]
    assert "t.manager" in ffp(has_run, "access", "broken-glass")[1]


@pytest.mark.slow  # a whole erasure
def test_an_erasure_is_asked_for_twice_and_by_two(has_run: Run) -> None:
    child = ids(has_run)["ann"]
    two = ("--by", "a", "--second", "b", "--reason", "request")
    assert ffp(has_run, "erase", child, "--confirm", "0000000000000", *two)[0] == 2
    assert ffp(has_run, "erase", child, "--confirm", child, "--by", "a", "--second", "a")[0] == 2
    assert ids(has_run)["ann"] == child
    code, said = ffp(has_run, "erase", child, "--confirm", child, *two)
    assert code == 0, said
    assert child not in said
    assert set(ids(has_run)) == {"bob", "cat"}


@pytest.fixture
def real(has_run: Run) -> Run:
    """The same home, as if its people were real; whoever runs the tests answers for information."""
    own = has_run.home.root / PARTNERSHIP_FILE
    own.write_text(own.read_text("utf-8").replace("is_synthetic: true", "is_synthetic: false"))
    has_run.home.access_file.write_text(f"users: {{{os_user()}: [ig_officer]}}\n", "utf-8")
    return has_run


@pytest.mark.slow  # a whole erasure
@pytest.mark.control("C06")
def test_where_people_are_real_the_second_person_of_an_erasure_shows_a_token(real: Run) -> None:
    child, access = ids(real)["ann"], Access(real.home)

    def token(name: str, role: str) -> str:
        return access.tokens.make(name, role, access.roles, timedelta(days=1))

    officer, reviewer, other = (
        token("s.siro", "ig_officer"),
        token("a.reviewer", "reviewer"),
        token("t.else", "ig_officer"),
    )
    for second, shown, why in (
        ("s.siro", "ffp_made_up", "the token is unknown"),
        ("s.siro", other, "the token is another's"),
        ("a.reviewer", reviewer, "may not erase"),
        (os_user(), officer, "can't be the second person"),
    ):
        code, said = erase(real, child, second, shown)
        assert (code, why in said) == (2, True), said
        assert shown not in said
        assert child in ids(real).values()
    code, said = erase(real, child, "s.siro", officer)
    assert code == 0, said
    assert child not in ids(real).values()
    kinds = [event["kind"] for event in real.ledger.events()]
    assert kinds.count("erasure_refused") == 4
    assert kinds.count("erasure_agreed") == 1
    access.tokens.revoke("s.siro")
    bob = ids(real)["bob"]
    assert "the token is revoked" in erase(real, bob, "s.siro", officer)[1]
    journal = path_of(real.home)
    journal.parent.mkdir(parents=True, exist_ok=True)
    journal.write_text("{}")  # as of one that was killed
    words = ("--by", "d", "--second", "s.siro", "--home", str(real.home.root))
    done = CliRunner().invoke(app, ("retention", "--apply", *words), input=f"{officer}\n")
    assert (done.exit_code, "the token is revoked" in done.output + done.stderr) == (2, True)


def erase(run: Run, child: str, second: str, token: str) -> tuple[int, str]:
    words = ("--confirm", child, "--by", "d.officer", "--second", second, "--reason", "Article 17")
    home = ("--home", str(run.home.root))
    done = CliRunner().invoke(app, ("erase", child, *words, *home), input=f"{token}\n")
    return done.exit_code, done.output + done.stderr
