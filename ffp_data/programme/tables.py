"""What the programme counts, read from `tables.yaml`: tables, their codes, and limits of comparison."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import Field

from ffp_data.strict import Strict


class TableSpec(Strict):
    """One table: the measure that it counts, the dimension of its rows and of its columns."""

    id: str
    title: str
    counts: Literal["children", "events"]
    thing: str
    of: str
    rows: str
    by: Literal["age", "area", "ethnicity", "sex", "disability", "other_code"]
    codes: str | None = None
    overlapping: bool = False
    since: bool = False
    each: Literal["quarter"] | None = None
    published: str | None = None
    words: str

    @property
    def columns(self) -> str:
        """The list of codes of the columns."""
        return self.codes or self.by


class Compared(Strict):
    """Which levels are compared between groups, and when a comparison says nothing."""

    levels: tuple[str, ...]
    not_groups: tuple[str, ...]
    left_out: tuple[str, ...]
    confidence: float = Field(gt=0.5, lt=1)
    smallest_group: int = Field(ge=1)
    smallest_cases: int = Field(ge=1)
    least_known: float = Field(ge=0, le=1)
    source: str


class Linked(Strict):
    """Which groups of records are compared, and when a difference is a reason to look."""

    groups: tuple[str, ...]
    measures: tuple[str, ...]
    confidence: float = Field(gt=0.5, lt=1)
    least_difference: float = Field(ge=0, lt=1)
    smallest_group: int = Field(ge=1)
    expected: tuple[tuple[str, str], ...]
    source: str


class Programme(Strict):
    """All of it."""

    codes: Mapping[str, tuple[str, ...]]
    tables: tuple[TableSpec, ...]
    compared: Compared
    linked: Linked

    def table(self, name: str) -> TableSpec:
        """The table of this id; raises KeyError."""
        return {each.id: each for each in self.tables}[name]


@cache
def programme() -> Programme:
    """The file of the package; pydantic's ValidationError tells what is wrong with it."""
    text = resources.files(__package__).joinpath("tables.yaml").read_text("utf-8")
    return Programme.model_validate(yaml.safe_load(text))
