"""A column's way through the hub as a picture: boxes of tables in layers, and lines from column to column.

What is drawn is what the value is made of, not what filters or joins on the way; staging views, which rename and cast,
are passed over. A table stands one layer right of the
farthest table it reads, so that all lines run from left to right; within a layer tables stand near what reads
them. Positions follow from the graph alone: the same lineage is the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import NamedTuple

from ffp_data.lineage.columns import ColumnLineage
from ffp_data.lineage.values import Source
from governance.readset import ROWS

FEEDS = "feeds"
WIDE, BETWEEN, ROW, TITLE, GAP, HEAD = 162, 36, 16, 22, 10, 30
"""Pixels: a box, the space between layers, a column's line, a box's title, between boxes, the layers' heading."""
_LOWER, _FITS = 150, 1160
"""Pixels: how far a layer may be moved down, and the width that may still be shrunk to a page."""
_LETTERS, STAGING = 23, "staging."
"""Of the longest name that fits into a box."""


class Box(NamedTuple):
    """A table with those of its columns that the value is made of."""

    table: str
    kind: str
    columns: tuple[str, ...]
    x: int
    y: int
    asked: str | None

    @property
    def tall(self) -> int:
        return TITLE + ROW * len(self.columns) + 4

    @property
    def title(self) -> str:
        """The table's name as it fits into the box."""
        return short(self.table if self.kind == FEEDS else self.table.partition(".")[2])

    def middle(self, column: str) -> int:
        """Where the line of a column begins or ends."""
        return self.y + TITLE + ROW * self.columns.index(column) + ROW // 2


class Line(NamedTuple):
    """From the right edge of one column to the left edge of another."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def path(self) -> str:
        half = (self.x1 + self.x2) // 2
        return f"M{self.x1} {self.y1}C{half} {self.y1} {half} {self.y2} {self.x2} {self.y2}"


@dataclass(frozen=True)
class Picture:
    """Everything that is drawn, in pixels. `layers`: x and heading of each."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    layers: tuple[tuple[int, str], ...]
    wide: int
    tall: int

    @property
    def fits(self) -> bool:
        """Whether it can be read when it is shrunk to the width of a page."""
        return self.wide <= _FITS


_Edges = set[tuple[Source, Source]]


def short(name: str) -> str:
    """A name as it fits into a box."""
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"


def way(lineage: ColumnLineage, relation: str, column: str) -> _Edges:
    """Which column is made of which, from the feeds to one column; a feed's table is `feed.table`."""
    edges: _Edges = set()
    waiting, seen = [Source(relation, column)], set()
    while waiting:
        made = waiting.pop()
        if made in seen:
            continue
        seen.add(made)
        for source in _sources(lineage, made):
            edges.add((source, made))
            if not source.relation.startswith(f"{FEEDS}:"):
                waiting.append(source)
    return edges


def _sources(lineage: ColumnLineage, made: Source) -> set[Source]:
    """What a column is made of, with what lies behind a staging view in its place."""
    found = set()
    for source in _below(lineage, made):
        is_staged = source.relation.startswith(STAGING)
        found |= _sources(lineage, source) if is_staged else {source}
    return found


def _below(lineage: ColumnLineage, made: Source) -> Iterable[Source]:
    steps = lineage.graph.steps.get(made.relation)
    if steps is not None:
        return steps[made.column].direct
    return {
        Source(f"{FEEDS}:{each.feed}.{each.table}", "a row" if each.column == ROWS else each.column)
        for each in lineage.filled.of(*made).values
    }


def draw(lineage: ColumnLineage, relation: str, column: str) -> Picture:
    """The picture of one column."""
    edges = way(lineage, relation, column)
    columns: dict[str, set[str]] = {relation: {column}}
    reads: dict[str, set[str]] = {relation: set()}
    for source, made in edges:
        for each in (source, made):
            columns.setdefault(each.relation, set()).add(each.column)
            reads.setdefault(each.relation, set())
        if source.relation != made.relation:
            reads[made.relation].add(source.relation)
    layer_of = _layers(reads)
    boxes = _centred(_placed(layer_of, columns, reads, Source(relation, column)), layer_of)
    lines = sorted(
        Line(boxes[s.relation].x + WIDE, boxes[s.relation].middle(s.column),
             boxes[m.relation].x, boxes[m.relation].middle(m.column))
        for s, m in edges if s.relation != m.relation
    )  # fmt: skip
    found = sorted(boxes.values(), key=lambda box: (box.x, box.y))
    return Picture(
        tuple(found),
        tuple(lines),
        tuple(_headings(found)),
        max(box.x for box in found) + WIDE + 2,
        max(box.y + box.tall for box in found) + 4,
    )


def _layers(reads: Mapping[str, set[str]]) -> dict[str, int]:
    """Feeds stand leftmost; every other table right of all that it reads."""
    known: dict[str, int] = {}

    def of(table: str) -> int:
        if table not in known:
            below = reads[table] - {table}
            least = 0 if table.startswith(f"{FEEDS}:") else 1
            known[table] = max((of(each) + 1 for each in below), default=least)
        return known[table]

    for table in sorted(reads):
        of(table)
    least = min(known.values())
    return {table: layer - least for table, layer in known.items()}


def _centred(boxes: Mapping[str, Box], layer_of: Mapping[str, int]) -> dict[str, Box]:
    """Each layer somewhat lower than the tallest begins, so that a screen shows the whole way."""
    ends = {
        layer: max(box.y + box.tall for table, box in boxes.items() if layer_of[table] == layer)
        for layer in set(layer_of.values())
    }
    lowest = max(ends.values())
    return {
        table: box._replace(y=box.y + min((lowest - ends[layer_of[table]]) // 2, _LOWER))
        for table, box in boxes.items()
    }


def _placed(
    layer_of: Mapping[str, int],
    columns: Mapping[str, set[str]],
    reads: Mapping[str, set[str]],
    asked: Source,
) -> dict[str, Box]:
    """Boxes from the right layer to the left, each as near as may be to the middle of what reads it."""
    boxes: dict[str, Box] = {}
    readers = {t: sorted(m for m, below in reads.items() if t in below) for t in reads}
    for layer in sorted(set(layer_of.values()), reverse=True):
        near = {
            table: mean(boxes[r].y for r in readers[table] if r in boxes) if readers[table] else 0
            for table, own in layer_of.items()
            if own == layer
        }
        y = HEAD
        for table in sorted(near, key=lambda each: (near[each], each)):
            kind, _, name = table.rpartition(":")
            names = tuple(sorted(columns[table]))
            own = asked.column if table == asked.relation else None
            box = Box(
                name, kind or table.partition(".")[0], names, layer * (WIDE + BETWEEN) + 1, y, own
            )
            boxes[table] = box
            y += box.tall + GAP
    return boxes


_HEADINGS = {
    FEEDS: "As agencies send it",
    "raw": "As stored",
    "identity": "As stored",
    "meta": "As stored",
}


def _headings(boxes: Iterable[Box]) -> Iterable[tuple[int, str]]:
    """The heading of each layer: that of its first table."""
    seen: dict[int, str] = {}
    for box in boxes:
        seen.setdefault(box.x, _HEADINGS.get(box.kind, box.kind.replace("_", " ").capitalize()))
    return seen.items()
