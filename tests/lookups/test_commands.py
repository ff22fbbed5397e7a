"""The commands of look-ups: tables for people, JSON for machines, an exit status for scripts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from ffp_data.access import Access, os_user
from ffp_data.cli.main import app
from ffp_data.serving import load
from tests.lookups.world import World

NOAH = (
    "--given-name", "Noah", "--family-name", "Quarrington", "--birth-date", "2016-05-04",
    "--postcode", "xf12ab",
)  # fmt: skip


def run(world: World, *words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--home", str(world.home.root)])


def said(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_identify_finds_the_child_and_says_how_sure_it_is(world: World) -> None:
    found = said(run(world, "identify", *NOAH, "--json"))
    assert found["candidates"][0]["grade"] == "certain"
    assert found["run"] == "first"


def test_identify_tells_scripts_by_its_exit_status(world: World) -> None:
    nobody = run(world, "identify", "--given-name", "Zebedee", "--birth-date", "1999-01-01")
    assert nobody.exit_code == 1
    too_little = run(world, "identify", "--given-name", "Noah")
    assert (too_little.exit_code, "give" in too_little.stderr) == (2, True)
    wrong = run(world, "identify", "--nhs-number", "123")
    assert (wrong.exit_code, "123" in wrong.stderr) == (2, False)
    unknown = run(world, "identify", "--also", "colour=red")
    assert unknown.exit_code == 2


def test_a_list_of_children_is_searched_row_by_row_and_each_problem_named(
    world: World, tmp_path: Path
) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(
        "id,given_name,family_name,birth_date\n"
        "1,Noah,Quarrington,2016-05-04\n2,Nobody,Known,1999-01-01\n3,Noah,,04/05/2016\n4,Noah,,\n",
        "utf-8",
    )
    done = said(run(world, "identify", "--csv", source, "--out", out, "--json"))
    assert done == {"rows": 4, "certain": 1, "found": 1, "problems": 2}
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["child_id"] == load(world.home).child_of("health_csv|RXG|1")
    assert [row["id"] for row in rows if row["problem"]] == ["3", "4"]
    assert out.stat().st_mode & 0o077 == 0
    events = [e for e in Access(world.home).ledger.events() if e["kind"] == "read"]
    assert sum("birth_date" in e["facts"].get("fields", ()) for e in events) >= 2


@pytest.mark.parametrize(
    "text", ["id,surname\n1,x\n", "", "given_name,given_name\na,b\n", "given_name\na,b\n"]
)
def test_a_list_with_a_wrong_header_is_refused_whole(
    world: World, tmp_path: Path, text: str
) -> None:
    (tmp_path / "in.csv").write_text(text, "utf-8")
    out = tmp_path / "out.csv"
    assert run(world, "identify", "--csv", tmp_path / "in.csv", "--out", out).exit_code == 2
    assert not out.exists()


def test_as_of_counts_or_writes_the_whole_list(world: World, tmp_path: Path) -> None:
    counts = said(run(world, "hub", "as-of", "2026-03-31", "--json"))
    for name in ("list.csv", "list.parquet"):
        assert run(world, "hub", "as-of", "first", "--out", tmp_path / name).exit_code == 0
    assert pq.read_table(tmp_path / "list.parquet").num_rows == counts["records"]
    assert len((tmp_path / "list.csv").read_text("utf-8").splitlines()) == counts["records"] + 1
    assert said(run(world, "hub", "as-of", "2020-01-01", "--json"))["records"] == 0
    assert run(world, "hub", "as-of", "never", "--json").exit_code == 2
    assert run(world, "hub", "as-of", "first", "--out", tmp_path / "list.txt").exit_code == 2


def test_an_identifier_is_resolved_and_its_history_told(world: World) -> None:
    child_id = load(world.home).child_of("health_csv|RXG|1")
    assert said(run(world, "hub", "resolve", child_id.lower(), "--json"))["current"] == child_id
    (event,) = said(run(world, "hub", "history", child_id, "--json"))
    assert event["event"] == "issued"
    assert "health_csv|RXG|1" in event["records"]
    assert run(world, "hub", "resolve", "no-such-child").exit_code == 2


def test_changes_are_counted_from_a_run_that_the_register_lists(world: World) -> None:
    (first,) = said(run(world, "hub", "runs", "--json"))
    assert said(run(world, "hub", "changes", "--since", first["run"], "--json"))["changes"] == []
    assert run(world, "hub", "changes", "--since", "never").exit_code == 2


def test_the_export_withholds_what_may_name_a_protected_childs_school(
    own_world: World, tmp_path: Path
) -> None:
    users = own_world.home.access_file
    out = tmp_path / "ids.csv"
    for roles, sees in (("data_engineer", False), ("data_engineer, ig_officer", True)):
        users.write_text(f"users: {{{os_user()}: [{roles}]}}\n", "utf-8")
        assert run(own_world, "hub", "export", "--csv", out).exit_code == 0
        text = out.read_text("utf-8")
        assert ("990177" in text) == sees
        assert len(text.splitlines()) == own_world.rows.num_rows + 1
    users.write_text(f"users: {{{os_user()}: [reviewer]}}\n", "utf-8")
    assert run(own_world, "hub", "export", "--csv", out).exit_code == 1


def test_who_has_no_role_is_refused_and_the_ledger_knows(own_world: World) -> None:
    own_world.home.access_file.write_text(f"users: {{{os_user()}: [data_engineer]}}\n", "utf-8")
    result = run(own_world, "identify", *NOAH)
    assert (result.exit_code, "no right to identify" in result.stderr) == (1, True)
    *_, last = Access(own_world.home).ledger.events()
    assert last["kind"] == "access_refused"
