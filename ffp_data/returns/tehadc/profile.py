"""The TEHADC profile: one versioned file that decides layout, order, codes, cohort and formats.

DfE's layout is not public, so every item carries how well it is founded and is reported with it.
A new official template is a new profile file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from ffp_data.returns.layout import (
    Group,
    Item,
    Layout,
    LayoutError,
    Module,
    Values,
    read_with_base,
    written,
)
from ffp_data.strict import Strict


class Cohort(Strict):
    """Who belongs in the return, beside having an episode open in the period."""

    requires_plan: bool
    requires_lead_practitioner: bool


class CodeSet(Strict):
    """Codes with their labels, and how well the set is founded."""

    status: str
    basis: str
    codes: Mapping[str, str]


class CsvFile(Strict):
    """One file: a row for each row of `table`; columns are elements of the profile."""

    file: str
    table: str
    columns: tuple[str, ...]


class Repeated(Strict):
    """A module of which the flat file has the first and the latest row."""

    table: str
    columns: tuple[str, ...]


class Flat(Strict):
    """One row for each child and episode."""

    file: str
    columns: tuple[str, ...]
    repeated: tuple[Repeated, ...]


class Formats(Strict):
    """Files besides XML and workbook, and how they are written."""

    csv: tuple[CsvFile, ...]
    flat: Flat
    byte_order_mark: bool
    date_format: str


class Profile(Strict):
    """A profile file. Items with `include: off` have tables' columns but are not written."""

    collection: str
    year: str
    version: str
    status: str
    provisional: str | None = None
    header_table: str
    sources: Mapping[str, str]
    known: tuple[str, ...]
    cohort: Cohort
    parameters: Mapping[str, int]
    header: tuple[Group, ...]
    child: Module
    formats: Formats
    code_sets: Mapping[str, CodeSet]

    @cached_property
    def full_layout(self) -> Layout:
        """Layout with every item, for tables and rules."""
        return Layout(
            collection=self.collection,
            year=self.year,
            status=self.status,
            provisional=self.provisional,
            header=self.header,
            header_table=self.header_table,
            child=self.child,
            code_sets={name: codes.codes for name, codes in self.code_sets.items()},
        )

    @cached_property
    def layout(self) -> Layout:
        """Layout of what is written."""
        return written(self.full_layout)

    @cached_property
    def items(self) -> Mapping[str, tuple[str, Item]]:
        """Element to (table, item) of every item outside the header, switched off ones too."""
        return {item.element: (table, item) for table, item in _items(self.child)}

    def item(self, element: str) -> tuple[str, Item]:
        """Table and item of an element; LayoutError when a format names one that is not there."""
        if element not in self.items:
            raise LayoutError(f"profile {self.year}: no item is called '{element}'")
        return self.items[element]


def load_profile(path: Path) -> Profile:
    """Read a profile file. Raises LayoutError with file and place."""
    try:
        profile = Profile.model_validate(read_with_base(path))
    except ValidationError as error:
        raise LayoutError(f"{path}: {error}") from error
    for columns in _column_lists(profile.formats):
        for element in columns:
            profile.item(element)
    return profile


def _column_lists(formats: Formats) -> Iterator[tuple[str, ...]]:
    yield from (file.columns for file in formats.csv)
    yield formats.flat.columns
    yield from (repeated.columns for repeated in formats.flat.repeated)


def _items(module: Module) -> Iterator[tuple[str, Item]]:
    for node in module.contents:
        if isinstance(node, Module):
            yield from _items(node)
        elif isinstance(node, Values):
            yield node.table, node.item
        elif isinstance(node, Item):
            yield module.table, node
        else:
            yield from _group_items(node, module.table)


def _group_items(group: Group, table: str) -> Iterator[tuple[str, Item]]:
    for node in group.contents:
        if isinstance(node, Values):
            yield node.table, node.item
        else:
            yield table, node
