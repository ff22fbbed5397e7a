"""The commands that the officer's guide names end as it says, on a hub that somebody just made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.end_to_end.commands import Demo

DOCS = Path(__file__).parents[2] / "docs"


def test_every_command_of_the_officers_guide_works(demo: Demo) -> None:
    guide = (DOCS / "governance.md").read_text("utf-8")
    assert guide.count("\n$ ffp ") > 8
    words = [sys.executable, str(DOCS / "make_governance_outputs.py"), str(demo.home), "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_command_that_fails_stops_the_guide(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    program = (DOCS / "make_governance_outputs.py").read_text("utf-8")
    (tmp_path / "make_governance_outputs.py").write_text(program, "utf-8")
    guide = tmp_path / "governance.md"
    blocks = "```console\n$ export WHO=officer\n```\n```console\n$ echo $WHO\nold\n```\n"
    words = [sys.executable, str(tmp_path / "make_governance_outputs.py"), str(tmp_path / "home")]
    guide.write_text(blocks, "utf-8")
    assert subprocess.run(words, check=False).returncode == 0
    assert guide.read_text("utf-8") == blocks.replace("old", "officer")
    guide.write_text(blocks + "```console\n$ false\n```\n", "utf-8")
    failed = subprocess.run([*words, "--check"], capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert "$ false\nexited 1" in failed.stderr
    guide.write_text("```console\n$ false # exits 1\n```\n", "utf-8")
    assert subprocess.run([*words, "--check"], check=False).returncode == 0
