"""The two records side by side, as a reviewer sees them first: values and differences, nothing else.

No weight, no identifier, no word on whether the two are together now. Where one of the two must
not be located, whatever tells or helps to tell a place is neither shown nor compared.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ffp_data.review.rules import ReviewRules

EQUAL, DIFFERS, ONE_SIDED, WITHHELD = "equal", "differs", "one side only", "withheld"


@dataclass(frozen=True)
class Row:
    """One line of the side by side; ``mark``: equal, differs, one side only, withheld."""

    field: str
    left: str | None
    right: str | None
    mark: str


def side_by_side(
    left: Mapping[str, Any], right: Mapping[str, Any], rules: ReviewRules, *, is_protected: bool
) -> tuple[Row, ...]:
    """Rows of all fields that either record fills; of places none where somebody is protected."""
    rows = []
    for name, label in rules.shown.items():
        if is_protected and name in rules.places:
            rows.append(Row(label, None, None, WITHHELD))
            continue
        values = _text(left.get(name)), _text(right.get(name))
        if any(values):
            rows.append(Row(label, *values, mark(*values)))
    return tuple(rows)


def mark(left: str | None, right: str | None) -> str:
    """How two values compare: capitals, accents and outer spaces aside."""
    if left is None or right is None:
        return ONE_SIDED
    return EQUAL if _plain(left) == _plain(right) else DIFFERS


def values_of(record: Mapping[str, Any], rules: ReviewRules) -> tuple[str, ...]:
    """What a record says of its person, for comparison; empty text where it says nothing."""
    names = (name for name in rules.shown if name not in rules.not_evidence)
    return tuple(_plain(_text(record.get(name)) or "") for name in names)


def _text(value: Any) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())
