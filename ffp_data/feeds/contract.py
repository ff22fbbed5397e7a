"""What a feed contract may say: the model of `contracts/*.yaml`.

A contract follows the Open Data Contract Standard 3.1 where that fits; the keys under `hub`, and the
keys of a table or column (`contract_table`) that the standard lacks, are ours. Files are parsed with
unknown keys forbidden; what one key demands of another is in `contract_rules`, so that a `Contract` in
hand is usable.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ffp_data.feeds import contract_rules
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.declared import Service
from ffp_data.feeds.vocabulary import Duration, SqlName, StrictModel


class Promise(StrictModel):
    every: Duration
    late_after: Duration


class Hub(StrictModel):
    """The keys of this hub beside the standard's."""

    agency: str
    system: str
    agreement: str
    format: Literal["csv", "ndjson", "xml", "ssd_drop"]
    dialect: Literal["fhir"] | None = None
    """Whole documents are Bundles of this standard, whose entries refer to one another and take back."""
    records: str | None = None
    """Where the records stand in a whole document of this feed, such as `entry[*].resource` in JSON or
    `CTfile/CTFpupilData/Pupil` in XML."""
    encodings: tuple[Literal["utf-8", "cp1252"], ...] = Field(min_length=1)
    date_formats: tuple[str, ...] = Field(min_length=1)
    placeholders: tuple[str, ...] = ()
    promise: Promise
    signed: Literal["required", "optional", "none"] = "none"
    """Whether a file must, or may, come with its agency's signature beside it."""
    service: Service | None = None
    """Whom the feed speaks for in "who is working with this family"; None when it tells of no work."""
    systems: tuple[str, ...] = ()
    """Of a drop: the case systems that the partnership runs; none named: any that has a profile."""
    la_code: str | None = None
    """Of a drop: the council whose drops are taken; None: any."""
    profiles: str | None = None
    """Of a drop: a folder of case-system profiles that go before the packaged ones."""


class Description(StrictModel):
    purpose: str
    limitations: str


class Contract(StrictModel):
    """One feed of one agency."""

    api_version: str = Field(alias="apiVersion")
    kind: Literal["DataContract"]
    id: SqlName
    name: str
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    status: str
    domain: str
    description: Description
    hub: Hub
    tables: tuple[Table, ...] = Field(alias="schema", min_length=1)

    @cached_property
    def by_name(self) -> dict[str, Table]:
        return {t.name: t for t in self.tables}

    def raw_name(self, table: Table) -> str:
        return f'raw."{self.id}__{table.name}"'

    def identity_name(self, table: Table) -> str:
        return f'identity."{self.id}__{table.name}"'

    @model_validator(mode="before")
    @classmethod
    def _hand_down(cls, data: Any) -> Any:
        """Gives each table that does not say it the feed's own place of records."""
        match data:
            case {"hub": {"records": str(records)}, "schema": [*tables]}:
                told = [{"records": records} | t if isinstance(t, dict) else t for t in tables]
                return {**data, "schema": told}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        for problem in contract_rules.contract_problems(self):
            raise ValueError(problem)
        return self
