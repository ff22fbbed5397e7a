"""How commands print what they list."""

from __future__ import annotations

import pytest

from ffp_data.cli.console import print_rows


def test_a_table_too_wide_for_any_screen_cuts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{'attendance_marks_' * 6}{day:02}.csv" for day in (1, 2)]
    print_rows("set aside", [{"file": name, "remedy": "send it again " * 20} for name in names])
    printed = capsys.readouterr().out
    assert "…" not in printed
    cells = [line.split("│")[1].strip() for line in printed.splitlines() if "│" in line]
    assert "".join(cells) == "".join(names)
