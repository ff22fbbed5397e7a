"""The benchmarks of the hub run at a small size, and their result can be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.hub import churn, churn_shown, delta
from benchmarks.hub.database import url_of
from benchmarks.hub.machine import machine


@pytest.mark.slow
def test_no_child_of_a_small_partnership_changes_identifier_in_two_months(tmp_path: Path) -> None:
    result = churn.measure(300, 2, 7, f"sqlite:///{tmp_path}/hub.db")
    hub, plain = result["systems"]["hub"]["year"], result["systems"]["least record"]["year"]
    assert hub["children"] > 290
    assert hub["children_with_churn"] == 0 < plain["children_with_churn"]
    asked = {"children": 300, "months": 2, "seed": 7}
    spent = {"seconds": {"wall": 1.0, "cpu": 1.0}, "peak_memory_gib": 0.5, "machine": machine()}
    churn_shown.write(result | {"asked": asked} | spent, tmp_path / "hub_churn.json")
    assert "| 2 |" in (tmp_path / "hub_churn.md").read_text()
    assert (tmp_path / "hub_churn.svg").read_text().count("<circle") == 3 * 2


@pytest.mark.slow
def test_a_day_of_changes_comes_to_what_a_full_run_would(tmp_path: Path) -> None:
    with url_of("sqlite", tmp_path) as url:
        result = delta.measure(1_500, 30, 7, url, tmp_path)
    assert result["changed"] == 30
    assert result["same"] == {"clusters": True, "membership": True}
    assert result["day"]["issued"] + result["day"]["joined"] > 0
    sizes = result["size_mb"]
    assert 0 < sizes["after the first run"] <= sizes["after the month"]
