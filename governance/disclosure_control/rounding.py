"""Counts that are shown to a multiple of a base, and what a shown one leaves open."""

from __future__ import annotations


def rounded(count: int, base: int) -> int:
    """The nearest multiple of the base; in the middle the greater."""
    return count if base == 1 else (count + base // 2) // base * base


def left_open(shown: int, base: int, least: int) -> tuple[int, int]:
    """The least and the greatest count that is shown so, where none but zero is shown below ``least``."""
    if base == 1:
        return shown, shown
    low, high = max(0, shown - base // 2), shown + (base - 1) // 2
    if least <= high:
        return (max(low, least) if shown else 0), high
    return 0, 0
