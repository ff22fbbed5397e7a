"""Comparison levels as SQL: the definition of every level, over a pair's ``l_<column>`` and ``r_<column>``."""

from __future__ import annotations

from linkage.kinds import kind_of
from linkage.packing import Packing
from linkage.spec import Comparison, Condition


def _spoken(comparison: Comparison) -> str:
    """True when some column of the comparison has a value on both sides."""
    both = (f"(l_{c} IS NOT NULL AND r_{c} IS NOT NULL)" for c in comparison.columns)
    return f"({' OR '.join(both)})"


def level_sql(packing: Packing, comparison: Comparison) -> str:
    """The level code of one comparison."""
    arms = [f"WHEN NOT {_spoken(comparison)} THEN 0"]
    if (other := packing.named(comparison.only_if_missing)) is not None:
        arms.append(f"WHEN {_spoken(other)} THEN 0")
    for code, level in enumerate(comparison.levels, 1):
        tests = " AND ".join(f"({condition_sql(t)})" for t in level.tests())
        arms.append(f"WHEN {tests} THEN {code}")
    return f"CASE {' '.join(arms)} ELSE {len(comparison.levels) + 1} END"


def condition_sql(test: Condition) -> str:
    """One test between two records; it is not true where a value is missing."""
    kind = kind_of(test)
    ways = (kind.sql(f"l_{kind.reads(a)}", f"r_{kind.reads(b)}") for a, b in test.ways())
    return (" AND " if kind.both_ways else " OR ").join(f"({way})" for way in ways)
