"""What a command cannot do it says before anything is loaded or made: the place, the rule and what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # starts an interpreter for each command

WHOSE = 'name: X\nla_code: "999"\nis_synthetic: {}\n'
HEAVY = ("dagster", "dbt", "pandas", "altair", "recordlinkage", "uvicorn")
"""Seconds of processor time that only work needs."""
PROBE = f"""
import sys
from ffp_data.cli.main import app
try:
    app(sys.argv[1:])
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def said(words: str, folder: Path) -> tuple[int, str]:
    """Status and words of a command in a process of its own, which loads nothing heavy."""
    run = subprocess.run(
        [sys.executable, "-c", PROBE, *words.split()],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        check=False,
    )
    words_said, _, loaded = run.stderr.rstrip().rpartition("\n")
    assert loaded == "[]", "loaded for nothing"
    return run.returncode, words_said


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        ("run --home none", 1, "none/partnership.yaml: missing; say there whose hub this is"),
        ("run --home torn", 1, "torn/partnership.yaml:3: not YAML; correct the line"),
        (
            "run --home wrong",
            1,
            "wrong/partnership.yaml: is_synthetic: Input should be a valid boolean, unable to interpret"
            " input; correct it",
        ),
        ("run --home made_up", 2, "made_up/landing: no such folder"),
        ("run --home made_up --landing none", 2, "none: no such folder"),
        ("run --home made_up --landing empty", 1, "empty: no delivery carries a date in its name"),
        ("run --home made_up --landing empty --as-at 31/3/26", 2, "write it as 2026-03-31"),
        ("run --home made_up --truth none", 2, "'none' does not exist"),
        ("run --home real --as-at 2026-03-31", 1, "real/policy: missing; put the partnership's"),
        ("run --home odd --as-at 2026-03-31", 1, "odd/contracts/x.yaml:1: [apiVersion] contract"),
        ("policy compile --as-at 2026-03-31 --home none", 1, "none/partnership.yaml: missing"),
        ("serve --home none", 2, "none: no run has been made here"),
        ("explain X surname --home none", 2, "none: no run has been made here"),
        ("returns build cin --home none", 2, "none: no run has been made here"),
        ("quarterly build --quarter 2025-26-Q4 --home none", 2, "none: no run has been made here"),
    ],
)
def test_a_command_says_at_once_what_is_missing_and_makes_nothing(
    tmp_path: Path, command: str, status: int, words: str
) -> None:
    (tmp_path / "empty").mkdir()
    homes = {
        "torn": "name: X\nla_code: [\n",
        "wrong": WHOSE.format("perhaps"),
        "made_up": WHOSE.format("true"),
        "real": WHOSE.format("false"),
        "odd": WHOSE.format("true"),
    }
    for name, text in homes.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "partnership.yaml").write_text(text, "utf-8")
    (tmp_path / "odd" / "contracts").mkdir()
    (tmp_path / "odd" / "contracts" / "x.yaml").write_text("id: x\n", "utf-8")
    before = sorted(tmp_path.rglob("*"))
    code, told = said(command, tmp_path)
    assert words in told
    assert code == status
    assert sorted(tmp_path.rglob("*")) == before
