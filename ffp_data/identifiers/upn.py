"""Unique Pupil Number: a check letter, then LA, establishment, year and serial digits.

``L AAA EEEE YY SSS``; a temporary number ends in a letter. The check letter is the
weighted sum of places 2 to 13, modulus 23, in an alphabet without I, O and S
(Government Data Standards Catalogue 2.0; DfE, Unique pupil numbers guidance). The
LA digits are the authority of first issue, so closed and pseudo codes are right
and an unknown code only warns.
"""

from __future__ import annotations

import re

from ffp_data.identifiers import la_codes
from ffp_data.identifiers.result import MALFORMED, MISSING, Result, refuse
from ffp_data.identifiers.text import compact

ALPHABET = "ABCDEFGHJKLMNPQRTUVWXYZ"
_SHAPE = re.compile(r"[A-HJ-NP-RT-Za-hj-np-rt-z][0-9]{11}[0-9A-HJ-NP-RT-Za-hj-np-rt-z]")
# CIN census guide: UN1 to UN10 say why there is no number.
_REASON_FOR_NONE = re.compile(r"[Uu][Nn]([1-9]|10)")

CHECK_LETTER = "check_letter"
REASON_FOR_NONE = "reason_for_no_upn"
UNKNOWN_LA = "unknown_la"


def upn_letter(rest: str) -> str:
    """Check letter for the twelve characters that follow it (upper case, no separators)."""
    total = sum(_value(character) * place for place, character in enumerate(rest, start=2))
    return ALPHABET[total % len(ALPHABET)]


def _value(character: str) -> int:
    return int(character) if character.isdigit() else ALPHABET.index(character)


def is_temporary(upn: str) -> bool:
    """Whether a valid number is a temporary one, to be replaced by the next school."""
    return upn[-1].isalpha()


def check(value: str | None) -> Result:
    """Normalise to thirteen characters, or say why not."""
    number = compact(value)
    if not number:
        return refuse(MISSING)
    if _REASON_FOR_NONE.fullmatch(number):
        return refuse(REASON_FOR_NONE)
    if not _SHAPE.fullmatch(number):
        return refuse(MALFORMED)
    number = number.upper()
    if upn_letter(number[1:]) != number[0]:
        return refuse(CHECK_LETTER)
    return Result(number, None if la_codes.is_known(number[1:4]) else UNKNOWN_LA)
