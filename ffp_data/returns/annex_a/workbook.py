"""The workbook that inspectors get: one tab a list in Ofsted's order, and a cover at the end.

The cover stands last because the tools that read an Annex A take its tabs by their place. It says
which columns are empty for want of a source, and what in the others is our reading. Nothing in the
file comes from the clock, and its writer lets no text become a formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ffp_data.returns.annex_a.edition import AnnexList, Edition
from ffp_data.returns.annex_a.lists import Filled
from governance.xlsx import Sheet, write_workbook

_WIDEST = 30


@dataclass(frozen=True)
class Particulars:
    """What the cover says of the whole: whose lists, for which day, under what, from which deliveries."""

    authority: str
    on: date
    agreement: str
    inputs_sha256: str
    shared: str = "not shared"


def write_annex_a(
    path: Path, edition: Edition, lists: Mapping[int, Filled], about: Particulars
) -> Path:
    """Write the lists of one inspection date; equal input gives equal bytes."""
    sheets = [
        _list_sheet(edition, edition.lists[number], filled) for number, filled in lists.items()
    ]
    cover = Sheet(
        "Cover",
        ("Subject", "What applies"),
        list(_cover(edition, lists, about)),
        (44, 110),
        is_prose=True,
    )
    write_workbook(path, [*sheets, cover], f"Annex A {about.on.isoformat()}")
    return path


def _list_sheet(edition: Edition, annex_list: AnnexList, filled: Filled) -> Sheet:
    header = [edition.header(each) for each in annex_list.columns]
    widths = [min(_WIDEST, len(each) + 2) for each in header]
    return Sheet(f"List {filled.number}", header, filled.rows, widths, is_day_first=True)


def _cover(
    edition: Edition, lists: Mapping[int, Filled], about: Particulars
) -> Iterator[tuple[str, str]]:
    yield "Annex A of", about.authority
    yield "Inspection date", about.on.isoformat()
    yield "Edition", f"{edition.title}: {edition.status}"
    yield "Source of headers and labels", edition.source
    yield "Agreement", about.agreement
    yield "Deliveries, SHA-256 of their list", about.inputs_sha256
    yield "Targeted early help data collection", about.shared
    for number, filled in lists.items():
        yield from _about_list(edition.lists[number], filled, about.on)
    for number, filled in lists.items():
        yield from _empty_columns(edition, edition.lists[number], filled)
    for each in edition.lists.items():
        yield from _readings(edition, *each)
    for name, parameter in edition.parameters.items():
        if parameter.status == "inferred":
            yield f"Inferred: {name} {parameter.value}", parameter.basis


def _about_list(annex_list: AnnexList, filled: Filled, on: date) -> Iterator[tuple[str, str]]:
    window = f"{filled.first_day.isoformat()} to {on.isoformat()}, both included"
    days = f"Window: {window}. " if annex_list.months else ""
    yield (
        f"List {filled.number}: {annex_list.title}",
        f"{len(filled.rows):,} rows. {days}{annex_list.scope}",
    )


def _empty_columns(
    edition: Edition, annex_list: AnnexList, filled: Filled
) -> Iterator[tuple[str, str]]:
    for column in annex_list.columns:
        if column.no_source:
            yield f"Empty: list {filled.number}, {edition.header(column)}", column.no_source
        elif column in filled.not_agreed:
            yield (
                f"Empty: list {filled.number}, {edition.header(column)}",
                "the agreement does not give it",
            )


def _readings(edition: Edition, number: int, annex_list: AnnexList) -> Iterator[tuple[str, str]]:
    if annex_list.scope_basis:
        yield f"Our reading: list {number}", annex_list.scope_basis
    for column in annex_list.filled:
        if column.basis:
            yield f"Our reading: list {number}, {edition.header(column)}", column.basis
