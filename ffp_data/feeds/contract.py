"""What a feed contract may say: the model of `contracts/*.yaml` and of `codes.yaml`.

A contract follows the Open Data Contract Standard 3.1 where that fits; the keys under `hub`, and the
keys of a table or property that the standard lacks, are ours. Files are parsed with unknown keys
forbidden; what one key demands of another is checked here too, so that a `Contract` in hand is usable.
Names become SQL names, hence their narrow pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ffp_data.feeds.declared import Facts, Service
from ffp_data.feeds.declared import problems as fact_problems
from ffp_data.feeds.json_path import check_path, split_records
from ffp_data.feeds.snapshots import Guard

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


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Property(_Part):
    """A column of a table: where it stands in the file, what it may hold and where it goes."""

    name: SqlName
    physical_name: str | None = Field(None, alias="physicalName")
    logical_type: LogicalType = Field(alias="logicalType")
    category: Category
    required: bool = False
    description: str | None = None
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
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


class RoleFrom(_Part):
    """Reads child or adult from a column, where the feed says it person by person."""

    column: str
    child: tuple[str, ...] = ()
    adult: tuple[str, ...] = ()


class PersonIf(_Part):
    """Which rows of a list of people are a person's record; a row that is none goes to nobody's view."""

    known: tuple[str, ...] = ()
    """Person attributes without which a row is only a name, such as the date of birth."""
    when: dict[str, tuple[str, ...]] = {}
    """Only rows whose column holds one of these values, all columns together."""


class Relationship(_Part):
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


class OnlyWhen(_Part):
    """What each JSON record must say of itself, such as resourceType: Patient."""

    path: Annotated[str, AfterValidator(check_path)]
    equals: str


class Table(_Part):
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
    taken_back: dict[str, tuple[str, ...]] = {}
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
        for problem in _table_problems(self):
            raise ValueError(problem)
        return self


class Promise(_Part):
    every: Annotated[str, AfterValidator(_duration)]
    late_after: Annotated[str, AfterValidator(_duration)]


class Hub(_Part):
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


class Description(_Part):
    purpose: str
    limitations: str


class Contract(_Part):
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
        for problem in _contract_problems(self):
            raise ValueError(problem)
        return self


class CodeList(_Part):
    """Codes with their meanings; a code may be valid only from or to a day."""

    source: str
    status: Literal["evidenced", "inferred"]
    values: dict[str, dict[str, Any] | str]

    def meanings(self) -> dict[str, str]:
        """What each code means, in words."""
        return {
            code: str(entry.get("meaning", code)) if isinstance(entry, dict) else entry
            for code, entry in self.values.items()
        }

    def periods(self) -> dict[tuple[date | None, date | None], tuple[str, ...]]:
        """Codes by the first and last day on which they may be used; None stands for no limit."""
        found: dict[tuple[date | None, date | None], list[str]] = {}
        for code, entry in self.values.items():
            said = entry if isinstance(entry, dict) else {}
            period = (_day(said.get("valid_from")), _day(said.get("valid_to")))
            found.setdefault(period, []).append(code)
        return {period: tuple(codes) for period, codes in found.items()}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _table_problems(table: Table) -> list[str]:
    names = [p.name for p in table.properties]
    problems = [
        f"column {n} is declared twice" for n in sorted({n for n in names if names.count(n) > 1})
    ]
    named = table.structural | ({table.role_from.column} if table.role_from else set())
    problems += [f"{n} is not a column of {table.name}" for n in sorted(named - set(names))]
    problems += [
        f"key column {n} must be required: a row without it cannot be told from another"
        for n in (*table.key, *table.record_key)
        if n in table.by_name and not table.by_name[n].required
    ]
    payload = {p.name for p in table.payload}
    problems += fact_problems(table)
    problems += _record_problems(table)
    problems += [
        f"scope: {n} must be a key column that goes to raw"
        for n in table.scope
        if n not in table.key or n not in payload
    ]
    if (table.scope or table.guard) and table.semantics != "snapshot":
        problems.append("scope and guard are for snapshots: a delta takes nothing away")
    if set(table.key) != set(table.record_key) and not set(table.key) <= payload:
        problems.append("a key column that fills a person attribute must be the record_key")
    if table.identity and table.taken_back:
        problems.append("taken_back is for tables of facts: a row that takes back tells of nobody")
    if table.identity and not table.record_key:
        problems.append("a table with person attributes needs a record_key")
    attributes = [p.person for p in table.properties if p.person]
    problems += [
        f"two columns fill person attribute {a}"
        for a in sorted({a for a in attributes if attributes.count(a) > 1})
    ]
    return problems


def _record_problems(table: Table) -> list[str]:
    """Faults of the keys that say which rows are a person's record and how they tie two people."""
    wanted, tie = table.person_if, table.relationship
    problems = []
    if wanted:
        payload = {p.name for p in table.payload}
        known = {p.person for p in table.properties}
        problems += [
            f"person_if: {n} is not a column of {table.name} that goes to raw"
            for n in sorted(set(wanted.when) - payload)
        ]
        problems += [f"person_if: no column fills {n}" for n in wanted.known if n not in known]
        if table.role is None:
            problems.append("person_if is for a list of people: give the table a role")
    if table.merged_into and not (table.role and len(table.record_key) == 1):
        problems.append("merged_into is for a list of people whose record_key is one column")
    if table.merged_into in {p.name for p in table.identity}:
        problems.append("merged_into: a column that goes to raw, beside the record_key")
    if tie and tie.related_key and tie.name and not wanted:
        problems.append("relationship: give either related_key or name, or person_if beside both")
    if tie and tie.word == "reverse" and not _listed(table, tie.type):
        problems.append("relationship: word: reverse needs a type whose codes are a list by name")
    return problems


