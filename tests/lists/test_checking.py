"""What `ffp lists` says: of rules, of who is listed, and of what cannot be trusted today."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffp_data.cli.main import app
from ffp_data.lists import check, entries, find_list, load_lists, of_place, sql_of
from ffp_data.single_view.published import Published, View
from tests.web.world import AS_AT, World, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("lists") / "home")


@pytest.fixture
def view(world: World) -> Published:
    return View(world.home).newest()


def test_every_list_says_who_answers_what_asks_and_what_was_chosen() -> None:
    for one in load_lists():
        assert all((one.title, one.rule, one.guide, one.chosen, one.owner, one.feeds)), one.id
        assert one.review > AS_AT
        assert f"'{one.id}'" in sql_of(one), "the SQL of a rule names its list"


def test_no_rule_weighs_or_ranks_a_child() -> None:
    for one in load_lists():
        code = [line.partition("--")[0] for line in sql_of(one).lower().splitlines()]
        told = " ".join([one.rule.lower(), *code])
        assert not [word for word in ("score", "rank", "weight", "likel") if word in told], one.id


def test_who_was_shielded_since_the_view_was_made_has_no_place(
    view: Published, world: World
) -> None:
    found = {e["child_id"]: e for e in entries(view, "referred_again", {world.mine})}
    assert found[world.mine]["district"] == found[world.mine]["team"] == "withheld"
    assert of_place(list(found.values()), district="XF1") == []


def test_a_check_tells_gaps_rules_past_their_day_and_lists_that_are_not_there(
    view: Published,
) -> None:
    told = {(f.list_id, f.what) for f in check(view, date(2026, 10, 1), ())}
    assert ("not_reached", "education (education_attendance): late since 2026-03-20") in told
    assert ("referred_again", "the rule was to be looked at again by 2026-09-30") in told
    assert ("due_soon", "the published view does not have it") in told
    assert not [what for _, what in told if "place" in what or "empty" in what]


def test_the_command_shows_identifiers_and_no_names(world: World) -> None:
    (world.home.root / "warehouse.duckdb").touch()  # a run was made here
    shown = _ffp("lists", "show", "referred_again", "--json", "--home", world.home.root)
    assert world.mine in shown
    assert "Ottaway" not in shown
    assert '"team": "withheld"' in shown
    assert "referred_again" in _ffp("lists", "show", "--home", world.home.root)
    assert sql_of(find_list("due_soon")) in _ffp("lists", "rule", "due_soon")


def test_a_check_that_finds_something_fails_in_words(world: World) -> None:
    (world.home.root / "warehouse.duckdb").touch()
    told = CliRunner().invoke(app, ["lists", "check", "--home", str(world.home.root)])
    assert told.exit_code == 1
    assert "not_reached: education (education_attendance): late since 2026-03-20" in told.stderr


def test_an_unknown_list_is_told_which_there_are() -> None:
    told = CliRunner().invoke(app, ["lists", "rule", "nope"])
    assert told.exit_code == 2
    assert "nope: no list has this name; choose one of severely_absent" in told.stderr


def _ffp(*words: str | Path) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.stderr
    return done.stdout
