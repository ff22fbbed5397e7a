"""Criminal Records Office number: serial and year with the PNC's check letter.

Two forms (rules as tested by HMPPS Person Record): ``NNNNNN/YYL``, serial padded to
six digits, and the older file form ``SFYY/NNNNNL``, serial as written.
"""

from __future__ import annotations

import re

from ffp_data.identifiers.pnc import LETTERS
from ffp_data.identifiers.result import MALFORMED, MISSING, PLACEHOLDER, Result, refuse
from ffp_data.identifiers.text import compact

_STANDARD = re.compile(r"([0-9]{1,6})/([0-9]{2})([A-Za-z])")
_FILE = re.compile(r"[Ss][Ff]([0-9]{2})/([0-9]{1,6})([A-Za-z])")

CHECK_LETTER = "check_letter"


def check_letter(year: str, serial: str) -> str:
    """Letter for a two-digit year and a serial, padded or not as its form asks."""
    return LETTERS[int(year + serial) % len(LETTERS)]


def check(value: str | None) -> Result:
    """Normalise to ``NNNNNN/YYL`` or ``SFYY/NNNNNL``, or say why not."""
    text = compact(value)
    if not text:
        return refuse(MISSING)
    if found := _STANDARD.fullmatch(text):
        serial, year, letter = found[1].zfill(6), found[2], found[3].upper()
        return _result(f"{serial}/{year}{letter}", year, serial, letter)
    if found := _FILE.fullmatch(text):
        year, serial, letter = found[1], found[2], found[3].upper()
        return _result(f"SF{year}/{serial}{letter}", year, serial, letter)
    return refuse(MALFORMED)


def _result(normalised: str, year: str, serial: str, letter: str) -> Result:
    if int(serial) == 0:
        return refuse(PLACEHOLDER)
    if check_letter(year, serial) != letter:
        return refuse(CHECK_LETTER)
    return Result(normalised)
