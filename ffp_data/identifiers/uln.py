"""Unique Learner Number: ten digits, the first not zero (Learning Records Service).

The digits weighted 10 to 1 sum to 10 modulus 11; an NHS number's sum to 0. A value
pasted into the wrong column can therefore never pass as the other.
"""

from __future__ import annotations

import re

from ffp_data.identifiers.result import MALFORMED, MISSING, PLACEHOLDER, Result, refuse
from ffp_data.identifiers.text import compact, weighted_sum

_SHAPE = re.compile(r"[1-9][0-9]{9}")
_NOT_KNOWN = "9999999999"

CHECK_DIGIT = "check_digit"


def check_digit(first_nine: str) -> int | None:
    """Check digit for nine digits; None where no number exists."""
    digit = (10 - weighted_sum(first_nine, 10)) % 11
    return None if digit == 10 else digit


def check(value: str | None) -> Result:
    """Normalise to ten digits, or say why not."""
    number = compact(value)
    if not number:
        return refuse(MISSING)
    if number == _NOT_KNOWN:
        return refuse(PLACEHOLDER)
    if not _SHAPE.fullmatch(number):
        return refuse(MALFORMED)
    if check_digit(number[:9]) != int(number[9]):
        return refuse(CHECK_DIGIT)
    return Result(number)
