"""What somebody knows of a child who is to be found: any part of it that suffices.

Each value is checked before anybody is looked for: a mistyped NHS number finds nobody, and says so. An
error names the field, the rule and the remedy, never the value.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ffp_data.identifiers import nhs_number, postcode, upn
from ffp_data.identifiers.result import Result

_LONGEST = 200


def _plain(text: str) -> str:
    if any(not character.isprintable() for character in text):
        raise PydanticCustomError(
            "control_character", "control characters are not text; leave them out"
        )
    return text


def _checked(result: Result, what: str) -> str:
    if result.normalised is None:
        raise PydanticCustomError(
            "identifier",
            "not {what} ({reason}); look at it again, or leave it out",
            {"what": what, "reason": str(result.reason)},
        )
    return result.normalised


def _nhs_number(value: str) -> str:
    # Test numbers are refused when they are loaded into a hub of real people, so none can match there.
    return _checked(nhs_number.check(value, allow_test_numbers=True), "a valid NHS number")


def _upn(value: str) -> str:
    return _checked(upn.check(value), "a valid UPN")


def _postcode(value: str) -> str:
    return _checked(postcode.check(value), "a whole postcode")


def _day(value: date) -> date:
    if value.year < 1900:
        raise PydanticCustomError("too_early", "before 1900; look at the year again")
    return value


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=_LONGEST),
    AfterValidator(_plain),
]
Day = Annotated[date, AfterValidator(_day)]

# The name of a field here -> the column of the linkage model.
COLUMNS = {
    "given_name": "given_name",
    "middle_names": "middle_names",
    "family_name": "surname",
    "other_given_name": "other_given_name",
    "other_family_name": "other_surname",
    "birth_date": "date_of_birth",
    "expected_birth_date": "expected_birth_date",
    "sex": "sex",
    "postcode": "postcode",
    "uprn": "uprn",
    "nhs_number": "nhs_number",
    "upn": "upn",
    "former_upn": "former_upn",
    "phone": "phone",
    "email": "email",
}
FIELDS = {column: field for field, column in COLUMNS.items()}


class Demographics(BaseModel):
    """What is known of a child; every field may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    given_name: Name | None = Field(
        default=None, description="Given name as known.", examples=["Amelia"]
    )
    middle_names: Name | None = None
    family_name: Name | None = Field(default=None, description="Family name.", examples=["Okafor"])
    other_given_name: Name | None = Field(default=None, description="Another given name in use.")
    other_family_name: Name | None = Field(
        default=None, description="A former or other family name, such as a mother's."
    )
    birth_date: Day | None = Field(default=None, examples=["2016-05-04"])
    expected_birth_date: Day | None = Field(default=None, description="Of a child not yet born.")
    sex: Literal["F", "M"] | None = None
    postcode: Annotated[str, AfterValidator(_postcode)] | None = Field(
        default=None, description="A whole postcode.", examples=["XF1 2AB"]
    )
    uprn: Annotated[str, StringConstraints(pattern=r"^\d{1,12}$")] | None = Field(
        default=None, description="Unique property reference number."
    )
    nhs_number: Annotated[str, AfterValidator(_nhs_number)] | None = None
    upn: Annotated[str, AfterValidator(_upn)] | None = Field(
        default=None, description="Unique pupil number."
    )
    former_upn: Annotated[str, AfterValidator(_upn)] | None = None
    phone: Name | None = None
    email: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_missing(cls, data: Any) -> Any:
        """An empty text is a field that is not known, as forms and CSV files write it."""
        if not isinstance(data, dict):
            return data
        return {k: None if isinstance(v, str) and not v.strip() else v for k, v in data.items()}

    @model_validator(mode="after")
    def _one_birth(self) -> Self:
        if self.birth_date and self.expected_birth_date:
            raise PydanticCustomError(
                "one_birth", "a child is born or expected; give birth_date or expected_birth_date"
            )
        return self

    @property
    def given(self) -> list[str]:
        """Names of the fields that are there: what the ledger may hold of a search."""
        return sorted(self.model_dump(exclude_none=True))

    def record(self) -> dict[str, str | None]:
        """The same as text, by column of the linkage model."""
        return {
            COLUMNS[name]: str(value) for name, value in self.model_dump(exclude_none=True).items()
        }
