"""Police National Computer identifier: year, serial and a modulus 23 check letter.

Canonical form ``YYYY/NNNNNNNL``, serial padded to seven digits; feeds also send a
two-digit year, an unpadded serial or no slash (the rules are those that HMPPS
Person Record tests). With a slash the parts are plain. Without one both readings,
two- and four-digit year, are tried and the check letter chooses: deciding by length
loses valid numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ffp_data.identifiers.result import MALFORMED, MISSING, PLACEHOLDER, Result, refuse
from ffp_data.identifiers.text import compact

LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
_WITH_SLASH = re.compile(r"((?:19|20)?[0-9]{2})/([0-9]{1,7})([A-Za-z])")
_LONG_YEAR = re.compile(r"((?:19|20)[0-9]{2})([0-9]{1,7})([A-Za-z])")
_SHORT_YEAR = re.compile(r"([0-9]{2})([0-9]{1,7})([A-Za-z])")

CHECK_LETTER = "check_letter"
AMBIGUOUS = "ambiguous"
CENTURY_UNKNOWN = "century_unknown"


def check_letter(year: str, serial: str) -> str:
    """Letter for the last two digits of the year and a serial of up to seven digits."""
    return LETTERS[int(year[-2:] + serial.zfill(7)) % len(LETTERS)]


def check(value: str | None, *, this_year: int | None = None) -> Result:
    """Normalise to ``YYYY/NNNNNNNL``, or say why not.

    ``this_year`` is the year of the run's as-at date: a two-digit year up to it is
    of this century, a later one of the last. Without it a two-digit year is refused
    as ``century_unknown`` rather than guessed.
    """
    text = compact(value)
    if not text:
        return refuse(MISSING)
    readings = list(_readings(text))
    if not readings:
        return refuse(MALFORMED)
    right = [r for r in readings if check_letter(r[0], r[1]) == r[2]]
    if len(right) != 1:
        return refuse(AMBIGUOUS if right else CHECK_LETTER)
    return _canonical(*right[0], this_year)


def _readings(text: str) -> Iterator[tuple[str, str, str]]:
    for shape in (_WITH_SLASH, _LONG_YEAR, _SHORT_YEAR):
        if found := shape.fullmatch(text):
            year, serial, letter = found.groups()
            yield year, serial, letter.upper()


def _canonical(year: str, serial: str, letter: str, this_year: int | None) -> Result:
    if int(serial) == 0:
        return refuse(PLACEHOLDER)
    if len(year) == 2:
        if this_year is None:
            return refuse(CENTURY_UNKNOWN)
        century = this_year // 100 - (int(year) > this_year % 100)
        year = f"{century}{year}"
    return Result(f"{year}/{serial.zfill(7)}{letter}")
