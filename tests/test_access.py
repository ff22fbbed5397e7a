"""The user of the operating system comes in a role that the home's `access.yaml` gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffp_data.access import Access, AccessConfigError, os_user
from ffp_data.cli.main import app
from ffp_data.settings import Home, make_demonstration
from governance.access import Principal, Right
from governance.ledger import Ledger


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home").prepare()


def _say(home: Home, roles: str, user: str | None = None) -> None:
    home.access_file.write_text(f"users: {{{user or os_user()}: {roles}}}\n", "utf-8")


def test_of_several_roles_the_one_that_suits_best_acts(home: Home) -> None:
    _say(home, "[practitioner, reviewer]")
    access = Access(home)
    assert access.user(Right.IDENTIFY, reason="a call") == Principal(os_user(), "practitioner")
    assert access.user(Right.IDENTIFY).role == "reviewer"  # who need not tell a reason
    assert access.user(Right.RESOLVE, Right.EVIDENCE).role == "reviewer"
    assert access.user(Right.DECIDE) == Principal(os_user(), "reviewer")
    assert not access.roles.may(access.user(Right.EXPORT), Right.EXPORT)


def test_a_home_without_a_list_lets_nobody_unless_its_people_are_made_up(home: Home) -> None:
    assert Access(home).user(Right.RESOLVE) == Principal(os_user(), "")
    make_demonstration(home)
    access = Access(home)
    assert all(access.roles.may(access.user(right), right) for right in Right)


def test_a_home_with_a_list_lets_only_who_stands_on_it(home: Home) -> None:
    make_demonstration(home)
    _say(home, "[reviewer]", user="somebody-else")
    assert Access(home).user(Right.RESOLVE).role == ""


@pytest.mark.parametrize("text", ["users: [a]", "users: {%s: [king]}", "people: {}", "{"])
def test_a_list_that_cannot_be_understood_is_refused(home: Home, text: str) -> None:
    home.access_file.write_text(text.replace("%s", os_user()), "utf-8")
    with pytest.raises(AccessConfigError):
        Access(home).user(Right.RESOLVE)


def test_a_user_cannot_take_another_name_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = os_user()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "director")
    assert os_user() == before


def test_tokens_are_made_and_revoked_by_commands_that_the_ledger_remembers(home: Home) -> None:
    make_demonstration(home)
    _say(home, "[ig_officer]")
    run = CliRunner().invoke
    made = run(app, ["access", "token", "asmith", "--role", "reviewer", "--home", str(home.root)])
    assert made.exit_code == 0, made.output
    assert Access(home).tokens.find(made.output.strip())[1] is None
    gone = run(app, ["access", "revoke", "asmith", "--home", str(home.root)])
    assert gone.exit_code == 0, gone.output
    assert Access(home).tokens.find(made.output.strip())[1] == "revoked"
    events = list(_ledger(home).events())
    assert [event["kind"] for event in events] == ["token_made", "token_revoked"]
    assert made.output.strip() not in str(events)


def test_who_lacks_the_right_is_told_so_and_makes_no_token(home: Home) -> None:
    _say(home, "[practitioner]")
    done = CliRunner().invoke(
        app, ["access", "token", "x", "--role", "reviewer", "--home", str(home.root)]
    )
    assert done.exit_code == 1
    assert "no right to tokens" in done.stderr
    assert not home.tokens_file.exists()
    assert [event["kind"] for event in _ledger(home).events()] == ["access_refused"]


def _ledger(home: Home) -> Ledger:
    return Access(home).ledger
