"""The reconciliation as a workbook: what it comes to, what somebody should look at, year on year."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple
from pathlib import Path

from ffp_data.returns.reconcile.differences import Reconciliation, categories
from ffp_data.returns.reconcile.figures import Change
from governance.xlsx import Cell, Sheet, write_workbook

NAME = "reconciliation"


def write_reconciliation(
    found: Reconciliation, compared: Sequence[Change], folder: Path, title: str
) -> None:
    """Write reconciliation.json (counts) and reconciliation.xlsx into `folder`."""
    counts = {
        **found.as_dict(),
        "year_on_year": [asdict(c) | {"percent": c.percent} for c in compared],
    }
    text = json.dumps(counts, ensure_ascii=False, indent=1) + "\n"
    (folder / f"{NAME}.json").write_text(text, encoding="utf-8")
    write_workbook(folder / f"{NAME}.xlsx", list(_sheets(found, compared)), title)


def _sheets(found: Reconciliation, compared: Sequence[Change]) -> Iterator[Sheet]:
    yield Sheet(
        "Totals",
        ("Against", "Module", "There", "In the return", "In both"),
        (astuple(each) for each in found.totals),
        (14, 26, 12, 14, 12),
    )
    yield Sheet(
        "Differences",
        ("Against", "Module", "Only in", "Category", "Number", "To look at", "What it means"),
        _counts(found),
        (14, 26, 14, 26, 10, 12, 90),
    )
    yield Sheet(
        "To look at",
        (
            "Against",
            "Module",
            "Only in",
            "Category",
            "Child",
            "Record",
            "Table",
            "File",
            "Line",
            "Detail",
        ),
        (astuple(each) for each in found.to_look_at),
        (14, 26, 14, 24, 16, 36, 26, 44, 8, 40),
    )
    yield Sheet(
        "Year on year",
        ("Before in", "Figure", "Before", "Now", "Change in percent", "Outside tolerance"),
        _changes(compared),
        (32, 40, 10, 10, 18, 18),
    )


def _counts(found: Reconciliation) -> Iterator[tuple[Cell, ...]]:
    for each in found.counts:
        reason = categories()[each.category]
        look = "yes" if reason.mend else "no"
        yield each.against, each.module, each.side, each.category, each.number, look, reason.says


def _changes(compared: Sequence[Change]) -> Iterator[tuple[Cell, ...]]:
    for each in compared:
        outside = "yes" if each.is_outside else "no"
        yield each.before_in, each.figure, each.before, each.now, each.percent, outside
