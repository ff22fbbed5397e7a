"""A copy of the demonstration's policy to change, and the lock that it compiles to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from governance import policy
from governance.policy.source import read_document

AS_AT = date(2026, 3, 31)
NORTH = "agreements/DSA-FHN-01.yaml"
POLICE = "agreements/DSA-POL-01.yaml"
TEAM = "fenmarch-family-help-north"


def copy_policy(folder: Path, *kept: str) -> Path:
    """The demonstration's policy below ``folder``, with the agreements named, or all of them."""
    copied = folder / "policy"
    unneeded = shutil.ignore_patterns("*.py", "__pycache__", "schema", "controls.yaml")
    shutil.copytree(policy.DEMO_DIRECTORY, copied, ignore=unneeded)
    for path in (copied / "agreements").iterdir():
        if kept and path.stem not in kept:
            path.unlink()
    return copied


def rewrite(directory: Path, file: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the content of a file; JSON is YAML, and keeps every text a text."""
    content = read_document(directory, directory / file).data
    change(content)
    (directory / file).write_text(json.dumps(content, indent=1), "utf-8")


def locked(directory: Path, as_at: date = AS_AT) -> policy.Lock:
    return policy.compile_policy(policy.load(directory), as_at)
