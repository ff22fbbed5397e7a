"""What a contract says a row means for the single view, so that a new feed needs neither SQL nor Python.

A table may declare events (a line of a chronology each) and involvements (a spell of work with the
person). Dates, words and contacts come from the table's own columns; a row that lacks the date of an
event tells none.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(_Part):
    """The service that a feed speaks for. Two feeds may speak for one; the lower precedence is asked first."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    precedence: int = Field(ge=1)
    for_returns: bool = False


class Event(_Part):
    """A line of the chronology of the row's person."""

    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    date: str
    summary: str = Field(min_length=1)
    """Words; `{column}` stands for the meaning of the column's code, or for its value when it has no codes."""
    when: dict[str, tuple[str, ...]] = {}
    """Only rows whose column holds one of these values, all columns together."""

    @property
    def places(self) -> tuple[str, ...]:
        """The columns that the summary names."""
        return tuple(_PLACE.findall(self.summary))

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((self.date, *self.places, *self.when))


class Involvement(_Part):
    """A spell of work of the feed's service, open while `until` is empty or yet to come."""

    since: str | None = None
    until: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    team: str | None = None
    withheld: str | None = None
    """A boolean column: true keeps everything but "not shared" from the view."""
    through: Literal["person", "family"] = "person"
    """`family`: the row's person is an adult, and the spell is told for the children of the family."""
    when: dict[str, tuple[str, ...]] = {}

    @property
    def columns(self) -> frozenset[str]:
        named = (
            self.since,
            self.until,
            self.contact_name,
            self.contact_phone,
            self.team,
            self.withheld,
        )
        return frozenset((*(name for name in named if name), *self.when))


class Facts(_Part):
    """Everything that a table declares."""

    events: tuple[Event, ...] = ()
    involvements: tuple[Involvement, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        events = (event.columns for event in self.events)
        return frozenset[str]().union(*events, *(spell.columns for spell in self.involvements))
