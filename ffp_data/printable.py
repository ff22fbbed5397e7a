"""Text of feeds made fit for paper and sheets: no sign that turns a line round, hides or has no letter.

A copy is read where nobody can look at the source. What our font has no letter for, control characters and marks
that change the direction of a line (Unicode TR36, bidirectional text spoofing) become one visible sign; the copy says
what it means. Marks are kept to two a letter, so that no name is drawn over its neighbours.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

UNKNOWN = "\ufffd"
# Printable in the fonts that typst carries (Libertinus Serif): Latin with its extensions, Greek, Cyrillic, signs.
_PRINTABLE = (
    "\u0020-\u007e\u00a0-\u00ac\u00ae-\u0377\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u04ff"
    "\u1e00-\u1eff\u2010-\u2027\u2030-\u2040\u20a0-\u20bf\u2122\u2190-\u21ff"
)
_OTHER = re.compile(f"[^{_PRINTABLE}{UNKNOWN}]")
_SPACES = re.compile(r"[\t\n\r\u2028\u2029]+")
_PILED = re.compile(r"([\u0300-\u036f]{2})[\u0300-\u036f]+")


def plain(text: str) -> str:
    """The text as a copy may hold it."""
    spaced = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    return _OTHER.sub(UNKNOWN, _PILED.sub(r"\1", spaced))


def all_plain(value: Any) -> Any:
    """The same of every text in nested lists and mappings."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {name: all_plain(each) for name, each in value.items()}
    return [all_plain(each) for each in value] if isinstance(value, list | tuple) else value
