"""Comparison levels as SQL.

A pair's columns are named ``l_<column>`` and ``r_<column>``. Each similarity is computed once, in
an inner SELECT, as ``s_<column>``; the outer SELECT maps it to a level.
"""

from __future__ import annotations

from collections.abc import Callable

from linkage.packing import Packing, groups_column, part_column, words_column
from linkage.spec import Comparison, Condition


def _equal(column: str) -> str:
    return f"l_{column} = r_{column}"


def _swapped(test: Condition) -> str:
    assert test.swapped
    a, b = test.swapped
    return f"l_{a} = r_{b} AND l_{b} = r_{a}"


def _swapped_similar(test: Condition) -> str:
    """Only where the first letters agree crosswise, so that few similarities are computed."""
    assert test.swapped_similar
    a, b = test.swapped_similar.columns
    crosswise = [(f"l_{a}::VARCHAR", f"r_{b}::VARCHAR"), (f"l_{b}::VARCHAR", f"r_{a}::VARCHAR")]
    initials = (f"left({x}, 1) = left({y}, 1)" for x, y in crosswise)
    least = test.swapped_similar.at_least
    alike = (f"round(jaro_winkler_similarity({x}, {y}), 6) >= {least}" for x, y in crosswise)
    return " AND ".join([*initials, *alike])


def _alias(test: Condition) -> str:
    assert test.alias
    of, within = test.alias.of, test.alias.in_
    return f"l_{of} = r_{within} OR l_{within} = r_{of}"


def _shares_word(test: Condition) -> str:
    assert test.shares_word
    setting = test.shares_word
    a = words_column(setting.column, setting.min_letters)
    b = words_column(setting.in_ or setting.column, setting.min_letters)
    one_way = f"list_has_any(l_{a}, r_{b})"
    return one_way if a == b else f"{one_way} OR list_has_any(l_{b}, r_{a})"


def _similar(test: Condition) -> str:
    assert test.similar
    return f"s_{test.similar.column} >= {test.similar.at_least}"


def _one_letter_off(test: Condition) -> str:
    """One letter wrong, missing, added, or two neighbours exchanged.

    The edit distance is slow, so it is computed only where the lengths and the similarity allow it:
    one edit in three letters or more never brings the Jaro-Winkler similarity below 0.75.
    """
    c = test.one_letter_off
    left, right = f"l_{c}::VARCHAR", f"r_{c}::VARCHAR"
    return (
        f"s_{c} >= 0.75 AND abs(length({left}) - length({right})) <= 1"
        f" AND damerau_levenshtein({left}, {right}) = 1"
    )


def _starts_with(test: Condition) -> str:
    assert test.starts_with
    column, letters = test.starts_with.column, test.starts_with.min_letters
    left, right = f"l_{column}::VARCHAR", f"r_{column}::VARCHAR"
    return (
        f"(length({left}) >= {letters} AND starts_with({right}, {left})"
        f" OR length({right}) >= {letters} AND starts_with({left}, {right}))"
    )


def _same_part(test: Condition) -> str:
    assert test.same_part
    return _equal(part_column(test.same_part.column, test.same_part.part))


def _day_month_swapped(test: Condition) -> str:
    c = test.day_month_swapped
    return f"year(l_{c}) = year(r_{c}) AND month(l_{c}) = day(r_{c}) AND day(l_{c}) = month(r_{c})"


def _one_date_part_differs(test: Condition) -> str:
    """Two of year, month and day are equal; a year may be one or ten off (one digit mistyped)."""
    c = test.one_date_part_differs
    same = (f"({part}(l_{c}) = {part}(r_{c}))::INT" for part in ("year", "month", "day"))
    return f"{' + '.join(same)} = 2 AND abs(year(l_{c}) - year(r_{c})) IN (0, 1, 10)"


def _near(test: Condition) -> str:
    assert test.near
    c = test.near.column
    return f"abs(datediff('day', l_{c}, r_{c})) <= {test.near.within_days}"


_SQL: dict[str, Callable[[Condition], str]] = {
    "exact": lambda t: _equal(str(t.exact)),
    "equivalent": lambda t: (
        f"list_has_any(l_{groups_column(str(t.equivalent))}, r_{groups_column(str(t.equivalent))})"
    ),
    "swapped": _swapped,
    "swapped_similar": _swapped_similar,
    "alias": _alias,
    "shares_word": _shares_word,
    "similar": _similar,
    "one_letter_off": _one_letter_off,
    "starts_with": _starts_with,
    "same_part": _same_part,
    "day_month_swapped": _day_month_swapped,
    "one_date_part_differs": _one_date_part_differs,
    "near": _near,
}


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


def similarity_sql(packing: Packing) -> dict[str, str]:
    """Similarities to compute once for each pair, by name, from the records ``a`` and ``b``."""
    found: dict[str, str] = {}
    for test in packing.tests():
        found |= condition_similarity(test, "a.", "b.")
    return dict(sorted(found.items()))


def condition_sql(test: Condition) -> str:
    """One test between two records; it is not true where a value is missing."""
    return _SQL[test.kind](test)


def condition_similarity(test: Condition, left: str = "l_", right: str = "r_") -> dict[str, str]:
    """The similarity that a test reads, by name, if it reads one.

    Rounded, so that two engines whose last bits differ give the same level.
    """
    column = test.similar.column if test.similar else test.one_letter_off
    if column is None:
        return {}
    one, other = f"{left}{column}", f"{right}{column}"
    alike = f"round(jaro_winkler_similarity({one}::VARCHAR, {other}::VARCHAR), 6)"
    return {f"s_{column}": f"CASE WHEN {one} <> {other} THEN {alike} END"}
