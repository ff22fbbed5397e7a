"""The rates of the partnership, read from data/rates.yaml: every share with the place it was
read, or the word assumed."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import Field, TypeAdapter

from ffp_data.strict import Strict


class Rate(Strict):
    """One share (0 to 1; a factor where its source says so) and where it was read."""

    value: float = Field(ge=0)
    source: str = Field(min_length=3)


@cache
def read_data(name: str) -> Any:
    """Return the parsed YAML of one file of this package's data folder."""
    return yaml.safe_load((resources.files(__package__) / "data" / name).read_text("utf-8"))


@cache
def rates(section: str) -> dict[str, float]:
    """Return the rates of one section of data/rates.yaml by name.

    Raises KeyError for an unknown section and pydantic.ValidationError for a file that breaks the form.
    """
    parsed = TypeAdapter(dict[str, dict[str, Rate]]).validate_python(read_data("rates.yaml"))
    return {name: rate.value for name, rate in parsed[section].items()}
