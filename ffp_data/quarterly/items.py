"""Items, figures of our own and definitions, read from data files and checked at the door."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from ffp_data.quarterly.quarters import Quarter
from ffp_data.strict import Strict

Known = Literal["evidenced", "inferred"]
Stage = Literal["family_help", "child_protection", "pre_proceedings", "reunification"]
Rule = Literal[
    "by_date", "date_by", "increasing", "increasing_with_status", "decreasing", "equals_100", "benchmark",
    "local_target", "told", "none",
]  # fmt: skip
UNASSIGNED = "unassigned"


class Progress(Strict):
    """How an item is rated: the rule, and the item or figure that it looks at beside."""

    rule: Rule
    status: str | None = None
    kpi: str | None = None


class Item(Strict):
    """One item of the collection."""

    id: str = Field(pattern=r"^(FH|CP|FN)-\d\.\d$")
    table: Literal[1, 2, 3]
    expectation: str
    title: str
    kind: Literal[
        "status", "date", "count", "document", "yes_no_dev", "narrative", "roster", "money", "mean"
    ]
    unit: str
    made: Literal["typed", "counted"]
    known: Known
    expected: str
    progress: Progress
    deadline: date | None = None
    breakdown: tuple[str, ...] | Literal["stages"] = ()
    breakdown_known: Known | None = None
    with_narrative: bool = False
    has_target: bool = False
    inferred: tuple[str, ...] = ()

    @property
    def is_counted(self) -> bool:
        return self.made == "counted"

    @property
    def is_by_stage(self) -> bool:
        return self.breakdown == "stages"


class Kpi(Strict):
    """A figure of our own beside the items."""

    id: str
    title: str
    unit: str
    known: Known
    of: str
    target: float | None = None
    benchmark: str | None = None


class _Values(Strict):
    known: Known
    values: tuple[str, ...]


class Items(Strict):
    """All items of the collection, in the order of the guide's tables."""

    source: str
    first_quarter: str
    statuses: _Values
    answers: _Values
    stages: _Values
    items: tuple[Item, ...]
    kpis: tuple[Kpi, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        return {item.id: item for item in self.items}

    @property
    def first(self) -> Quarter:
        """The first quarter that the items are asked for."""
        return Quarter.parse(self.first_quarter)

    @model_validator(mode="after")
    def _named_once(self) -> Items:
        names = [item.id for item in self.items] + [kpi.id for kpi in self.kpis]
        if len(set(names)) < len(names):
            raise ValueError("an item or figure is named twice")
        known = {*names}
        for item in self.items:
            missing = {item.progress.status, item.progress.kpi} - known - {None}
            if missing:
                raise ValueError(
                    f"{item.id}: progress looks at {sorted(map(str, missing))}, which is not here"
                )
        return self


class Test(Strict):
    """A spell that puts a child at a stage: open on the day, or ended so many days before it."""

    kind: str = Field(pattern=r"^[a-z_]+$")
    last_day: bool = True
    ended_within_days: int | None = Field(None, ge=0)
    details: tuple[str, ...] = ()


class StageRule(Strict):
    """A stage and what puts a child there."""

    stage: Stage
    any: tuple[Test, ...] = Field(min_length=1)


class Thresholds(Strict):
    """Where colours change, in percent."""

    flat_percent: float
    nearly_100: float
    nearly_benchmark: float
    nearly_target: float


class Settings(Strict):
    """Definitions that the guide leaves open."""

    recorded_stage_wins: bool
    stages: tuple[StageRule, ...]
    bases: Mapping[str, Literal["snapshot", "any_time"]]
    offer_within_days: int = Field(ge=0)
    matures_after_quarters: int = Field(ge=0)
    smallest_percent: int = Field(ge=1)
    progress: Thresholds

    @property
    def precedence(self) -> tuple[str, ...]:
        """Stages, the one that goes first of all first; what has none comes last."""
        return (*(rule.stage for rule in self.stages), UNASSIGNED)

    @model_validator(mode="after")
    def _each_stage_once(self) -> Settings:
        names = [rule.stage for rule in self.stages]
        if sorted(names) != sorted(Stage.__args__):  # type: ignore[attr-defined]
            raise ValueError("stages: name each of the four stages once")
        return self


@cache
def load_items() -> Items:
    """The packaged items."""
    return Items.model_validate(_packaged("items.yaml"))


def load_settings(own: Path | None = None) -> Settings:
    """The packaged definitions, with what the file `own` of a home says otherwise, whole key by whole key.

    Raises pydantic.ValidationError for a key or value that is none.
    """
    stated = yaml.safe_load(own.read_text("utf-8")) if own and own.is_file() else {}
    return Settings.model_validate({**_packaged("settings.yaml"), **(stated or {})})


def _packaged(name: str) -> dict[str, Any]:
    text = (resources.files(__package__) / name).read_text("utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed
