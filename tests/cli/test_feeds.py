"""A data engineer adds a feed: draft, check, and what the list says of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ffp_data.cli.main import app
from ffp_data.feeds import create_empty_raw_tables, load_contracts
from ffp_data.settings import Home
from ffp_data.warehouse import connect

YAML = Path(__file__).parents[1] / "end_to_end" / "young_carers"
DELIVERED = YAML / "young_carers_20260310T030000Z.csv"


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A demonstration that has a contract and an agreement of its own, and has not run yet."""
    home = tmp_path / "home"
    assert run("prepare", "--demo", "--home", home).exit_code == 0
    (home / "contracts").mkdir()
    shutil.copy(YAML / "young_carers.yaml", home / "contracts")
    return home


def test_infer_writes_a_contract_and_an_agreement_and_names_what_is_left(tmp_path: Path) -> None:
    done = run("feeds", "infer", DELIVERED, "--out", tmp_path / "drafts")
    assert done.exit_code == 0
    written = sorted(path.name for path in (tmp_path / "drafts").iterdir())
    assert written == ["DSA-YOUNG-CARERS-01.yaml", "young_carers.yaml"]
    assert done.stderr.count("to_do") == 4
    checked = run("feeds", "check", tmp_path / "drafts" / "young_carers.yaml")
    assert checked.exit_code == 1
    assert "young_carers.yaml:14: [hub.agency] to_do" in checked.stderr


def test_a_draft_never_replaces_a_file(tmp_path: Path) -> None:
    run("feeds", "infer", DELIVERED, "--out", tmp_path)
    done = run("feeds", "infer", DELIVERED, "--out", tmp_path)
    assert done.exit_code == 2
    assert "is there already" in done.stderr


@pytest.mark.parametrize("name", ["Young Carers", "../a", "1st"])
def test_a_feed_has_a_plain_name(tmp_path: Path, name: str) -> None:
    assert run("feeds", "infer", DELIVERED, "--name", name, "--out", tmp_path).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_add_drafts_a_contract_after_another_feed(home: Path, tmp_path: Path) -> None:
    words = ("--like", "young_carers", "--home", home, "--out", tmp_path)
    assert run("feeds", "add", "carers_of_the_north", *words).exit_code == 0
    text = (tmp_path / "carers_of_the_north.yaml").read_text("utf-8")
    assert "\nid: carers_of_the_north\n" in text
    assert "agency: TODO" in text
    assert "supported_from" in text


def test_add_after_a_feed_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    done = run("feeds", "add", "another", "--like", "nobody", "--home", tmp_path, "--out", tmp_path)
    assert done.exit_code == 2
    assert "probation" in done.stderr


def test_check_names_file_line_and_rule_of_a_home_s_own_contract(home: Path) -> None:
    assert run("feeds", "check", "--home", home).exit_code == 0
    own = home / "contracts" / "young_carers.yaml"
    text = own.read_text("utf-8")
    own.write_text(text.replace("date: assessed_on", "date: place"), "utf-8")
    done = run("feeds", "check", "--home", home)
    assert done.exit_code == 1
    assert "young_carers.yaml:" in done.stderr
    assert "place is no date" in done.stderr


def test_a_contract_cannot_take_the_name_of_a_packaged_feed(home: Path) -> None:
    own = home / "contracts" / "young_carers.yaml"
    own.write_text(own.read_text("utf-8").replace("id: young_carers", "id: probation"), "utf-8")
    done = run("feeds", "check", "--home", home)
    assert "another contract already" in done.stderr


def test_the_list_has_the_home_s_own_feeds_before_anything_was_delivered(home: Path) -> None:
    listed = json.loads(
        run("feeds", "list", "--home", home, "--as-at", "2026-03-31", "--json").stdout
    )
    rows = {row["feed"]: row for row in listed}
    assert rows["young_carers"]["in_force"] is False
    assert rows["young_carers"]["agreement"] == "DSA-YC-01"
    assert rows["young_carers"]["state"] == "never"
    assert rows["probation"]["in_force"] is True
    assert rows["probation"]["service"] == "probation"
    assert set(rows["probation"]) >= {"delivered", "loaded", "quarantined", "superseded"}


def test_the_policy_of_a_home_begins_as_the_demonstration_s_and_is_never_overwritten(
    home: Path,
) -> None:
    assert run("policy", "start", "--home", home).exit_code == 0
    assert run("policy", "check", "--home", home, "--as-at", "2026-03-31").exit_code == 0
    assert not list((home / "policy").rglob("*.py"))
    assert Path(home / "policy" / "agreements" / "DSA-PRO-01.yaml").is_file()
    again = run("policy", "start", "--home", home)
    assert again.exit_code == 2
    assert "policy already" in again.stderr


def test_made_up_agreements_are_not_copied_to_real_people(home: Path) -> None:
    partnership = home / "partnership.yaml"
    text = partnership.read_text("utf-8")
    partnership.write_text(text.replace("is_synthetic: true", "is_synthetic: false"), "utf-8")
    assert run("policy", "start", "--home", home).exit_code == 2
    assert not (home / "policy").exists()


def test_an_agreement_with_todos_left_does_not_pass(home: Path, tmp_path: Path) -> None:
    run("feeds", "infer", DELIVERED, "--out", tmp_path / "drafts")
    run("policy", "start", "--home", home)
    draft = tmp_path / "drafts" / "DSA-YOUNG-CARERS-01.yaml"
    shutil.copy(draft, home / "policy" / "agreements")
    words = ("benefits: ", "necessity: ", 'why: "', "frequency: ", "method: ")
    left = {
        number
        for number, text in enumerate(draft.read_text("utf-8").splitlines(), start=1)
        if "TODO" in text and text.strip().startswith(words)
    }
    done = run("policy", "check", "--home", home, "--as-at", "2026-03-31")
    assert done.exit_code == 1
    found = {int(text.split(":")[1]) for text in done.stderr.splitlines() if draft.name in text}
    assert len(left) >= len(words)
    assert left <= found
    assert "frequency: still a draft's TODO; give in words" in done.stderr


def test_what_was_set_aside_of_a_feed_that_is_not_there_names_those_that_are(home: Path) -> None:
    with connect(Home.at(home)) as con:
        create_empty_raw_tables(con, load_contracts())
    asked = run("feeds", "quarantine", "--feed", "early_hlp", "--home", home)
    assert (asked.exit_code, "young_carers" in asked.stderr) == (2, True)
    asked = run("feeds", "quarantine", "--feed", "early_help", "--home", home)
    assert (asked.exit_code, asked.stdout) == (0, "set aside: none\n")
