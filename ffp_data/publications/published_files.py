"""Published tables as files: CSV for machines, a workbook with notes for people, JSON for the next audit."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from governance.canonical import canonical_bytes
from governance.disclosure_control import Dimension, Frame, Published, Rules, share
from governance.disclosure_control.table import Key
from governance.files import replacing
from governance.xlsx import Cell, Sheet, write_workbook

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Write rows as UTF-8 CSV; text that a spreadsheet would compute begins with an apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([[_safe(each) for each in row] for row in rows])
    with replacing(path) as handle:
        handle.write(text.getvalue().encode("utf-8"))


def _safe(value: Cell) -> Cell:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_book(
    path: Path,
    title: str,
    notes: Sequence[tuple[str, str]],
    tables: Mapping[str, Sequence[Sequence[Cell]]],
) -> None:
    """Write the notes as the first sheet, then one sheet for each table, whose first row is its header."""
    sheets = [Sheet("Notes", ("Subject", "What to know"), notes, widths=(28, 100), is_prose=True)]
    for name, (header, *rows) in tables.items():
        widths = [
            max(len(str(each)) for each in column) + 2 for column in zip(header, *rows, strict=True)
        ]
        sheets.append(Sheet(name[:31], [str(each) for each in header], rows, widths))
    write_workbook(path, sheets, title)


def long_rows(published: Published, rules: Rules) -> list[tuple[Cell, ...]]:
    """One row for each cell: its codes and its count, or the symbol."""
    return [(*key, _shown(count, rules)) for key, count in published.cells.items()]


def crosstab(published: Published, rules: Rules) -> list[list[Cell]]:
    """Header and rows of a table of two dimensions: the first down, the second across."""
    down, across = published.frame.dimensions
    return [
        [down.name, *across.parents],
        *(
            [code, *(_shown(published.cells[code, other], rules) for other in across.parents)]
            for code in down.parents
        ),
    ]


def with_share(published: Published, rules: Rules) -> Iterator[tuple[Cell, ...]]:
    """Rows of a table of outcomes, each with its share of all outcomes."""
    total = published.frame.dimensions[0].total
    for key, count in published.cells.items():
        whole: Key = (total, *key[1:])
        yield (*key, _shown(count, rules), share(published, key, whole, rules))


def _shown(count: int | None, rules: Rules) -> Cell:
    return rules.symbol if count is None else count


def to_json(tables: Sequence[Published]) -> bytes:
    """The published tables as the history of publications keeps them: nothing that is hidden is in it."""
    return canonical_bytes({"format": 1, "tables": [_told(each) for each in tables]}) + b"\n"


def _told(published: Published) -> dict[str, Any]:
    frame = published.frame
    return {
        "name": frame.name,
        "counted": frame.counted,
        "as_at": frame.as_at,
        "since": frame.since,
        "edition": frame.edition,
        "lowest": published.lowest,
        "base": published.base,
        "least": published.least,
        "dimensions": [
            {
                "name": each.name,
                "codes": [[code, parent] for code, parent in each.parents.items()],
                "overlapping": each.overlapping,
                "sensitive": each.sensitive,
            }
            for each in frame.dimensions
        ],
        "cells": [[*key, count] for key, count in published.cells.items()],
    }


def from_json(content: bytes) -> list[Published]:
    """Read back what `to_json` wrote. Raises ValueError for anything else."""
    data = json.loads(content)
    if data.get("format") != 1:
        raise ValueError("not a table that was published by this hub")
    return [_published(each) for each in data["tables"]]


def _published(told: Mapping[str, Any]) -> Published:
    dimensions = tuple(
        Dimension(d["name"], dict(d["codes"]), d["overlapping"], d["sensitive"])
        for d in told["dimensions"]
    )
    frame = Frame(
        told["name"], told["counted"], told["as_at"], dimensions, told["since"], told["edition"]
    )
    cells = {tuple(codes): count for *codes, count in told["cells"]}
    return Published(frame, cells, told["lowest"], told["base"], told.get("least", 1))
