"""Intervals against worked examples of the papers and against scipy's own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ffp_data.programme.intervals import difference, rate_ratio, share

COUNTS = st.integers(0, 400)
CONFIDENCE = st.sampled_from([0.8, 0.95, 0.99])


def test_the_difference_of_newcombes_paper_comes_out_as_he_printed_it() -> None:
    found = difference(56, 70, 48, 80, 0.95)  # Newcombe 1998, table II, contrast (a), method 10
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (
        0.2,
        0.0524,
        0.3339,
    )
    none = difference(0, 10, 0, 10, 0.95)  # the same, contrast (h)
    assert (round(none.low, 4), round(none.high, 4)) == (-0.2775, 0.2775)


def test_a_ratio_by_hand() -> None:
    found = rate_ratio(3, 100, 1, 200, 0.95)  # 3 per 100 against 1 per 200: 6 times
    assert found.value == pytest.approx(6)
    limits = binomtest(3, 4).proportion_ci(0.95, "exact")
    assert found.low == pytest.approx(limits.low / (1 - limits.low) * 2)
    assert found.high == pytest.approx(limits.high / (1 - limits.high) * 2)


def test_a_ratio_without_cases_on_one_side_is_open_on_it() -> None:
    none = rate_ratio(0, 50, 8, 50, 0.95)
    assert (none.value, none.low) == (0, 0)
    assert 0 < none.high < 1
    only = rate_ratio(8, 50, 0, 50, 0.95)
    assert only.value == only.high == math.inf
    assert only.low > 1


@pytest.mark.parametrize("wrong", [(0, 5, 0, 5), (1, 0, 1, 5), (1, 5, 1, 0), (-1, 5, 3, 5)])
def test_there_is_no_ratio_of_nothing(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="no ratio"):
        rate_ratio(*wrong, 0.95)


@given(COUNTS, COUNTS, CONFIDENCE)
def test_a_share_has_scipys_interval(cases: int, others: int, confidence: float) -> None:
    if cases + others:
        found = share(cases, cases + others, confidence)
        reference = binomtest(cases, cases + others).proportion_ci(confidence, "wilson")
        assert found.low == pytest.approx(reference.low, abs=1e-9)
        assert found.high == pytest.approx(reference.high, abs=1e-9)
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(COUNTS, COUNTS, st.integers(1, 10_000), st.integers(1, 10_000), CONFIDENCE)
def test_a_ratio_is_scipys_binomial_given_the_sum_and_turns_round_with_its_groups(
    cases: int, others: int, of: int, of_others: int, confidence: float
) -> None:
    if cases + others:
        found = rate_ratio(cases, of, others, of_others, confidence)
        limits = binomtest(cases, cases + others).proportion_ci(confidence, "exact")
        assert found.low / (found.low + of_others / of) == pytest.approx(limits.low, abs=1e-7)
        if others:
            assert found.high / (found.high + of_others / of) == pytest.approx(
                limits.high, abs=1e-7
            )
        assert found.low <= found.value <= found.high
        turned = rate_ratio(others, of_others, cases, of, confidence)
        if cases and others:
            assert turned.low == pytest.approx(1 / found.high)
            assert turned.high == pytest.approx(1 / found.low)
