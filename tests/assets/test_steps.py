"""Small rules of the steps around the graph."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ffp_data.home.policy import compile_lock, start_policy
from ffp_data.home.run import Run, newest_delivery, sole_run
from ffp_data.pipeline.notify import run_failed
from ffp_data.releases import publish
from ffp_data.releases.offered import offer
from ffp_data.releases.publish import publish_extracts
from ffp_data.settings import Home, make_demonstration
from governance.grants import Grants
from governance.ledger import Ledger
from governance.policy import compile_policy, load
from governance.release import ReleaseFailedError
from tests.waiting import PATIENCE


def a_run(tmp_path: Path, as_at: date = date(2026, 3, 31)) -> Run:
    return Run.at(run_id="r1", home=tmp_path / "home", landing=tmp_path, as_at=as_at)


@pytest.mark.parametrize(
    ("as_at", "year"),
    [
        (date(2026, 3, 31), "2025-26"),
        (date(2026, 4, 1), "2026-27"),
        (date(2025, 4, 1), "2025-26"),
        (date(2000, 1, 1), "1999-00"),
    ],
)
def test_a_collection_year_runs_from_april_to_march(tmp_path: Path, as_at: date, year: str) -> None:
    assert a_run(tmp_path, as_at).collection_year == year


def test_without_an_as_at_date_a_run_speaks_for_the_newest_delivery(tmp_path: Path) -> None:
    (tmp_path / "police_51_events_20260329T030000Z_001.csv").touch()
    (tmp_path / "ssd_20260401").mkdir()
    assert newest_delivery(tmp_path) == date(2026, 4, 1)


def test_a_file_that_lands_while_a_run_works_does_not_move_its_day(tmp_path: Path) -> None:
    (tmp_path / "police_51_events_20260329T030000Z_001.csv").touch()
    home = tmp_path / "home"
    make_demonstration(Home.at(home).prepare())
    compile_lock(Run.at(run_id="r1", home=home, landing=tmp_path))
    (tmp_path / "police_51_events_20260330T030000Z_001.csv").touch()
    assert Run.at(run_id="r1", home=home, landing=tmp_path).as_at == date(2026, 3, 29)
    compile_lock(Run.at(run_id="r2", home=home, landing=tmp_path))
    assert Run.at(run_id="r2", home=home, landing=tmp_path).as_at == date(2026, 3, 30)


def test_a_second_run_on_one_home_waits_for_the_first(tmp_path: Path) -> None:
    home = a_run(tmp_path).home
    other = (
        "import sys; from ffp_data.home.run import sole_run; from ffp_data.settings import Home\n"
        "with sole_run(Home.at(sys.argv[1]), lambda: print('waiting', flush=True)): print('mine')"
    )
    with sole_run(home, lambda: pytest.fail("nobody else holds it")):
        second = subprocess.Popen(
            [sys.executable, "-c", other, str(home.root)], stdout=subprocess.PIPE, text=True
        )
        assert second.stdout is not None
        assert second.stdout.readline() == "waiting\n"
        assert second.poll() is None
    assert second.communicate(timeout=PATIENCE)[0] == "mine\n"


@pytest.mark.parametrize(
    ("transform", "members"), [("year", None), ("clear", "SELECT child_id FROM single_view.flags")]
)
def test_a_return_is_not_made_under_an_agreement_that_gives_less_than_it_needs(
    transform: str, members: str | None
) -> None:
    lock = compile_policy(load(), date(2026, 3, 31))
    decision = Grants(lock).release(publish.DEPARTMENT, "statutory_returns.cin_census")
    first, *others = decision.items
    assert decision.cohort is not None
    less = replace(
        decision,
        items=(replace(first, transform=transform), *others),
        cohort=replace(decision.cohort, members=members),
    )
    with duckdb.connect() as con, pytest.raises(ReleaseFailedError, match="amend the agreement"):
        offer(con, less)


def test_a_slip_of_the_pen_in_one_name_does_not_become_the_day_of_the_run(tmp_path: Path) -> None:
    for day in ("20250409", "20260401", "20620402"):
        (tmp_path / f"hclic_999_people_{day}T030000Z_001.csv").touch()
    with pytest.raises(ValueError, match="a name tells 2062-04-02, every other 2026-04-01"):
        newest_delivery(tmp_path)


def test_without_any_dated_delivery_a_run_asks_for_the_date(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match="give --as-at"):
        newest_delivery(tmp_path)


def test_a_failed_run_leaves_a_line_for_people_and_one_in_the_ledger(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run_failed(run, job="whole_graph", step=["raw__probation", None])
    (line,) = (run.home.root / "alerts.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line) == {
        "kind": "run_failed",
        "job": "whole_graph",
        "run_id": "r1",
        "steps": ["raw__probation"],
    }
    ledger = Ledger(run.home.ledger_dir, run.keys)
    assert [event["kind"] for event in ledger.events()] == ["run_failed"]
    assert ledger.verify() == []


@pytest.mark.control("D10")
def test_the_home_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    modes = {
        path.stat().st_mode & 0o077 for path in (run.home.root, run.home.keys_dir, run.home.out)
    }
    assert modes == {0}


def test_a_home_that_does_not_say_whose_it_is_gets_no_agreements(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    (problem,) = compile_lock(run).problems
    assert "partnership.yaml: missing" in problem
    assert not run.lock_file.exists()
    make_demonstration(run.home)
    assert compile_lock(run).problems == []


def test_made_up_agreements_never_decide_on_real_people(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    (run.home.root / "partnership.yaml").write_text(
        "{name: Somewhere, la_code: '201', is_synthetic: false}", "utf-8"
    )
    (problem,) = compile_lock(run).problems
    assert "put the partnership's agreements there" in problem


def test_nor_do_they_as_a_copy_that_nobody_wrote_anew(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    make_demonstration(run.home)
    start_policy(run.home)
    assert compile_lock(run).problems == []
    partnership = run.home.root / "partnership.yaml"
    partnership.write_text(partnership.read_text("utf-8").replace("true", "false"), "utf-8")
    problems = compile_lock(run).problems
    assert any(each.startswith("agreements/DSA-POL-01.yaml:1: error: made_up") for each in problems)
    assert any(each.startswith("charter/") for each in problems)
    agreement = run.home.root / "policy" / "agreements" / "DSA-POL-01.yaml"
    text = agreement.read_text("utf-8")
    agreement.write_text(text.replace("title: ", "title: Ours. ", 1), "utf-8")
    assert len(compile_lock(run).problems) == len(problems) - 1


def test_an_extract_that_cannot_be_made_is_written_down_and_stops_nobody_else(
    tmp_path: Path,
) -> None:
    run = a_run(tmp_path)
    make_demonstration(run.home)
    compile_lock(run)
    outcomes = publish_extracts(run).by_recipient  # the warehouse has no marts yet
    assert outcomes
    assert not any(outcome.permitted for outcome in outcomes.values())
    failed = [e["facts"]["recipient"] for e in run.ledger.events() if e["kind"] == "release_failed"]
    assert failed == sorted(outcomes)
