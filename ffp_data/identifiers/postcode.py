"""Postcode: upper case, one space before the last three characters.

Pseudo postcodes say that there is no address: ``ZZ99`` of the NHS (ONS Postcode
Directory: 3VZ no fixed abode, 3WZ not known, 3CZ England and others) and ``NF1`` of
probation systems (no fixed abode). Two people at one of them share nothing, so they
are refused as placeholders. The shape is permissive, as in DfE's own checks: it
doesn't ask whether the area exists. The only repair is the letter O or I where the
inward code must have a digit.
"""

from __future__ import annotations

import re

from ffp_data.identifiers.result import MALFORMED, MISSING, PLACEHOLDER, Result, refuse
from ffp_data.identifiers.text import compact

_OUTWARD = r"[A-Za-z]{1,2}[0-9][0-9A-Za-z]?"
_SHAPE = re.compile(rf"({_OUTWARD})([0-9OIoi])([A-Za-z]{{2}})|[Gg][Ii][Rr]0[Aa]{{2}}")
_PARTIAL = re.compile(rf"{_OUTWARD}[0-9]?")
_DIGIT_FOR = str.maketrans("OI", "01")
PSEUDO_OUTWARD = frozenset({"ZZ99", "NF1"})

PARTIAL = "partial"
LETTER_FOR_DIGIT = "letter_for_digit"


def check(value: str | None) -> Result:
    """Normalise to the form ``XF1 2AB``, or say why not."""
    text = compact(value)
    if not text:
        return refuse(MISSING)
    if _SHAPE.fullmatch(text):
        return _normalise(text.upper())
    return refuse(PARTIAL if _PARTIAL.fullmatch(text) else MALFORMED)


def _normalise(text: str) -> Result:
    outward, sector, unit = text[:-3], text[-3], text[-2:]
    if outward in PSEUDO_OUTWARD:
        return refuse(PLACEHOLDER)
    repaired = sector.translate(_DIGIT_FOR)
    return Result(f"{outward} {repaired}{unit}", LETTER_FOR_DIGIT if repaired != sector else None)
