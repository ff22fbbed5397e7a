"""The words that every part of a contract is written in: names, kinds of value, durations, categories."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from ffp_data.strict import Strict

PERSON_ATTRIBUTES = (
    "given_name",
    "middle_names",
    "surname",
    "other_surname",
    "other_given_name",
    "date_of_birth",
    "expected_birth_date",
    "sex",
    "address_line",
    "postcode",
    "uprn",
    "nhs_number",
    "nhs_number_status",
    "upn",
    "former_upn",
    "pnc_id",
    "crn",
    "prison_number",
    "phone",
    "email",
    "birth_order",
    "restricted",
    "contact_given_name",
    "contact_surname",
    "parent_name",
)
"""Identity attributes a property may fill. The last three name somebody else than the row's person."""

SqlName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
LogicalType = Literal["string", "date", "timestamp", "integer", "number", "boolean", "object"]
Category = Literal[
    "direct_identifier",
    "quasi_identifier",
    "special_category",
    "criminal_offence",
    "safeguarding",
    "contact",
    "free_text",
    "operational",
]

_DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?")


def parse_duration(text: str) -> timedelta:
    """The days, hours and minutes of an ISO 8601 duration such as PT36H or P7D; ValueError otherwise."""
    match = _DURATION.fullmatch(text)
    parts = {unit: int(n) for unit, n in match.groupdict().items() if n} if match else {}
    if not parts:
        raise ValueError(
            f"{text!r} is not a duration of days, hours and minutes such as PT36H or P7D"
        )
    return timedelta(**parts)


def _checked_duration(text: str) -> str:
    parse_duration(text)
    return text


def _checked_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


Duration = Annotated[str, AfterValidator(_checked_duration)]
Expression = Annotated[str, AfterValidator(_checked_expression)]


class StrictModel(Strict):
    """A part of a contract: unknown keys are faults, and nothing changes it once it is read."""

    model_config = ConfigDict(populate_by_name=True)
