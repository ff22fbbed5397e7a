"""What months.yaml says, checked: rates with their source, and what each agency knows."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field

from ffp_data.strict import Strict
from ffp_data.synthetic.rates import Rate

SETTINGS = Path(__file__).with_name("months.yaml")
Share = Field(default=0.0, ge=0, le=1)


class Agency(Strict):
    """What an agency knows of people; see the notes of months.yaml."""

    system: str
    key: int
    by: Literal["school", "child", "family", "parent"]
    families: float = Share
    children: float = Share
    mothers: float = Share
    parents: float = Share
    member: float = Share
    new: float = Share
    nhs: float = Share
    upn: float = Share
    phone: float = Share


class Months(Strict):
    """The whole file."""

    town: dict[str, Rate]
    record: dict[str, Rate]
    delivery: dict[str, Rate]
    agencies: dict[str, Agency]


@cache
def months() -> Months:
    """The settings; raises pydantic.ValidationError for a file that breaks the form."""
    return Months.model_validate(yaml.safe_load(SETTINGS.read_text("utf-8")))


@cache
def monthly(event: str) -> float:
    """The share of a month of something that happens to people, of the share of a year."""
    share: float = 1 - (1 - months().town[event].value) ** (1 / 12)
    return share


def chance(event: str) -> float:
    """The share, in a month, of the records that something happens to."""
    return months().record[event].value


def agencies() -> dict[str, Agency]:
    """The agencies by feed."""
    return months().agencies
