"""A document as plain data, and its three forms: a page to read or print, JSON, a CSV of each table.

The page is one file without script or anything fetched; every text is escaped. Each table has a
caption and heads of columns and rows, so that it can be read aloud. CSV opens in a spreadsheet, so
a value that would begin a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

MOST_COLUMNS = 8
"""A table with more heads than this is shown row by row on the page."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Table:
    """Rows under heads; the first cell of a row names it. A cell with several lines is a list of texts."""

    name: str
    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str | tuple[str, ...], ...], ...]
    is_linked: bool = False
    """The first cell of each row is the name of a page beside this one."""


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs and at most one table; ``warning`` stands out."""

    title: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None
    warning: str | None = None


@dataclass(frozen=True)
class Document:
    """One document: its name as a file, its title, what it is, its sections."""

    name: str
    title: str
    about: str
    sections: tuple[Section, ...]
    footer: str
    has_csv: bool = True

    def write(self, folder: Path) -> None:
        """Write page, JSON and (with ``has_csv``) the CSV of each table into ``folder``."""
        (folder / self.name).parent.mkdir(mode=0o700, exist_ok=True)
        (folder / f"{self.name}.html").write_text(self.html(), "utf-8")
        text = json.dumps(self.as_dict(), ensure_ascii=False, indent=1)
        (folder / f"{self.name}.json").write_text(text + "\n", "utf-8")
        for section in self.sections:
            if section.table and self.has_csv:
                name = f"{self.name}-{section.table.name}.csv"
                (folder / name).write_text(as_csv(section.table), "utf-8-sig")

    def as_dict(self) -> dict[str, Any]:
        """The document for machines: its tables as lists of rows by head."""
        return {
            "title": self.title,
            "about": self.about,
            "sections": [
                {
                    "title": each.title,
                    "warning": each.warning,
                    "paragraphs": list(each.paragraphs),
                    "rows": _rows(each.table),
                }
                for each in self.sections
            ],
            "footer": self.footer,
        }

    def html(self) -> str:
        """The page."""
        numbered = list(enumerate(self.sections, start=1))
        return _template().substitute(
            title=escape(self.title),
            about=escape(self.about),
            contents="\n".join(
                f'<li><a href="#s{number}">{escape(each.title)}</a></li>'
                for number, each in numbered
            ),
            sections="\n".join(_section(number, each) for number, each in numbered),
            footer=escape(self.footer),
        )


def as_csv(table: Table) -> str:
    """The table as CSV; a cell of several texts has them on lines of their own."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(table.heads)
    writer.writerows([_safe("\n".join(_texts(cell))) for cell in row] for row in table.rows)
    return out.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _rows(table: Table | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    return [
        {
            head: list(cell) if isinstance(cell, tuple) else cell
            for head, cell in zip(table.heads, row, strict=True)
        }
        for row in table.rows
    ]


@cache
def _template() -> Template:
    return Template(Path(__file__).with_name("page.html").read_text("utf-8"))


def _section(number: int, section: Section) -> str:
    parts = [
        f'<section aria-labelledby="s{number}">',
        f'<h2 id="s{number}">{escape(section.title)}</h2>',
    ]
    if section.warning:
        parts.append(f'<p class="stands-out">{escape(section.warning)}</p>')
    parts += [f"<p>{escape(each)}</p>" for each in section.paragraphs]
    if section.table:
        wide = len(section.table.heads) > MOST_COLUMNS
        parts += _cards(section.table) if wide else _table(section.table)
    return "\n".join([*parts, "</section>"])


def _cards(table: Table) -> Iterator[str]:
    """A table too wide to read: one small table for each row, its heads down the side."""
    yield f"<p>{escape(table.caption)}</p>"
    for row in table.rows:
        first, *others = row
        name = " ".join(_texts(first))
        yield f"<h3>{escape(name)}</h3>\n<table>\n<caption>{escape(table.heads[0])}: {escape(name)}</caption>"
        heads = "".join(f'<th scope="col">{each}</th>' for each in ("What", "How"))
        yield f"<thead><tr>{heads}</tr></thead>\n<tbody>"
        for head, cell in zip(table.heads[1:], others, strict=True):
            yield f'<tr><th scope="row">{escape(head)}</th><td>{_lines(cell)}</td></tr>'
        yield "</tbody>\n</table>"


def _table(table: Table) -> Iterator[str]:
    yield f"<table>\n<caption>{escape(table.caption)}</caption>"
    heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in table.heads)
    yield f"<thead><tr>{heads}</tr></thead>\n<tbody>"
    for row in table.rows:
        first, *others = row
        cells = "".join(f"<td>{_lines(each)}</td>" for each in others)
        named = _link(first) if table.is_linked else _lines(first)
        yield f'<tr><th scope="row">{named}</th>{cells}</tr>'
    yield "</tbody>\n</table>"


def _link(cell: str | Sequence[str]) -> str:
    page = escape("".join(_texts(cell)))
    return f'<a href="{page}">{page}</a>'


def _lines(cell: str | Sequence[str]) -> str:
    texts = [escape(each) for each in _texts(cell)]
    return (
        texts[0] if len(texts) == 1 else f"<ul>{''.join(f'<li>{each}</li>' for each in texts)}</ul>"
    )


def _texts(cell: str | Sequence[str]) -> Sequence[str]:
    return (cell,) if isinstance(cell, str) else cell
