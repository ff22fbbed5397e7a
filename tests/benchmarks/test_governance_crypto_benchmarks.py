"""The measurements of sealing and of pseudonyms, small: they run, and what must hold holds."""

from __future__ import annotations

import pytest

from benchmarks.governance import pseudonyms, sealed_extract


@pytest.mark.control("B02")
def test_recipients_purposes_and_years_have_no_token_in_common() -> None:
    found = pseudonyms.measure(3_000, 7)
    assert found["children"] == 3_000
    assert set(found["tokens"].values()) == {3_000}
    assert set(found["in_common"].values()) == {0}
    assert len(found["in_common"]) == 6


@pytest.mark.control("D01")
def test_what_the_measurement_seals_opens_to_the_same_file() -> None:
    found = sealed_extract.measure(2_000, 1, 7)
    assert set(found["opened_equal"].values()) == {True}
    assert found["bytes"]["x25519"] < found["bytes"]["plain"] + 20_000
