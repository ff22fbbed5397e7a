"""Keeps what the tests marked with a control came to: `pytest -m control --control-evidence FILE`.

A test and all its cases are one entry; it has passed when each case ran and passed. The file names the
commit and its date, never the clock, so that the same commit gives the same file.
"""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OPTION = "--control-evidence"
WORST_FIRST = ("failed", "skipped", "passed")


class Evidence:
    """Gathers outcomes by test and writes them at the end; with xdist, in the process that leads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._controls: dict[str, list[str]] = {}
        self._outcomes: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        controls = [str(value) for name, value in report.user_properties if name == "control"]
        if controls and (report.when == "call" or report.outcome != "passed"):
            test = report.nodeid.partition("[")[0]
            self._controls[test] = controls
            self._outcomes.setdefault(test, []).append(report.outcome)

    def pytest_sessionfinish(self) -> None:
        tests = [
            {
                "test": test,
                "controls": sorted(self._controls[test]),
                "cases": len(outcomes),
                "outcome": min(outcomes, key=WORST_FIRST.index),
            }
            for test, outcomes in sorted(self._outcomes.items())
        ]
        text = json.dumps({"format": 1, **_commit(), "tests": tests}, indent=1, ensure_ascii=False)
        self._file.write_text(text + "\n", "utf-8")


def remember_controls(item: pytest.Item) -> None:
    """Let the item's reports carry its controls: a process of xdist has nothing else to tell them by."""
    for marker in item.iter_markers("control"):
        item.user_properties.extend(("control", each) for each in marker.args)


def _commit() -> dict[str, str]:
    said = subprocess.run(
        ["git", "show", "--no-patch", "--format=%H %cs", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    commit, day = said.stdout.split()
    return {"commit": commit, "commit_date": day}


@dataclass(frozen=True)
class MarkedTest:
    """A test as its file writes it: id without cases, and the controls that it is marked with."""

    test: str
    controls: tuple[str, ...]


def marked_tests(folder: Path = ROOT / "tests") -> Iterator[MarkedTest]:
    """Every test that is marked with a control, read from the source without importing it."""
    for path in sorted(folder.rglob("test_*.py")):
        text = path.read_text("utf-8")
        if "mark.control(" in text:
            module = ast.parse(text)
            of_all = _controls(_assigned_marks(module))
            for name, function in _functions(module):
                if controls := (*of_all, *_controls(function.decorator_list)):
                    yield MarkedTest(f"{path.relative_to(ROOT).as_posix()}::{name}", controls)


def _functions(module: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for each in node.body:
                if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
                    yield f"{node.name}::{each.name}", each


def _assigned_marks(module: ast.Module) -> list[ast.expr]:
    """What `pytestmark = ...` of the module says, one mark or a list of them."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            return node.value.elts if isinstance(node.value, ast.List) else [node.value]
    return []


def _controls(marks: list[ast.expr]) -> tuple[str, ...]:
    return tuple(
        str(argument.value)
        for mark in marks
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("mark.control")
        for argument in mark.args
        if isinstance(argument, ast.Constant)
    )
