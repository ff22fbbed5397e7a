"""What look-ups answer besides candidates: frozen, documented models that commands and API share."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

FROZEN = ConfigDict(frozen=True)


class Resolution(BaseModel):
    """The identifier in use for one that was issued."""

    model_config = FROZEN

    asked: str
    current: str


class Child(BaseModel):
    """An identifier, how it stands, and who it stands for as far as the role may know."""

    model_config = FROZEN

    child_id: str
    current: str = Field(description="The identifier in use; the same unless this one has retired.")
    issued_on: date = Field(description="The as-at day of the run that issued it.")
    records: int = Field(description="How many records the identifier in use holds.")
    given_name: str | None = None
    middle_names: str | None = None
    family_name: str | None = None
    birth_date: date | None = None
    expected_birth_date: date | None = None
    sex: str | None = None
    nhs_number: str | None = None
    nhs_number_status: str | None = None
    postcode: str | None = None
    place_withheld: bool = Field(
        description="True where the child is protected: no place is told, whoever asks."
    )


class Event(BaseModel):
    """One change of an identifier, with what stood behind it."""

    model_config = FROZEN

    event: str = Field(description="issued, joined, split, moved, merged, retired, restored, …")
    child_id: str
    other: str | None = Field(description="Where records went, or the successor.")
    run: str | None
    as_at: date | None
    at: datetime | None = Field(description="When a person decided, where one did.")
    model: str | None
    reason: str
    record_count: int
    records: list[str] | None = Field(
        description="Keys of the records; null for a role that may not see them, or a protected child."
    )
    strongest_probability: float | None = Field(description="Of the strongest pair behind it.")


class History(BaseModel):
    """Everything that happened to an identifier, oldest first."""

    model_config = FROZEN

    child_id: str
    current: str
    events: list[Event]


class Membership(BaseModel):
    """A record and the identifier that it carried."""

    model_config = FROZEN

    record_key: str
    child_id: str
    linked_since: date
    link_confidence: float | None


class AsOf(BaseModel):
    """Which identifier each record carried as at a day or after a run; a page of it."""

    model_config = FROZEN

    as_of: str
    records: int
    children: int
    withheld: int = Field(
        description="Records of protected people: their keys may name a place, so they stand as pseudonyms."
    )
    membership: list[Membership]
