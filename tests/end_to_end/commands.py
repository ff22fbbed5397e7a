"""How the end-to-end tests run the product: by the very commands of the README.

A whole run or a server has a process of its own, as in life. Another command is called in this process: a
new one would first read modules for a second or two. (Those of docs/governance.md all run in processes.)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from ffp_data.cli.main import app

CHILDREN = 400
APART = {"demo", "run", "serve"}
"""Commands with a process of their own."""

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Demo:
    """A folder that `ffp demo` filled, and what it said."""

    folder: Path
    summary: dict[str, Any]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def landing(self) -> Path:
        return self.folder / "partnership" / "landing"

    @property
    def truth(self) -> Path:
        return self.folder / "partnership" / "truth"


def ffp(*words: object, home: Path | None = None) -> Done:
    """Run the command as a person would, without this process's settings."""
    said = [str(word) for word in words]
    return _in_a_process(said, home) if said[0] in APART else _here(said, home)


def _in_a_process(words: list[str], home: Path | None) -> Done:
    own = {"FFP_HOME": str(home)} if home else {}
    environment = {k: v for k, v in os.environ.items() if k not in _settings()} | own
    program = Path(sys.executable).with_name("ffp")
    return subprocess.run(
        [str(program), *words], capture_output=True, text=True, check=False, env=environment
    )


def _here(words: list[str], home: Path | None) -> Done:
    environment = dict.fromkeys(_settings()) | ({"FFP_HOME": str(home)} if home else {})
    done = CliRunner().invoke(app, words, env=environment)
    return Done(words, done.exit_code, done.stdout, done.stderr)


def _settings() -> list[str]:
    return [name for name in os.environ if name.startswith(("FFP_", "DAGSTER_"))]


def run_demo(folder: Path) -> Demo:
    done = ffp("demo", folder, "--children", CHILDREN, "--json")
    assert done.returncode == 0, done.stderr
    return Demo(folder, json.loads(done.stdout))
