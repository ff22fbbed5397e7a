"""The choices of the review as data: ``rules.yaml`` beside this module, or a partnership's own."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

Threshold = float | Literal["review", "break", "join"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reason(_Part):
    """Why a pair is in the queue, in words, and from where on."""

    words: str
    at_least: Threshold | None = None
    cuts: tuple[str, ...] = ()
    vetoes: dict[str, Threshold] = {}
    mean_weight_below: float | None = None


class Criterion(_Part):
    """A fact by which the work is ordered; ``of_family``: words where an adult's child has it."""

    fact: Literal["protection_plan", "looked_after", "protected", "unborn_or_infant", "services"]
    words: str
    of_family: str = ""


class Strength(_Part):
    below: float
    words: str


class ReviewRules(_Part):
    """See the comments in rules.yaml."""

    reasons: dict[str, Reason]
    clashes: tuple[str, ...]
    asked_again: tuple[str, ...]
    order: tuple[Criterion, ...]
    infant_under_days: int = Field(gt=0)
    second_reader: tuple[str, ...]
    reserved_minutes: int = Field(gt=0)
    shown: dict[str, str]
    not_evidence: tuple[str, ...]
    places: tuple[str, ...]
    place_comparisons: tuple[str, ...]
    strength: tuple[Strength, ...]

    @model_validator(mode="after")
    def _names_are_known(self) -> ReviewRules:
        unknown = {*self.clashes, *self.asked_again} - self.reasons.keys() | {
            *self.places
        } - self.shown.keys()
        unknown |= {*self.not_evidence} - self.shown.keys()
        unknown |= {*self.second_reader} - {each.fact for each in self.order}
        if unknown:
            raise ValueError(f"not named elsewhere in the rules: {', '.join(sorted(unknown))}")
        return self

    @classmethod
    def read(cls, path: Path | None = None) -> ReviewRules:
        """The packaged rules, or those of a file; raises pydantic's ValidationError."""
        packaged = resources.files("ffp_data.review").joinpath("rules.yaml")
        text = path.read_text("utf-8") if path else packaged.read_text("utf-8")
        return cls.model_validate(yaml.safe_load(text))
