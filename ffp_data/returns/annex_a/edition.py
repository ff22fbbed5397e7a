"""Editions of Annex A as data: headers, order, labels, windows, and what in them is inferred.

An edition is a YAML file, if need be over a base; a header that Ofsted renames or a label it adds is
a change there and nowhere else. Each list names the query that fills it; a column without a source
says why, and stands in the workbook with its header all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import ValidationError, model_validator

from ffp_data.returns.layout import LayoutError, read_with_base
from ffp_data.strict import Strict

FOLDER = Path(__file__).parent
Value = int | str | tuple[str, ...]


class Parameter(Strict):
    """A number or list of codes that queries read as `$name`, and on what it rests."""

    value: Value
    status: Literal["evidenced", "inferred"]
    basis: str


class CodeSet(Strict):
    """Label of each code of the hub; `when_empty` is the label where nothing is recorded."""

    status: Literal["evidenced", "unverified"]
    labels: Mapping[str, str]
    when_empty: str | None = None


class ListColumn(Strict):
    """One column: its header, and either the column of the query that fills it or why none does."""

    header: str
    column: str
    type: Literal["text", "code", "date", "integer"]
    required: bool = False
    codes: str | None = None
    basis: str | None = None
    no_source: str | None = None


class AnnexList(Strict):
    """One list. `months` is the length of its window, which ends on the inspection date."""

    title: str
    months: int
    scope: str
    scope_basis: str | None = None
    relation: str | None = None
    sql: str | None = None
    columns: tuple[ListColumn, ...]

    @property
    def filled(self) -> tuple[ListColumn, ...]:
        """The columns that have a source."""
        return tuple(each for each in self.columns if each.no_source is None)

    def query(self) -> str:
        """The text of the query of a list that has one."""
        return (FOLDER / "lists" / str(self.sql)).read_text("utf-8")


class Edition(Strict):
    """Lists 1 to 11 as one edition of Annex A has them."""

    edition: str
    title: str
    status: str
    source: str
    applies_from: date
    parameters: Mapping[str, Parameter]
    code_sets: Mapping[str, CodeSet]
    shared_columns: tuple[ListColumn, ...]  # anchors of the file; the lists carry them themselves
    renamed_headers: Mapping[str, str] = {}
    lists: Mapping[int, AnnexList]

    @model_validator(mode="after")
    def _hold_together(self) -> Edition:
        for number, each in self.lists.items():
            if (each.sql is None) != (not each.filled) or (each.sql is None) != (
                each.relation is None
            ):
                raise ValueError(
                    f"list {number}: a list has columns with a source, sql and relation, or none"
                )
            for column in each.filled:
                if (column.type == "code") != (column.codes in self.code_sets):
                    raise ValueError(f"list {number}: {column.header}: a code names its code set")
        return self

    def header(self, column: ListColumn) -> str:
        """The header as this edition writes it."""
        return self.renamed_headers.get(column.header, column.header)

    def values(self) -> dict[str, Value]:
        """The parameters' values by name."""
        return {name: each.value for name, each in self.parameters.items()}


def load_edition(path: Path) -> Edition:
    """Read one edition file; raises LayoutError with the file and the place."""
    try:
        return Edition.model_validate(read_with_base(path))
    except ValidationError as error:
        raise LayoutError(f"{path}: {error}") from error


@cache
def editions() -> tuple[Edition, ...]:
    """The editions that come with the product, oldest first."""
    found = (load_edition(path) for path in (FOLDER / "editions").glob("*.yaml"))
    return tuple(sorted(found, key=lambda each: each.applies_from))


def edition_on(day: date) -> Edition:
    """The edition in use on an inspection date; raises LayoutError when that is before the first."""
    known = [each for each in editions() if each.applies_from <= day]
    if not known:
        raise LayoutError(
            f"Annex A of {day}: the first edition held is of {editions()[0].applies_from}"
        )
    return known[-1]


def shared_queries() -> dict[str, str]:
    """Query of each table that the lists share, by the table's name, in the order to run them."""
    paths = sorted((FOLDER / "shared").glob("*.sql"))
    return {f"inspected_{path.stem.partition('_')[2]}": path.read_text("utf-8") for path in paths}


def rules_version(edition: Edition) -> str:
    """SHA-256 over edition and queries: changes whenever a row of a list could."""
    queries = [
        *shared_queries().values(),
        *(each.query() for each in edition.lists.values() if each.sql),
    ]
    parts = [edition.model_dump_json(), *queries]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
