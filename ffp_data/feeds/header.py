"""Finds the columns of a contract in the header of a delivered CSV file.

Order and case do not count, aliases do, and a byte-order mark is ignored. A column that the contract
declares but the header lacks refuses the file where the contract is ours to agree with the sender
(csv); in the case system's drop only required columns do, since systems differ in what they carry.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.errors import FeedError

MOST_COLUMNS = 2_000
_LONGEST_NAME = 60
_MOST_NAMED = 20
_OTHER_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Header:
    """`positions` leads from a header name of the contract to its place (from 0) in the file."""

    width: int
    positions: Mapping[str, int]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]


def read_header(path: Path, encoding: str) -> list[str]:
    """The names on line 1; raises FeedError when that line is no row of names."""
    with path.open(encoding=encoding, newline="") as file:
        line = file.readline(1 << 20)
    try:
        names = next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise _wrong(path, "line 1 is not a row of column names") from error
    if len(names) > MOST_COLUMNS:
        raise FeedError(
            "too_many_columns",
            f"the header has {len(names):,} columns, at most {MOST_COLUMNS:,} are read",
            "send the columns of the contract alone",
            file=path.name,
            line=1,
        )
    return [name.strip().casefold() for name in names]


def match_header(
    path: Path,
    names: list[str],
    contract: Contract,
    table: Table,
    allowed: Collection[str] | None,
    known: Mapping[str, Contract],
) -> Header:
    """Places of the allowed columns; raises FeedError wrong_header or other_feed."""
    wanted = [p for p in table.properties if allowed is None or p.name in allowed]
    positions: dict[str, int] = {}
    for prop in wanted:
        place = _place(path, prop, names)
        if place is not None:
            positions[prop.header] = place
    absent = [p for p in wanted if p.header not in positions]
    if any(p.required for p in absent) or (absent and contract.hub.format == "csv"):
        raise _mismatch(path, names, contract, table, absent, known)
    declared = {name for p in table.properties for name in _names(p)}
    unknown = tuple(name[:_LONGEST_NAME] for name in names if name not in declared)
    more = (f"{len(unknown) - _MOST_NAMED} more",) if len(unknown) > _MOST_NAMED else ()
    absent_names = tuple(p.header for p in absent)
    return Header(len(names), positions, unknown[:_MOST_NAMED] + more, absent_names)


def _names(prop: Property) -> list[str]:
    return [name.casefold() for name in (prop.header, *prop.aliases)]


def _place(path: Path, prop: Property, names: list[str]) -> int | None:
    places = [i for i, name in enumerate(names) if name in _names(prop)]
    if len(places) > 1:
        raise _wrong(
            path, f"column {prop.header} stands in the header {len(places)} times", prop.header
        )
    return places[0] if places else None


def _mismatch(
    path: Path,
    names: list[str],
    contract: Contract,
    table: Table,
    absent: list[Property],
    known: Mapping[str, Contract],
) -> FeedError:
    other = _belongs_to(names, known)
    if other and other != (contract.id, table.name):
        return FeedError(
            "other_feed",
            f"the header is that of {'.'.join(other)}, not of {contract.id}.{table.name}",
            f"deliver the file in the folder and under the name of feed {other[0]}",
            file=path.name,
            line=1,
        )
    if other_mark := next((m for m in _OTHER_MARKS if len(names) == 1 and m in names[0]), None):
        message = f"the columns are parted by {_OTHER_MARKS[other_mark]}, not by commas"
        return FeedError(
            "wrong_header", message, "save the file with commas", file=path.name, line=1
        )
    missing = ", ".join(p.header for p in absent[:5])
    more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
    return _wrong(path, f"the header lacks {missing}{more}", absent[0].header)


def _belongs_to(names: list[str], known: Mapping[str, Contract]) -> tuple[str, str] | None:
    """The table, of any feed, whose required columns are all in the header and that knows most of it."""
    scores = [
        (sum(any(n in names for n in _names(p)) for p in table.properties), contract.id, table.name)
        for contract in known.values()
        for table in contract.tables
        if contract.hub.format != "ndjson"
        and all(any(n in names for n in _names(p)) for p in table.properties if p.required)
    ]
    return max(scores)[1:] if scores else None


def _wrong(path: Path, message: str, column: str | None = None) -> FeedError:
    return FeedError(
        "wrong_header",
        message,
        "send the column names of the contract on line 1, or change the contract with the sender",
        file=path.name,
        line=1,
        column=column,
    )
