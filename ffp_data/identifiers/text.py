"""Text steps shared by the checks; plain ASCII rules, so that SQL can repeat them exactly.

Python's ``\\d``, ``\\s`` and ``str.upper`` know all of Unicode and RE2, which
DuckDB uses, knows ASCII. Classes are therefore always spelt out, and letters are
made upper case only after the pattern has shown that they are ASCII.
"""

from __future__ import annotations

import re

# Space, tab, no-break space (Word and Excel paste it) and hyphen.
_SEPARATORS = re.compile("[ \t\u00a0-]")


def compact(value: str | None) -> str:
    """The value without separators; an empty text for None."""
    return _SEPARATORS.sub("", value or "")


def weighted_sum(digits: str, first_weight: int) -> int:
    """Sum of digit times a weight that falls by one with each place."""
    return sum(int(digit) * (first_weight - place) for place, digit in enumerate(digits))
