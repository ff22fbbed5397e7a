"""What is known of each case system: its names, what its extract lacks, and where its columns stand.

Councils send one form, the Standard Safeguarding Dataset, out of different systems. A profile is a file
in `case_systems/`; it says only how its system differs. A table without an entry is read as the contract
has it. An entry may take the table from another file, look columns up in further files, and make a
column out of several. Whatever the file itself calls by the dataset's name is taken from there first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.registry import Loc, code_lists, fault_at, faults_of, read_yaml
from ffp_data.feeds.vocabulary import StrictModel

PACKAGED = Path(__file__).parent / "case_systems"

Status = Literal["evidenced", "inferred"]
Words = dict[str, str]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


def _place(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not COLUMN or lookup.COLUMN")
    return text


Place = Annotated[str, BeforeValidator(_place)]
"""A column of the table's own file, or `lookup.COLUMN` of a file that is looked up."""


class ColumnMap(StrictModel):
    """Where one column of the dataset comes from: exactly one of the four."""

    column: Place | None = None
    date: tuple[Place, Place, Place] | None = None
    """Columns of year, month and day."""
    json_: dict[str, Place] | None = Field(None, alias="json")
    """Key of the dataset's JSON -> column."""
    fixed: str | None = None
    values: Words = Field(default_factory=dict)
    """With `column`: the system's word in capitals -> the dataset's; other words stay as sent."""

    @property
    def places(self) -> tuple[str, ...]:
        one = (self.column,) if self.column else ()
        return (*one, *(self.date or ()), *(self.json_ or {}).values())

    @model_validator(mode="after")
    def _one_way(self) -> ColumnMap:
        ways = [w for w in (self.column, self.date, self.json_, self.fixed) if w is not None]
        if len(ways) != 1:
            raise ValueError("give one of column, date, json and fixed")
        return self


def _column(data: Any) -> Any:
    return {"column": data} if isinstance(data, str) else data


class Lookup(StrictModel):
    """One row at most of another file of the drop, found by equal columns."""

    file: str
    match: dict[Place, str] = Field(min_length=1)
    """Column of the table's own file -> column of the other file."""
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    latest: str | None = None
    """Of several rows the one with the greatest value here counts, then the first in the file."""

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.match.values(), *self.when, *([self.latest] if self.latest else []))


class TableMap(StrictModel):
    """How one table of the dataset comes out of the system's own files."""

    status: Status
    from_: str | None = Field(None, alias="from")
    lookups: dict[str, Lookup] = Field(default_factory=dict)
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only rows of the file whose column holds one of these words; the others are no rows of the table."""
    columns: dict[str, Annotated[ColumnMap, BeforeValidator(_column)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> TableMap:
        for name in sorted(self._lookups_named() - set(self.lookups)):
            raise ValueError(f"no lookup {name}")
        return self

    def _lookups_named(self) -> set[str]:
        places = [place for column in self.columns.values() for place in column.places]
        places += [place for lookup in self.lookups.values() for place in lookup.match]
        return {place.split(".")[0] for place in places if "." in place}


class Profile(StrictModel):
    """One case system."""

    system: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    also_called: tuple[str, ...] = ()
    status: Status
    source: str
    about: str
    absent: Words = Field(default_factory=dict)
    """Table, or table.column, that the system's extract is known to lack -> why."""
    tables: dict[str, TableMap] = Field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name.casefold() for name in (self.system, *self.also_called))


def profiles(own: str | None = None) -> Mapping[str, Profile]:
    """Profile by system; those in folder `own` go before the packaged ones. Raises FeedError."""
    return dict(sorted({**_in_folder(PACKAGED), **(_in_folder(Path(own)) if own else {})}.items()))


def find_profile(name: str, accepted: Iterable[str] = (), own: str | None = None) -> Profile | None:
    """The profile of a system by any of its names; None when unknown, or none of `accepted`."""
    allowed = {system.casefold() for system in accepted}
    for profile in profiles(own).values():
        if name.strip().casefold() in profile.names:
            return profile if not allowed or profile.names & allowed else None
    return None


def narrowed(contract: Contract, la_code: str, systems: Iterable[str], own: Path) -> Contract:
    """The contract for one council's drops only, out of `systems`, with profiles of folder `own` first.

    A contract of another format is returned as it is.
    """
    if contract.hub.format != "ssd_drop":
        return contract
    folder = str(own) if own.is_dir() else None
    limits = {"la_code": la_code, "systems": tuple(systems), "profiles": folder}
    return contract.model_copy(update={"hub": contract.hub.model_copy(update=limits)})


def check_profiles(place: Path, contracts: Mapping[str, Contract]) -> list[FeedError]:
    """All faults of one profile, or of those of a folder, each with file, line, key and remedy.

    A folder that is not there has none; without a feed of drops nobody reads a profile.
    """
    contract = next((each for each in contracts.values() if each.hub.format == "ssd_drop"), None)
    if contract is None:
        return []
    files = [place] if place.is_file() else sorted(place.glob("*.yaml"))
    systems: set[str] = set()
    return [error for path in files for error in _faults(path, contract, systems)]


def _faults(path: Path, contract: Contract, systems: set[str]) -> Iterator[FeedError]:
    """The faults of one profile; `systems` are those of the files before it, and gains its own."""
    try:
        node, data = read_yaml(path)
        profile = Profile.model_validate(data)
    except FeedError as error:
        yield error
        return
    except ValidationError as error:
        yield from faults_of(path, node, error)
        return
    if profile.system in systems:
        message = f"{profile.system} has another profile in this folder already"
        yield fault_at(path, node, ("system",), message, "keep one of them")
    systems.add(profile.system)
    for loc, message in profile_problems(profile, contract):
        yield fault_at(path, node, loc, message, "name it as the contract does, or take it out")


def profile_problems(profile: Profile, contract: Contract) -> Iterator[tuple[Loc, str]]:
    """Key and words of whatever a profile says that the contract does not have: tables, columns, codes."""
    for name, table_map in profile.tables.items():
        table = contract.by_name.get(name)
        if table is None:
            yield ("tables", name), f"the contract {contract.id} has no table {name}"
            continue
        by_header = {p.header: p for p in table.properties}
        for header, column in table_map.columns.items():
            loc = ("tables", name, "columns", header)
            if header not in by_header:
                yield loc, f"{name} has no column {header}"
            else:
                yield from ((loc, words) for words in _unknown_codes(column, by_header[header]))
    for key in profile.absent:
        name, _, header = key.partition(".")
        table = contract.by_name.get(name)
        if table is None or (header and header not in {p.header for p in table.properties}):
            yield ("absent", key), f"{key} is not of the contract {contract.id}"


def _unknown_codes(column: ColumnMap, prop: Property) -> Iterator[str]:
    """Words that a profile puts into a column and that its codes do not have."""
    if prop.codes is None:
        return
    codes = code_lists()[prop.codes].values if isinstance(prop.codes, str) else prop.codes
    known = {code.casefold() for code in codes}
    said = [*column.values.values(), *([column.fixed] if column.fixed is not None else [])]
    for word in sorted({word for word in said if word.casefold() not in known}):
        yield f"{word} is no code of {prop.name}"


@cache
def _in_folder(folder: Path) -> dict[str, Profile]:
    found = (_read(path) for path in sorted(folder.glob("*.yaml")))
    return {profile.system: profile for profile in found}


def _read(path: Path) -> Profile:
    node, data = read_yaml(path)
    try:
        return Profile.model_validate(data)
    except ValidationError as error:
        raise faults_of(path, node, error)[0] from error
