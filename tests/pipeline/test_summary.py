"""The closing tables of a run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ffp_data.feeds import create_empty_raw_tables, load_contracts
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.pipeline.summary import _reasons, _returns_lack, print_summary
from ffp_data.releases.keeping_back import why_kept_back
from ffp_data.releases.publish import COLLECTIONS
from ffp_data.settings import make_demonstration
from ffp_data.warehouse import connect
from tests.returns.books import deliver, every_source


def test_a_narrow_terminal_cuts_no_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    path = "/srv/" + "families-first/" * 12 + "out"
    nothing = ("feeds", "linkage", "returns", "extracts", "refused", "held", "returns_lack")
    print_summary(
        {
            **{kind: [] for kind in (*nothing, "withdrawn", "not_read", "model_waits")},
            "person_records": 2,
            "people": {"child": 1},
            "seconds": {"feeds loaded": 86.4, "queue for reviewers": 0.4},
            "as_at": "2026-03-31",
            "places": {"returns and extracts": path},
        }
    )
    lines = capsys.readouterr().out.splitlines()
    assert any(line.strip() == f"returns and extracts {path}" for line in lines)
    assert any(line.split() == ["queue", "for", "reviewers", "0"] for line in lines)


def test_a_run_tells_in_one_line_what_its_returns_lack_what_to_do_and_which_stand_as_before(
    tmp_path: Path,
) -> None:
    run = Run.at(run_id="r1", home=tmp_path / "home", as_at=date(2026, 4, 5))
    make_demonstration(run.home)
    assert policy.compile_lock(run).problems == []
    with connect(run.home) as con:
        every_source(con)
        assert _returns_lack(con, run) == []
        deliver(con, "early_help", "plans_20260402.csv", "held", 7, "Remedy: accept it.")
        assert _returns_lack(con, run) == [], "no agreement gave a return that would lack it"
        for name in ("tehadc", "cin"):
            decision = policy.grants(run).release("dfe", COLLECTIONS[name].purpose)
            assert why_kept_back(run, con, decision, name)
        assert _returns_lack(con, run) == [
            "early_help, held: plans_20260402.csv: Remedy: accept it. Not released without it: cin,"
            " tehadc; what was released before stands."
        ]


def test_a_file_in_two_folders_is_told_as_refused_where_it_was_refused_alone(
    tmp_path: Path,
) -> None:
    run = Run.at(run_id="r1", home=tmp_path / "home", as_at=date(2026, 4, 5))
    make_demonstration(run.home)
    with connect(run.home) as con:
        create_empty_raw_tables(con, load_contracts())
        deliver(con, "early_help", "plans_20260402.csv", "loaded", 1, None)
        deliver(con, "housing", "plans_20260402.csv", "refused", 1, "move it to early_help")
        facts = {
            "run_id": "r1",
            "feed": "housing",
            "delivery_id": "d1",
            "file": "plans_20260402.csv",
        }
        run.ledger.append("delivery_refused", **facts)
        assert _reasons(con, run, "delivery_refused") == ["move it to early_help"]
