"""The commands by which two reviewers take back what two decided."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffp_data.cli.main import app
from ffp_data.home.run import Run
from ffp_data.hub import Hub, Verdict
from tests.hub.stories import decide
from tests.rights.small import make


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make(tmp_path)


def ffp(run: Run, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["hub", *words, "--home", str(run.home.root)])
    return done.exit_code, " ".join((done.output + done.stderr).split())


def waiting(run: Run) -> list[dict[str, object]]:
    code, said = ffp(run, "undos", "--json", "--as", "ben")
    assert code == 0, said
    rows: list[dict[str, object]] = json.loads(said)
    return rows


def test_one_asks_another_refuses_or_confirms_and_until_then_the_decision_stands(run: Run) -> None:
    with Hub.open(run.home.hub_url) as hub:
        pair = "case_system|x|ann", "case_system|x|bob"
        number = str(decide(hub, *pair, Verdict.SAME, "ann", "ben"))

        def is_in_force() -> bool:
            return hub.decisions()[0].is_in_force

        why = ("--reason", "a second birth certificate")
        code, said = ffp(run, "undo", number, *why, "--as", "ann")
        assert (code, "stands until another reviewer confirms" in said) == (0, True)
        assert is_in_force()
        [row] = waiting(run)
        assert (row["decision"], row["asked_by"]) == (int(number), "ann")
        assert row["standing"] == "waits for another reviewer"
        code, said = ffp(run, "undo", number, *why, "--as", "ann")
        assert (code, "until another reviewer confirms that" in said) == (2, True)
        code, said = ffp(run, "queue", "--as", "ann")
        assert "decisions that somebody asks to take back" in said
        assert "waits for another than you" in said
        code, said = ffp(run, "keep", number, "--reason", "I saw the papers", "--as", "ben")
        assert (code, waiting(run), is_in_force()) == (0, [], True), said
        assert ffp(run, "keep", number, *why, "--as", "ben")[0] == 2
        ffp(run, "undo", number, *why, "--as", "ben")
        code, said = ffp(run, "undo", number, *why, "--as", "ann")
        assert (code, "is taken back from the next run on" in said) == (0, True)
        assert (waiting(run), is_in_force()) == ([], False)
