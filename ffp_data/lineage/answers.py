"""What `ffp explain` and `ffp who` answer: frozen models that print as words and as JSON."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

FROZEN = ConfigDict(frozen=True)


class SentColumn(BaseModel):
    """A column of a delivered row that the value was made of."""

    model_config = FROZEN

    column: str = Field(description="The column as agreements name it.")
    as_sent: str = Field(description="The name of the column, or its place, in the file.")
    value: str | None = Field(description="What the hub holds of it; null where it is withheld.")


class Agreed(BaseModel):
    """The agreement that let a row in."""

    model_config = FROZEN

    agreement: str = Field(description="Agreement and version in force when the delivery was read.")
    policy: str | None = Field(description="SHA-256 of the lock that decided.")
    items: list[str] = Field(description="Category and reason of the agreed items, one for each.")


class Tie(BaseModel):
    """How a record was tied to the child."""

    model_config = FROZEN

    since: date | None
    confidence: float | None = Field(description="Null where it is the child's only record.")
    weight: float | None = Field(description="Of the link that joined it, in bits.")
    words: str


class Row(BaseModel):
    """A delivered row that a cell was made of."""

    model_config = FROZEN

    feed: str
    table: str
    record_key: str | None = Field(description="Null where it is nobody's row, or is withheld.")
    columns: list[SentColumn]
    delivery_id: str | None
    file_name: str | None
    received: datetime | None
    line: int | None = Field(description="Line of the file; null where rows were only counted.")
    rows: int = Field(description="How many rows of the record were counted; 1 for one line.")
    agreed: Agreed | None
    tie: Tie | None


class Other(BaseModel):
    """A candidate that was not chosen."""

    model_config = FROZEN

    feed: str
    record_key: str | None
    as_of: date | None
    says: str = Field(description="the same, something else, or nothing.")


class Received(BaseModel):
    """A release that held the cell."""

    model_config = FROZEN

    recipient: str
    purpose: str
    agreement: str
    as_at: date
    released_at: datetime
    name: str
    transform: str


class Explained(BaseModel):
    """One cell with where it comes from."""

    model_config = FROZEN

    value: str | None
    state: str = Field(description="current, or one of the states of silence; withheld.")
    state_in_words: str
    rule: str
    taken_from: list[Row]
    others: list[Other]


class Explanation(BaseModel):
    """The cells of an attribute: one, or one for each row of a list."""

    model_config = FROZEN

    child_id: str
    current: str
    attribute: str
    as_at: date
    cells: list[Explained]
    received_by: list[Received]
    recipients_unknown: int = Field(
        description="Releases of the column from before the hub kept whom a release disclosed."
    )
