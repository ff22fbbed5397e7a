"""The files of a quarter: a workbook, a JSON document and a page. The same quarter gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from ffp_data.quarterly.report import (
    Report,
    figure_in_words,
    in_words,
    of_table,
    parts_in_words,
    rate_in_words,
    told,
)
from governance.files import replacing
from governance.xlsx import Cell, Sheet, write_workbook

RELATIONS = {
    "quarterly.figures": ("item", "part", "figure"),
    "quarterly.rates": ("rate", "numerator", "denominator", "percent"),
    "quarterly.entries": ("item", "answer", "day", "words", "target"),
}
"""What the files tell, by the names under which the agreement gives it."""

TABLES = {1: "Family Help", 2: "Multi-agency child protection", 3: "Family networks"}
_HEADER = (
    "Item", "What it is", "This quarter", "In parts", "Quarter before", "Progress", "Why", "Expected",
    "Read or inferred",
)  # fmt: skip
_WIDTHS = (9, 44, 40, 60, 20, 10, 50, 50, 60)


def write_files(folder: Path, report: Report, authority: str) -> dict[str, int]:
    """Write the three files; rows by relation of the agreement come back."""
    stem = f"ffp-quarterly-{report.quarter.name}"
    document = told(report)
    with replacing(folder / f"{stem}.json") as handle:
        handle.write((json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    with replacing(folder / f"{stem}.html") as handle:
        handle.write(_page(report, authority).encode())
    title = f"Families First Partnership quarterly collection {report.quarter.name}, {authority}"
    write_workbook(folder / f"{stem}.xlsx", list(_sheets(report, authority)), title)
    told_of = (report.figures, report.rates, report.entries)
    return {relation: len(rows) for relation, rows in zip(RELATIONS, told_of, strict=True)}


def _sheets(report: Report, authority: str) -> Iterator[Sheet]:
    yield Sheet(
        "About", ("What", "In words"), list(_about(report, authority)), (28, 110), is_prose=True
    )
    for table, name in TABLES.items():
        yield Sheet(name, _HEADER, list(_rows(report, table)), _WIDTHS, is_prose=True)
    yield Sheet("Parts", ("Item", "Part", "Figure"), list(_parts(report)), (9, 60, 14))
    rows: list[tuple[Cell, ...]] = [
        (
            kpi.id,
            kpi.title,
            rate_in_words(report.rates[kpi.id], kpi.unit),
            kpi.of,
            kpi.benchmark or "no benchmark is set",
        )
        for kpi in report.items.kpis
    ]
    header = ("Figure", "What it is", "This quarter", "Of what", "Benchmark")
    yield Sheet("Beside the items", header, rows, (9, 44, 60, 60, 60), is_prose=True)


def _about(report: Report, authority: str) -> Iterator[tuple[Cell, ...]]:
    yield "Collection", "Families First Partnership quarterly data collection"
    yield "Authority", authority
    yield "Quarter", report.quarter.in_words
    yield "Items", report.items.source
    for note in report.notes:
        yield "Note", note
    yield (
        "What is inferred",
        "wording, codes, definitions and colours are the hub's; each item says what was read",
    )
    yield (
        "Stages",
        "the stage recorded goes first"
        if report.settings.recorded_stage_wins
        else "by the records alone",
    )
    yield (
        "Order of stages",
        ", ".join(each.replace("_", " ") for each in report.settings.precedence),
    )


def _rows(report: Report, table: int) -> Iterator[tuple[Cell, ...]]:
    for item in of_table(report.items, table):
        figure, before, rating = (
            report.figures.get(item.id),
            report.before.get(item.id),
            report.ratings[item.id],
        )
        parts = {**figure.parts, **figure.beside} if figure else {}
        yield (
            item.id, item.title, in_words(report, item), parts_in_words(parts) or "no parts",
            figure_in_words(item, before.value) if before else "typed each quarter", rating.colour, rating.why,
            item.expected, "; ".join((item.known, *item.inferred)),
        )  # fmt: skip


def _parts(report: Report) -> Iterator[tuple[Cell, ...]]:
    for item_id, figure in report.figures.items():
        yield item_id, "all", "none to tell" if figure.value is None else figure.value
        for part, value in figure.parts.items():
            yield item_id, part.replace("_", " "), "none to tell" if value is None else value


def _page(report: Report, authority: str) -> str:
    text = (resources.files(__package__) / "page.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text).render(
        report=report, authority=authority, tables=TABLES, of_table=of_table, in_words=in_words,
        parts_in_words=parts_in_words, figure_in_words=figure_in_words, rate_in_words=rate_in_words,
    )  # fmt: skip
