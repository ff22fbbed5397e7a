"""NHS number: ten digits whose last is a modulus 11 check digit.

The check digit alone accepts ``1111111111``, Scottish CHI numbers and every
published test number, so further rules follow it (NHS Data Dictionary, NHS NUMBER;
DfE Get An Identifier for the refusal of a leading zero). Issue ranges only warn,
because NHS England may open new ones.
"""

from __future__ import annotations

import re

from ffp_data.identifiers.result import MALFORMED, MISSING, Result, refuse
from ffp_data.identifiers.text import compact, weighted_sum

_TEN_DIGITS = re.compile(r"[0-9]{10}")
_SPREADSHEET_NUMBER = re.compile(r"[0-9]\.[0-9]*[eE]\+?[0-9]+|[0-9]{1,10}\.0+")
# A Scottish CHI number begins with a birth date, DDMMYY; no English range begins so.
_DAY_MONTH = re.compile(r"(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])")
_WEIGHT = 10

# First nine digits: Northern Ireland, England/Wales/Isle of Man (two ranges).
_ISSUED = ((320_000_000, 399_999_999), (400_000_000, 499_999_999), (600_000_000, 799_999_999))

SPREADSHEET = "spreadsheet_number"
EQUAL_DIGITS = "equal_digits"
CHECK_DIGIT = "check_digit"
SCOTLAND_CHI = "scotland_chi"
LEADING_ZERO = "leading_zero"
TEST_NUMBER = "test_number"
UNUSUAL_RANGE = "unusual_range"


def check_digit(first_nine: str) -> int | None:
    """Check digit for nine digits; None where the number is never issued (remainder 10)."""
    digit = (11 - weighted_sum(first_nine, _WEIGHT) % 11) % 11
    return None if digit == 10 else digit


def check(value: str | None, *, allow_test_numbers: bool = False) -> Result:
    """Normalise to ten digits, or say why not.

    ``allow_test_numbers`` accepts numbers that begin with 9. They are never issued
    to a patient and every test pack uses them: production refuses them, so that a
    test file loaded in error cannot merge real children.
    """
    number = compact(value)
    fault = _shape_fault(number) or _number_fault(number, allow_test_numbers)
    if fault:
        return refuse(fault)
    return Result(number, _range_warning(number))


def _shape_fault(number: str) -> str | None:
    if not number:
        return MISSING
    if _SPREADSHEET_NUMBER.fullmatch(number):
        return SPREADSHEET
    if not _TEN_DIGITS.fullmatch(number):
        return MALFORMED
    return None


def _number_fault(number: str, allow_test_numbers: bool) -> str | None:
    if number == number[0] * 10:
        return EQUAL_DIGITS
    if weighted_sum(number, _WEIGHT) % 11:  # the tenth digit has weight 1
        return CHECK_DIGIT
    if _DAY_MONTH.match(number):
        return SCOTLAND_CHI
    if number[0] == "0":
        return LEADING_ZERO
    if number[0] == "9" and not allow_test_numbers:
        return TEST_NUMBER
    return None


def _range_warning(number: str) -> str | None:
    if number[0] == "9":
        return TEST_NUMBER
    first_nine = int(number[:9])
    return None if any(low <= first_nine <= high for low, high in _ISSUED) else UNUSUAL_RANGE
