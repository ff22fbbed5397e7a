"""The closing tables of a run."""

from __future__ import annotations

import pytest

from ffp_data.pipeline.summary import print_summary


def test_a_narrow_terminal_cuts_no_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    path = "/srv/" + "families-first/" * 12 + "out"
    nothing = ("feeds", "linkage", "returns", "extracts", "refused", "held", "withdrawn")
    print_summary(
        {
            **{kind: [] for kind in (*nothing, "not_read", "model_waits")},
            "person_records": 2,
            "people": {"child": 1},
            "seconds": {"feeds loaded": 86.4, "queue for reviewers": 0.4},
            "as_at": "2026-03-31",
            "places": {"returns and extracts": path},
        }
    )
    lines = capsys.readouterr().out.splitlines()
    assert any(line.strip() == f"returns and extracts {path}" for line in lines)
    assert any(line.split() == ["queue", "for", "reviewers", "0"] for line in lines)
