"""The answer to a request for access, as data: sections of items of facts, each with its source.

Both copies are made of this and of nothing else: the JSON file is it, the PDF is set from it. An item's id
comes from where its row was delivered, not from its place in the answer, so that a decision about it holds
when the answer is made again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

from pydantic import Field

from ffp_data.strict import Strict
from governance.canonical import sha256_hex


class Why(StrEnum):
    """The ground on which something is withheld."""

    THIRD_PARTY = "third_party"  # DPA 2018 Sch 2 para 16: another person's, who has not agreed
    SERIOUS_HARM = "serious_harm"  # DPA 2018 Sch 3: health, education, social work data
    CRIME = "crime"  # DPA 2018 Sch 2 para 2: it would prejudice crime prevention or detection
    ENDANGERS = "endangers"  # Harrison v Cameron [2024] EWHC 1377 (KB): naming a recipient
    UNDECIDED = "undecided"


IN_WORDS = {
    Why.THIRD_PARTY: "withheld: tells of another person",
    Why.SERIOUS_HARM: "withheld: would be likely to cause serious harm",
    Why.CRIME: "withheld under an exemption",  # a word more would tip somebody off
    Why.ENDANGERS: "withheld: naming the recipient would endanger somebody",
    Why.UNDECIDED: "withheld until it is decided",
}


class Source(Strict):
    """Where an item comes from."""

    feed: str | None = None
    table: str
    delivery: str | None = None
    file: str | None = None
    line: int | None = None
    element: int | None = None
    record: str | None = None

    @property
    def words(self) -> str:
        """The source as a line of text."""
        parts = [self.table]
        parts += [f"file {self.file}"] if self.file else []
        parts += [f"line {self.line}"] if self.line else []
        parts += [f"no. {self.element}"] if self.element else []
        parts += [f"delivery {self.delivery[:12]}"] if self.delivery else []
        return ", ".join(parts)


class Fact(Strict):
    """One value. ``mark``: why an officer must look at it first; ``withheld``: what stands in its place."""

    id: str
    name: str
    value: str
    mark: str | None = None
    withheld: str | None = None


class Item(Strict):
    """One row of what is held, or one event, with its facts."""

    id: str
    heading: str
    source: Source
    where: str = Field(description="The source in words.")
    facts: list[Fact]
    withheld: str | None = None


class Section(Strict):
    """A chapter of the answer."""

    title: str
    about: str
    items: list[Item]


class Clock(Strict):
    """When the answer is due (UK GDPR Art 12(3)): one month, without the days the clock stood still."""

    received: date
    due: date
    stops: list[str]


class Pack(Strict):
    """The whole answer."""

    child_id: str
    made_of_run: str | None = Field(description="The last run of the hub whose data these are.")
    as_at: date | None
    is_working_copy: bool = Field(description="Marks stand in it; not for the person who asked.")
    clock: Clock
    to_decide: int = Field(description="Marked facts on which nothing was decided.")
    withheld: int
    sections: list[Section]

    def facts(self) -> Iterator[Fact]:
        """Every fact, in order."""
        for section in self.sections:
            for item in section.items:
                yield from item.facts


def item_id(source: Source, more: str = "") -> str:
    """The same row has the same id in every answer."""
    place = (source.table, source.delivery, source.line, source.element, source.record, more)
    return "i" + sha256_hex("|".join(map(str, place)).encode())[:10]


def item(source: Source, heading: str, facts: dict[str, str], marks: dict[str, str]) -> Item:
    """An item of these facts; ``marks``: name of a fact -> why somebody must look at it."""
    own = item_id(source, "" if source.feed else "|".join([heading, *facts.values()]))
    listed = [
        Fact(id=f"{own}.{name}", name=name, value=value, mark=marks.get(name))
        for name, value in facts.items()
    ]
    return Item(id=own, heading=heading, source=source, where=source.words, facts=listed)
