"""The lists as they are defined: one YAML file of rules in words, each beside the dbt model that is its SQL."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import Field

from ffp_data.paths import DBT_PROJECT
from ffp_data.strict import Strict

MODELS = DBT_PROJECT / "models" / "intermediate" / "lists"


class RuleError(ValueError):
    """No list has this name; the message names those there are."""


class EarlyWarning(Strict):
    """One list: who stands on it, who answers for the rule and until when, and which feeds it rests on."""

    id: str = Field(pattern="^[a-z_]+$")
    title: str
    rule: str = Field(description="Who stands on the list, as a person would say it.")
    guide: str = Field(description="What asks for the list.")
    chosen: str = Field(description="What of the rule is the hub's choice.")
    owner: str = Field(description="Role that answers for the rule.")
    review: date = Field(description="Day by which the owner looks at the rule again.")
    model: str = Field(
        pattern="^int_lists__[a-z_]+$", description="The dbt model that is the rule."
    )
    feeds: dict[str, Literal["tells", "rules_out", "expects"]] = Field(min_length=1)


class _File(Strict):
    lists: tuple[EarlyWarning, ...]


@cache
def load_lists() -> tuple[EarlyWarning, ...]:
    """Every list, in the order in which they are read."""
    text = resources.files(__package__).joinpath("lists.yaml").read_text("utf-8")
    return _File.model_validate(yaml.safe_load(text)).lists


def find_list(list_id: str) -> EarlyWarning:
    """The list of this name; raises RuleError."""
    found = next((one for one in load_lists() if one.id == list_id), None)
    if found is None:
        known = ", ".join(one.id for one in load_lists())
        raise RuleError(f"{list_id}: no list has this name; choose one of {known}")
    return found


def sql_of(rule: EarlyWarning) -> str:
    """The SQL of the rule, as dbt runs it."""
    return (MODELS / f"{rule.model}.sql").read_text("utf-8")
