"""Intervals for shares, differences of shares and ratios of rates, for counts as small as a partnership has.

A ratio of two rates has the exact interval of Poisson counts: given the sum of both, one of them is binomial
(Przyborowski and Wilenski 1940; limits by Clopper and Pearson 1934). It holds for zeros and small counts, where the
log-normal one does not. A share has Wilson's interval (1927), a difference of two shares Newcombe's hybrid of two of
those (Newcombe 1998, method 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

from scipy.special import betaincinv, ndtri  # scipy.stats takes half a second to read


@dataclass(frozen=True)
class Estimate:
    """A value with the limits between which it lies at the confidence asked for."""

    value: float
    low: float
    high: float


def share(cases: int, of: int, confidence: float) -> Estimate:
    """Wilson's interval of a share. Raises ValueError unless 0 <= cases <= of and of > 0."""
    if not 0 <= cases <= of or not of:
        raise ValueError(f"no share: {cases} of {of}")
    z = float(ndtri((1 + confidence) / 2))
    value = cases / of
    middle = (value + z * z / (2 * of)) / (1 + z * z / of)
    reach = z * sqrt(value * (1 - value) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    low = 0.0 if cases == 0 else max(0.0, middle - reach)
    high = 1.0 if cases == of else min(1.0, middle + reach)
    return Estimate(value, low, high)


def difference(cases: int, of: int, others: int, of_others: int, confidence: float) -> Estimate:
    """One share less another, independent one. Raises ValueError as ``share``."""
    one, other = share(cases, of, confidence), share(others, of_others, confidence)
    value = one.value - other.value
    down = sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    up = sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return Estimate(value, value - down, value + up)


def rate_ratio(cases: int, of: float, others: int, of_others: float, confidence: float) -> Estimate:
    """The rate of cases among ``of`` as a multiple of the rate of others among ``of_others``.

    Raises ValueError when there are no cases at all, or nobody among whom: then there is no ratio.
    """
    if min(cases, others) < 0 or cases + others == 0 or min(of, of_others) <= 0:
        raise ValueError(f"no ratio: {cases} of {of} against {others} of {of_others}")
    tail = (1 - confidence) / 2
    low = float(betaincinv(cases, others + 1, tail)) if cases else 0.0
    high = float(betaincinv(cases + 1, others, 1 - tail)) if others else 1.0
    value = cases / of * of_others / others if others else inf
    return Estimate(value, _as_ratio(low, of, of_others), _as_ratio(high, of, of_others))


def _as_ratio(part: float, of: float, of_others: float) -> float:
    """The ratio of rates under which a case is one of the group with this probability."""
    return inf if part >= 1 else part / (1 - part) * of_others / of
