"""How the end-to-end tests run the product: by the very commands of the README, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHILDREN = 400


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


def ffp(*words: object, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would, without this process's settings."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FFP_", "DAGSTER_"))}
    if home:
        environment["FFP_HOME"] = str(home)
    program = Path(sys.executable).with_name("ffp")
    return subprocess.run(
        [str(program), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def run_demo(folder: Path) -> Demo:
    done = ffp("demo", folder, "--children", CHILDREN, "--json")
    assert done.returncode == 0, done.stderr
    return Demo(folder, json.loads(done.stdout))
