"""What the programme's lead types: a state, a date, an answer, words or a target, and what may be typed of which item.

An entry is never changed: a later one of the same item and quarter stands in its place, and both are kept, each with
who typed it and when.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field, ValidationError

from ffp_data.quarterly.items import Item, Items
from ffp_data.strict import Strict

LONGEST = 4000
"""Characters of a narrative: a page and a half."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class NotAnEntryError(ValueError):
    """What was typed is no answer to the item; says what would be."""


class Value(Strict):
    """What was typed. `day`: when it was done or is expected; `target`: the council's own number for the quarter."""

    answer: str | None = None
    day: date | None = None
    text: Annotated[str | None, Field(max_length=LONGEST)] = None
    target: Annotated[int | None, Field(ge=0, le=1_000_000)] = None

    @property
    def in_words(self) -> str:
        """The value as a page or a sheet has it."""
        told = [self.answer, self.text, self.day and f"{self.day:%-d %B %Y}"]
        if self.target is not None:
            told.append(f"target {self.target:,}")
        return ", ".join(each for each in told if each)


@dataclass(frozen=True)
class Entry:
    """One typed value of an item and quarter; `version` counts from one."""

    item: str
    quarter: str
    version: int
    value: Value
    author: str
    role: str
    made_at: datetime


def fields_of(item: Item) -> tuple[str, ...]:
    """Which fields of a value an item takes; none where nothing is typed of it."""
    own = _FIELDS.get(item.kind, ()) if item.made == "typed" else ()
    return (
        *own,
        *(("text",) if item.with_narrative else ()),
        *(("target",) if item.has_target else ()),
    )


_FIELDS: Mapping[str, tuple[str, ...]] = {
    "status": ("answer", "day"),
    "date": ("day",),
    "document": ("answer", "day"),
    "yes_no_dev": ("answer", "day"),
    "narrative": ("text",),
}


def answers_to(item: Item, items: Items) -> tuple[str, ...]:
    """The answers that an item takes, where it takes any."""
    if "answer" not in fields_of(item):
        return ()
    return items.statuses.values if item.kind == "status" else items.answers.values


def read_value(item: Item, items: Items, typed: Mapping[str, str]) -> Value:
    """The value of what was typed, field by field; empty fields count as not typed. Raises NotAnEntryError."""
    given = {name: text.strip() for name, text in typed.items() if text and text.strip()}
    allowed = fields_of(item)
    if not allowed:
        raise NotAnEntryError(f"{item.id} is counted from cases; nothing is typed of it")
    if others := sorted(given.keys() - set(allowed)):
        raise NotAnEntryError(f"{item.id} takes {' and '.join(allowed)}, not {', '.join(others)}")
    try:
        value = Value.model_validate({name: _READ[name](text) for name, text in given.items()})
    except (ValidationError, ValueError) as error:
        raise NotAnEntryError(_told(item, error)) from None
    _check(item, items, value)
    return value


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,7}", text):
        raise ValueError("write the target as a whole number")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("write the day as 2026-06-30") from None


_READ: Mapping[str, Callable[[str], object]] = {
    "answer": str, "text": lambda text: text.replace("\r\n", "\n"), "day": _day, "target": _whole,
}  # fmt: skip


def _told(item: Item, error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"{item.id}: words may have {LONGEST:,} characters, a target at most 1,000,000"
    return f"{item.id}: {error}"


def _check(item: Item, items: Items, value: Value) -> None:
    answers = answers_to(item, items)
    if answers and value.answer not in answers:
        raise NotAnEntryError(f"{item.id}: answer with one of {', '.join(answers)}")
    if item.kind == "date" and value.day is None:
        raise NotAnEntryError(f"{item.id}: give the day as 2026-06-30")
    if value == Value.model_validate({}):
        raise NotAnEntryError(f"{item.id}: nothing was typed")
    if value.text and _CONTROL.search(value.text):
        raise NotAnEntryError(f"{item.id}: take the control characters out of the words")
