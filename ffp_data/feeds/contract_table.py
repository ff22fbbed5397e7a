"""What a contract says of one table: its files, its key, its columns, and whom its rows are about.

Names become SQL names, hence their narrow pattern. What one key demands of another is checked in
`contract_rules`, so that a `Table` in hand is usable.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ffp_data.feeds import contract_rules
from ffp_data.feeds.declared import Facts
from ffp_data.feeds.json_path import check_path
from ffp_data.feeds.snapshots import Guard
from ffp_data.feeds.vocabulary import (
    PERSON_ATTRIBUTES,
    Category,
    Expression,
    LogicalType,
    SqlName,
    StrictModel,
)


class Property(StrictModel):
    """A column of a table: where it stands in the file, what it may hold and where it goes."""

    name: SqlName
    physical_name: str | None = Field(None, alias="physicalName")
    logical_type: LogicalType = Field(alias="logicalType")
    category: Category
    required: bool = False
    description: str | None = None
    pattern: Expression | None = None
    codes: tuple[str, ...] | str | None = None
    """The codes themselves, or the name of a list in codes.yaml."""
    codes_at: str | None = None
    """The date column on whose day a dated code must be valid."""
    aliases: tuple[str, ...] = ()
    path: Annotated[str, AfterValidator(check_path)] | None = None
    from_: str | None = Field(None, alias="from")
    join: tuple[str, ...] = ()
    reference: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]*$")] | None = None
    """The value is a FHIR reference to a resource of this type; its id is taken."""
    person: str | None = None
    identifier_type: str | None = None

    @property
    def is_identity(self) -> bool:
        """True when the value goes to the identity schema instead of raw."""
        return self.person is not None or self.identifier_type is not None

    @property
    def header(self) -> str:
        """The name of the file's column that holds this property."""
        return self.from_ or self.physical_name or self.name

    @model_validator(mode="after")
    def _consistent(self) -> Property:
        if self.person is not None and self.person not in PERSON_ATTRIBUTES:
            raise ValueError(f"person: {self.person} is none of {', '.join(PERSON_ATTRIBUTES)}")
        if self.from_ and not (self.path or self.join):
            raise ValueError("from: needs path: or join: to say what to take out of that column")
        if self.codes_at and self.codes is None:
            raise ValueError("codes_at: needs codes:")
        return self


class RoleFrom(StrictModel):
    """Reads child or adult from a column, where the feed says it person by person."""

    column: str
    child: tuple[str, ...] = ()
    adult: tuple[str, ...] = ()


class PersonIf(StrictModel):
    """Which rows of a list of people are a person's record; a row that is none goes to nobody's view."""

    known: tuple[str, ...] = ()
    """Person attributes without which a row is only a name, such as the date of birth."""
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only rows whose column holds one of these values, all columns together."""


class Relationship(StrictModel):
    """How a row ties its person to another, known by id (`related_key`) or by name alone (`name`).

    Both are given where `person_if` leaves some rows only a name: such a row ties the person of
    `related_key` to that name.
    """

    related_key: tuple[str, ...] = ()
    """Columns of the other person's id."""
    name: tuple[str, ...] = ()
    """Person attributes that name somebody who has no id here."""
    type: str | None = None
    """Column that holds the relationship: what the other person is. A listed code is told in words."""
    word: Literal["meaning", "reverse"] = "meaning"
    """Which word of a listed code names the other person: `reverse` where the code says what the row's is."""
    fixed: str | None = None
    """The relationship itself, where the table can hold no other."""

    @model_validator(mode="after")
    def _one_kind(self) -> Relationship:
        if not (self.related_key or self.name):
            raise ValueError("give related_key or name")
        if (self.type is None) == (self.fixed is None):
            raise ValueError("give either type (a column) or fixed (a word)")
        return self


class OnlyWhen(StrictModel):
    """What each JSON record must say of itself, such as resourceType: Patient."""

    path: Annotated[str, AfterValidator(check_path)]
    equals: str


class Table(StrictModel):
    """A table of a feed: which files hold it, its key, and what its columns are."""

    name: SqlName
    physical_name: str = Field(alias="physicalName")
    description: str
    grain: str
    key: tuple[str, ...] = Field(min_length=1)
    semantics: Literal["snapshot", "delta"]
    scope: tuple[str, ...] = ()
    """Key columns that tell what a snapshot speaks for, such as the school; without them, for the table."""
    guard: Guard | None = None
    record_key: tuple[str, ...] = ()
    related_key: tuple[str, ...] = ()
    merged_into: str | None = None
    """Column with the id by which the sender replaced this one: the two records are one person's."""
    role: Literal["child", "adult", "unknown"] | None = None
    role_from: RoleFrom | None = None
    person_if: PersonIf | None = None
    also_in: tuple[str, ...] = ()
    """Further file patterns that hold this table, such as a bundle of several kinds of record."""
    records: str | None = None
    """Where the records stand in a whole document; without it, where `hub.records` says."""
    explode: str | None = None
    only_when: OnlyWhen | None = None
    latest_by: str | None = None
    taken_back: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """A row whose columns hold these values only takes back what was said under its key: it needs no more."""
    extension: bool = False
    optional: bool = False
    relationship: Relationship | None = None
    facts: Facts = Facts()
    properties: tuple[Property, ...] = Field(min_length=1)

    @cached_property
    def by_name(self) -> dict[str, Property]:
        return {p.name: p for p in self.properties}

    @cached_property
    def payload(self) -> tuple[Property, ...]:
        """Properties that become columns of raw."""
        return tuple(p for p in self.properties if not p.is_identity)

    @cached_property
    def identity(self) -> tuple[Property, ...]:
        return tuple(p for p in self.properties if p.is_identity)

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """The names of files that hold this table."""
        return (self.physical_name, *self.also_in)

    @cached_property
    def is_numbered(self) -> bool:
        """True when several rows may begin on one line, so that a row is known by line and number."""
        return self.explode is not None or self.records is not None

    @cached_property
    def drop_guard(self) -> Guard | None:
        """How much a snapshot may take away unseen; as declared, else the default where it lists people."""
        lists_people = self.semantics == "snapshot" and bool(self.role or self.identity)
        return self.guard or (Guard() if lists_people else None)

    @cached_property
    def may_be_missing(self) -> bool:
        return self.extension or self.optional

    @cached_property
    def structural(self) -> frozenset[str]:
        """Columns without which rows can be neither keyed, read nor shown safely.

        An agreement that covers the table must cover them. The mark of a restricted record is one:
        a record whose mark was dropped would look like any other.
        """
        others = (p.codes_at for p in self.properties)
        types = (p.identifier_type for p in self.properties)
        marks = (p.name for p in self.properties if p.person == "restricted")
        names = {
            *self.key,
            *self.record_key,
            *self.related_key,
            self.latest_by,
            self.merged_into,
            *others,
            *types,
            *marks,
            *self.facts.marks,
            *self.taken_back,
            *(self.person_if.when if self.person_if else ()),
        }
        return frozenset(name for name in names if name)

    @model_validator(mode="after")
    def _consistent(self) -> Table:
        for problem in contract_rules.table_problems(self):
            raise ValueError(problem)
        return self
