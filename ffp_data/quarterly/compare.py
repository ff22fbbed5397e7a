"""What changed between two builds of a quarter, child by child, and why as far as the records say.

Keys of records change from drop to drop, so a line is known again by item, part, child and day. An event recorded
after the earlier build was made is late recording; one that was there and is not was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Line = Mapping[str, Any]
_KEY = ("item", "basis", "part", "child_id", "on_date")


def compare_lines(
    before: Iterable[Line],
    now: Iterable[Line],
    before_as_at: str,
    recorded: Mapping[tuple[Any, ...], str],
) -> list[dict[str, Any]]:
    """Lines that count now and did not, and the other way; sorted.

    before_as_at: ISO day that the earlier build spoke for. recorded: day of recording by (item, child, day), where
    the case system tells it.
    """
    old, new = _counting(before), _counting(now)
    rows = [_row(key, "added", _late(key, before_as_at, recorded)) for key in new - old]
    rows += [_row(key, "gone", "changed or taken back in the records") for key in old - new]
    return sorted(
        rows,
        key=lambda row: tuple(
            str(row[name]) for name in ("item", "child_id", "change", "part", "on_date")
        ),
    )


def _counting(lines: Iterable[Line]) -> set[tuple[Any, ...]]:
    """Lines by what stays the same from drop to drop; a line about no child, by what it counts."""
    return {
        (*(line[name] for name in _KEY[:3]), line["child_id"] or line["counted"], line["on_date"])
        for line in lines
        if line["why_not"] is None and line["basis"] != "waiting"
    }


def _late(key: tuple[Any, ...], before_as_at: str, recorded: Mapping[tuple[Any, ...], str]) -> str:
    day = recorded.get((key[0], key[3], key[4]))
    if day and day > before_as_at:
        return f"recorded late, on {day}"
    return (
        "the records say so since" if key[4] is None or key[4] <= before_as_at else "happened since"
    )


def _row(key: tuple[Any, ...], change: str, why: str) -> dict[str, Any]:
    return {**dict(zip(_KEY, key, strict=True)), "change": change, "why": why}
