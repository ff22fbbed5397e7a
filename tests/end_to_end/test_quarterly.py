"""The quarter that the demonstration's run built: what left, what stayed, and how it stands to the other returns."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from tests.end_to_end.commands import Demo, ffp

pytestmark = pytest.mark.slow
QUARTER = "2025-26-Q4"


def answered(demo: Demo, *words: str) -> Any:
    done = ffp("quarterly", *words, "--quarter", QUARTER, "--json", home=demo.home)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_left_names_nobody_and_says_what_the_council_kept(demo: Demo) -> None:
    folder = demo.home / "out" / "returns" / "ffp_quarterly" / QUARTER
    told = json.loads((folder / f"ffp-quarterly-{QUARTER}.json").read_text("utf-8"))
    assert told == answered(demo, "show")
    assert any("rehearsal" in note for note in told["notes"])
    (version,) = answered(demo, "versions")
    lines = (
        demo.home
        / "council"
        / "versions"
        / "ffp_quarterly"
        / QUARTER
        / version["version"]
        / "tables"
    ).glob("*")
    children = {
        child
        for path in lines
        for child in re.findall(r'"child_id": "([^"]+)"', path.read_text("utf-8"))
    }
    assert len(children) > 20
    left = "".join(path.read_text("utf-8") for path in folder.glob("*.[hj]*"))
    book = openpyxl.load_workbook(BytesIO((folder / f"ffp-quarterly-{QUARTER}.xlsx").read_bytes()))
    cells = [str(cell.value) for sheet in book for row in sheet for cell in row]
    assert "None" not in cells  # no empty cell
    left += " ".join(cells)
    assert not [child for child in children if child in left]


def test_census_collection_and_view_agree_with_the_quarter_child_by_child(demo: Demo) -> None:
    folder = demo.home / "council" / "ffp_quarterly" / QUARTER
    checks = {
        check["name"]: check
        for check in json.loads((folder / "build.json").read_text("utf-8"))["checks"]
    }
    for name in ("cin_census", "tehadc", "protection_plans", "single_view"):
        here, there, both = map(
            int, re.findall(r"(\d+) (?:here|there|in both)", checks[name]["said"])
        )
        assert both > 0
        assert checks[name]["rows"] == here + there - 2 * both  # every difference is named
