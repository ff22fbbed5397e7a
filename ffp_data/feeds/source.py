"""What a reader hands on: rows as text, whatever the format, and the rows that are no rows at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TRUNCATED_REMEDY = "deliver the file again, whole"


@dataclass(frozen=True)
class Fault:
    """A row, or with `is_value` one value of a row, that was set aside. `value` is already redacted.

    `element` is its number, from 1, where several records may begin on one line.
    """

    line: int
    column: str | None
    rule: str
    remedy: str
    value: str | None = None
    is_value: bool = False
    element: int | None = None


@dataclass(frozen=True)
class Source:
    """Rows of one table of one file, before any type is known.

    `relation` is the FROM item, with the physical line of each row as `_line`; `texts` gives the
    VARCHAR expression of each column over it; `element` numbers the rows of an exploded line.
    `documents` are JSON columns that several columns are taken out of, by their header name.
    `screened`: no value holds a control character, so none need be looked for.
    """

    relation: str
    texts: Mapping[str, str]
    element: str | None = None
    faults: tuple[Fault, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    screened: bool = False


def redact(text: str) -> str:
    """The shape of a value: digits become 9, letters x; enough to mend a format, not to know a person."""
    return re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", text))[:40]


def redact_sql(text: str) -> str:
    """The same as SQL over a VARCHAR expression."""
    digits = rf"regexp_replace({text}, '\d', '9', 'g')"
    return rf"left(regexp_replace({digits}, '\p{{L}}', 'x', 'g'), 40)"
