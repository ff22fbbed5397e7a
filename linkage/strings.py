"""Similarity and edits of two texts in plain Python, to the last digit as DuckDB gives them.

DuckDB compares the bytes of UTF-8, so these do: a letter with an accent counts as two.
"""

from __future__ import annotations

import math
from functools import lru_cache

_PREFIX = 4
_BOOSTED = 0.7


@lru_cache(maxsize=1 << 16)
def jaro_winkler(left: str, right: str) -> float:
    """Jaro-Winkler similarity (Winkler 1990), rounded to six places."""
    one, two = left.encode(), right.encode()
    jaro = _jaro(one, two)
    if jaro > _BOOSTED:
        prefix = 0
        for a, b in zip(one[:_PREFIX], two[:_PREFIX], strict=False):
            if a != b:
                break
            prefix += 1
        jaro += prefix * 0.1 * (1 - jaro)
    return math.floor(jaro * 1e6 + 0.5) / 1e6


def _jaro(one: bytes, two: bytes) -> float:
    if not one or not two:
        return 0.0
    window = max(0, max(len(one), len(two)) // 2 - 1)
    free = list(one)
    matched_two: list[int] = []
    for place, letter in enumerate(two):
        for at in range(max(0, place - window), min(len(one), place + window + 1)):
            if free[at] == letter:
                free[at] = -1
                matched_two.append(letter)
                break
    matches = len(matched_two)
    if not matches:
        return 0.0
    matched_one = [letter for letter, left in zip(one, free, strict=True) if left == -1]
    moved = sum(a != b for a, b in zip(matched_one, matched_two, strict=True)) // 2
    return (matches / len(one) + matches / len(two) + (matches - moved) / matches) / 3


def one_edit(left: str, right: str) -> bool:
    """Whether the Damerau-Levenshtein distance is 1.

    One letter is wrong, missing or added, or two neighbours are exchanged.
    """
    one, two = sorted((left.encode(), right.encode()), key=len)
    if len(two) - len(one) > 1 or one == two:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), len(one))
    if len(one) < len(two):
        return one[at:] == two[at + 1 :]
    exchanged = one[at : at + 2] == two[at : at + 2][::-1]
    return one[at + 1 :] == two[at + 1 :] or (exchanged and one[at + 2 :] == two[at + 2 :])