def _listed(table: Table, column: str | None) -> bool:
    return column in table.by_name and isinstance(table.by_name[column].codes, str)


def _contract_problems(contract: Contract) -> list[str]:
    has_paths = contract.hub.format in ("ndjson", "xml")
    problems = [
        f"{table.name}.{p.name}: path: is for ndjson and xml feeds, or beside from:"
        for table in contract.tables
        for p in table.properties
        if p.path and not p.from_ and not has_paths
    ]
    problems += [
        f"{table.name}.{p.name}: a column of an ndjson or xml feed needs path:"
        for table in contract.tables
        for p in table.properties
        if has_paths and not p.path
    ]
    if contract.hub.format == "xml" and not contract.hub.records:
        problems.append("an xml feed needs hub.records: the record elements, from the root on")
    problems += [
        f"{table.name}.{p.name}: {problem}"
        for table in contract.tables
        for p in table.properties
        for problem in (_path_problems(p) if has_paths else ())
    ]
    problems += [
        f"{table.name}: facts.involvements need hub.service"
        for table in contract.tables
        if table.facts.involvements and contract.hub.service is None
    ]
    for pattern in sorted({pattern for t in contract.tables for pattern in t.patterns}):
        problems += _file_problems(contract, pattern)
    return problems


def _path_problems(prop: Property) -> Iterator[str]:
    """Aliases of a column of JSON are paths too."""
    for alias in prop.aliases:
        try:
            check_path(alias)
        except ValueError as error:
            yield str(error)


def _file_problems(contract: Contract, pattern: str) -> list[str]:
    """Files of several tables must say of each record, or each list of records, which table it is for."""
    readers = [t for t in contract.tables if pattern in t.patterns]
    mains = [t for t in readers if not t.explode]
    kinds = {(t.records, t.only_when.equals if t.only_when else None) for t in mains}
    if not mains or len(mains) > len(kinds):
        return [f"{pattern}: one table without explode: may read the records of one kind"]
    if len({t.only_when.path for t in mains if t.only_when}) > 1:
        return [f"{pattern}: the tables of one file tell its kinds of record by one path"]
    if pattern.endswith(".json") and contract.hub.format == "ndjson":
        return [problem for t in readers for problem in _place_problems(t)]
    return []


def _place_problems(table: Table) -> list[str]:
    if table.records is None:
        return [f"{table.name} needs records: where in the document they stand"]
    try:
        split_records(table.records)
    except ValueError as error:
        return [f"{table.name}: {error}"]
    return []
