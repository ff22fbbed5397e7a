"""What a contract says a row means for the single view, so that a new feed needs neither SQL nor Python.

A table may declare events (a line of a chronology each) and involvements (a spell of work with the
person). Dates, words and contacts come from the table's own columns; a row that lacks the date of an
event tells none. `facts.py` builds the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ffp_data.strict import Strict

if TYPE_CHECKING:
    from ffp_data.feeds.contract_table import Table

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")

UNQUOTABLE = ("free_text", "contact", "direct_identifier")
"""Categories that a chronology never quotes: it is made of codes, dates and fixed words."""


class Service(Strict):
    """The service that a feed speaks for. Two feeds may speak for one; the lower precedence is asked first."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    precedence: int = Field(ge=1)
    for_returns: bool = False
    through: Literal["person", "family"] = "person"
    """`family`: only adults are known here, so a child without known adults cannot be asked about."""
    ages: tuple[int, int] | None = None
    """First and last age in whole years that the service can know; outside, silence says nothing."""


class Event(Strict):
    """A line of the chronology of the row's person."""

    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    date: str
    summary: str = Field(min_length=1)
    """Words; `{column}` stands for the meaning of the column's code, or for its value when it has no codes."""
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only rows whose column holds one of these values, all columns together."""
    locating: tuple[str, ...] = ()
    """Coded columns of the summary that tell a place; withheld for a child who must not be located."""

    @property
    def places(self) -> tuple[str, ...]:
        """The columns that the summary names."""
        return tuple(_PLACE.findall(self.summary))

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((self.date, *self.places, *self.when))


class Involvement(Strict):
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
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)

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


class Facts(Strict):
    """Everything that a table declares."""

    events: tuple[Event, ...] = ()
    involvements: tuple[Involvement, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        events = (event.columns for event in self.events)
        return frozenset[str]().union(*events, *(spell.columns for spell in self.involvements))

    @property
    def dates(self) -> frozenset[str]:
        """Columns that must hold a day."""
        edges = (edge for spell in self.involvements for edge in (spell.since, spell.until))
        return frozenset((*(event.date for event in self.events), *(e for e in edges if e)))

    @property
    def marks(self) -> frozenset[str]:
        """Columns without which a record that must be withheld would look like any other."""
        return frozenset(spell.withheld for spell in self.involvements if spell.withheld)


def pieces(summary: str) -> Iterator[tuple[str, bool]]:
    """The summary cut into fixed words (False) and names of columns (True), in order, none empty."""
    for place, text in enumerate(_PLACE.split(summary)):
        if text:
            yield text, place % 2 == 1


def problems(table: Table) -> Iterator[str]:
    """What a table's facts ask of columns that cannot give it."""
    known = {p.name: p for p in table.payload}
    missing = sorted(table.facts.columns - set(known))
    if missing:
        yield from (f"facts: {n} is not a column of {table.name} that goes to raw" for n in missing)
        return
    if (table.facts.events or table.facts.involvements) and not table.record_key:
        yield "a table with facts needs a record_key: whose facts are they?"
    for name in sorted(table.facts.dates):
        if known[name].logical_type not in ("date", "timestamp"):
            yield f"facts: {name} is no date"
    for spell in table.facts.involvements:
        if spell.withheld and known[spell.withheld].logical_type != "boolean":
            yield f"facts: withheld: {spell.withheld} is no boolean"
    for event in table.facts.events:
        yield from _event_problems(table, event)


def _event_problems(table: Table, event: Event) -> Iterator[str]:
    fixed = "".join(text for text, is_column in pieces(event.summary) if not is_column)
    if set(fixed) & set("{}"):
        yield f"facts: {event.type}: a column in the summary is written {{name}}"
    for name in event.places:
        if (category := table.by_name[name].category) in UNQUOTABLE:
            yield f"facts: {event.type}: {name} is {category}, which a chronology never quotes"
    for name in event.locating:
        if name not in event.places:
            yield f"facts: {event.type}: locating: {name} does not stand in the summary"
