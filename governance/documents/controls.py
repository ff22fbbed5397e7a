"""Which control is shown by which test, and what the test came to when this version was made.

The controls are data of the package, and so is the evidence: `make evidence` runs the tests that
name a control and keeps each outcome. What only people can show stands beside as such.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.documents.page import Document, Section, Table
from governance.policy.model import DEMO_DIRECTORY
from governance.policy.shape import shape_problems
from governance.policy.source import PolicyError, read_document

EVIDENCE = Path(__file__).parent.parent / "evidence.json"
CONTROLS = "controls.yaml"


@dataclass(frozen=True)
class Shown:
    """A control and the tests that show it, each with its outcome."""

    control: Mapping[str, Any]
    tests: tuple[tuple[str, str], ...]

    @property
    def state(self) -> str:
        """``shown`` when every test of it passed, ``not shown`` without one, else ``failing``."""
        if not self.tests:
            return "not shown"
        return "shown" if all(outcome == "passed" for _, outcome in self.tests) else "failing"


def load_controls(directory: Path = DEMO_DIRECTORY) -> dict[str, Any]:
    """Read the register of controls; raise PolicyError when it is not as its schema says."""
    document = read_document(directory, directory / CONTROLS)
    if problems := list(shape_problems(document, "controls")):
        raise PolicyError(problems)
    data: dict[str, Any] = document.data
    return data


def load_evidence(path: Path = EVIDENCE) -> dict[str, Any]:
    """Read what `make evidence` kept; ValueError when it is of another format."""
    evidence: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if evidence.get("format") != 1:
        raise ValueError(f"{path}: not evidence of this version; run: make evidence")
    return evidence


def shown(controls: Mapping[str, Any], evidence: Mapping[str, Any]) -> list[Shown]:
    """Each control with its tests, in the order of the register."""
    return [
        Shown(
            control,
            tuple(
                (each["test"], each["outcome"])
                for each in evidence["tests"]
                if control["id"] in each["controls"]
            ),
        )
        for control in controls["controls"]
    ]


def control_evidence(
    controls: Mapping[str, Any], evidence: Mapping[str, Any], footer: str
) -> Document:
    """Return the document of all controls."""
    found = shown(controls, evidence)
    rows = tuple(_row(each) for each in found)
    number = sum(each.state == "shown" for each in found)
    commit, day = evidence["commit"], evidence["commit_date"]
    heads = ("Control", "Demand", "Level", "State", "Tests", "What people must show", "Sources")
    return Document(
        "control-evidence",
        "Evidence of controls",
        f"{number} of {len(found)} controls are shown by a passing test of version {commit[:12]} of {day}.",
        (
            Section(
                "Controls",
                table=Table("controls", "Each control and the tests that show it", heads, rows),
            ),
            Section(
                "Sources",
                (
                    "Recalled texts are to be read before they are quoted. This is not legal advice.",
                ),
                Table(
                    "sources",
                    "Where the demands are written, and how the text is known",
                    ("Source", "Title", "Known", "Where"),
                    tuple(
                        (
                            each["id"],
                            each["title"],
                            each["known"].replace("_", " "),
                            each.get("where", ""),
                        )
                        for each in controls["sources"]
                    ),
                ),
            ),
        ),
        footer,
    )


def _row(each: Shown) -> tuple[str | tuple[str, ...], ...]:
    control = each.control
    return (
        f"{control['id']} {control['title']}",
        control["demand"],
        control["level"],
        each.state,
        tuple(f"{outcome}: {test}" for test, outcome in each.tests),
        control.get("people", ""),
        ", ".join(control["sources"]),
    )
