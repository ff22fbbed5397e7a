"""Pictures as inline SVG without script or style of their own: bars, lines, histogram, waterfall.

Every picture is 360 units wide, so that its letters stay readable on a screen of 320 pixels, and has
a title and a description for those who do not see it. Colours come from classes in page.css; where
colour tells classes apart, a legend names them and the table beside the picture has the numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from linkage.report.element import Html, bits, joined, tag

WIDTH = 360
_MARGIN = 8
_ROW = 34
_LETTER = 6.4  # width of a letter of the widest usual font


@dataclass(frozen=True)
class Bar:
    """One horizontal bar from ``start`` to ``end`` with a label above and its value written out."""

    label: str
    start: float
    end: float
    value: str
    kind: str = "plain"  # class in page.css
    heading: str = ""  # a line of its own above the bar


@dataclass(frozen=True)
class Series:
    """A line through points."""

    name: str
    kind: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass
class Picture:
    """Elements of a picture while it is drawn; y grows downwards."""

    title: str
    description: str
    parts: list[Html] = field(default_factory=list)
    height: float = 0.0

    def add(self, name: str, *content: Any, **attributes: Any) -> None:
        """Add one element; numbers are shortened."""
        self.parts.append(tag(name, *content, **{k: _short(v) for k, v in attributes.items()}))

    def text(self, x: float, y: float, content: str, anchor: str = "start", **more: Any) -> None:
        """A line of text."""
        self.add("text", content, x=x, y=y, text_anchor=anchor, **more)

    def svg(self, name: str) -> Html:
        """The finished picture; ``name`` is unique on the page."""
        return tag(
            "svg",
            tag("title", self.title, id=f"{name}-title"),
            tag("desc", self.description, id=f"{name}-desc"),
            joined(self.parts),
            viewBox=f"0 0 {WIDTH} {_short(self.height)}",
            role="img",
            aria_labelledby=f"{name}-title {name}-desc",
            xmlns="http://www.w3.org/2000/svg",
        )


def _short(value: Any) -> Any:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def _scale(low: float, high: float, left: float, right: float) -> Any:
    span = (high - low) or 1.0
    return lambda v: left + (v - low) / span * (right - left)


def bars(title: str, description: str, rows: Sequence[Bar]) -> Picture:
    """Horizontal bars on one scale that contains 0; a waterfall where they start at other values."""
    picture = Picture(title, description)
    ends = [0.0, *(v for r in rows for v in (r.start, r.end))]
    x = _scale(min(ends), max(ends), float(_MARGIN), float(WIDTH - _MARGIN))
    top = 4.0
    for row in rows:
        if row.heading:
            top += 16
            picture.text(_MARGIN + 4, top, row.heading, class_="strong")
            top += 2
        _label(picture, top, row.label, row.value)
        left, right = sorted((x(row.start), x(row.end)))
        if row.start != row.end:
            width = max(right - left, 1.0)
            picture.add("rect", x=left, y=top + 17, width=width, height=11, class_=row.kind)
        top += _ROW
    picture.add("line", x1=x(0.0), x2=x(0.0), y1=4, y2=top, class_="axis")
    picture.height = top + 4
    return picture


def _label(picture: Picture, top: float, label: str, value: str) -> None:
    """A label and its value on one line; a long label is cut in its middle (the table has it whole)."""
    room = int((WIDTH - 2 * _MARGIN) / _LETTER) - len(value) - 3
    if len(label) > room:
        label = f"{label[: room // 2]}…{label[-(room - room // 2 - 1) :]}"
    picture.text(_MARGIN + 4, top + 13, label)
    picture.text(WIDTH - _MARGIN, top + 13, value, "end")


@dataclass(frozen=True)
class Range:
    """An interval of a share with its value, and another share to compare it with."""

    label: str
    low: float
    value: float
    high: float
    text: str
    other: float | None = None


def ranges(
    title: str, description: str, rows: Sequence[Range], legend: Sequence[tuple[str, str]] = ()
) -> Picture:
    """Intervals on a scale that ends at 1 and begins a little below the lowest end."""
    picture = Picture(title, description)
    top = _legend(picture, legend)
    lowest = min(v for r in rows for v in (r.low, r.value, r.other) if v is not None)
    step = next(
        s for s in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if s * 5 >= 1 - lowest
    )
    floor = max(0.0, (lowest // step) * step)
    x = _scale(floor, 1.0, 22.0, WIDTH - 22.0)
    first = top
    for row in rows:
        _label(picture, top, row.label, row.text)
        middle = top + 23
        picture.add("line", x1=x(row.low), x2=x(row.high), y1=middle, y2=middle, class_="line for")
        picture.add("circle", cx=x(row.value), cy=middle, r=4, class_="for")
        if row.other is not None:
            place = x(row.other)
            picture.add("rect", x=place - 1.5, y=middle - 7, width=3, height=14, class_="against")
        top += _ROW
    for tick in range(round((1 - floor) / step) + 1):
        place = x(1 - tick * step)
        picture.add("line", x1=place, x2=place, y1=first, y2=top, class_="grid")
        picture.text(place, top + 14, f"{1 - tick * step:.3f}".rstrip("0").rstrip("."), "middle")
    picture.height = top + 20
    return picture


def stacked(
    title: str,
    description: str,
    rows: Sequence[dict[str, Any]],
    classes: Sequence[tuple[str, str]],
    marks: Iterable[tuple[float, str]] = (),
) -> Picture:
    """A histogram: ``rows`` have weight, bits and a count for each of ``classes`` (name, kind).

    The height is the square root of the count, so that the few doubtful pairs are seen beside many
    sure ones; the axis says so. ``marks`` are labelled vertical lines at weights.
    """
    picture = Picture(title, description)
    top = _legend(picture, classes) + 14
    base, left, right = top + 150, float(_MARGIN), float(WIDTH - _MARGIN)
    low, high = float(rows[0]["weight"]), float(rows[-1]["weight"] + rows[-1]["bits"])
    x = _scale(low, high, left, right)
    tallest = max(sum(r[n] for n, _ in classes) for r in rows) or 1
    for row in rows:
        y, total = base, sum(row[n] for n, _ in classes)
        full = 150 * (total / tallest) ** 0.5
        for name, kind in classes:
            if row[name]:
                part = max(full * row[name] / total, 1.0)
                start = x(row["weight"])
                width = max(x(row["weight"] + row["bits"]) - start - 0.5, 0.5)
                picture.add("rect", x=start, y=y - part, width=width, height=part, class_=kind)
                y -= part
    for place, label in marks:
        if low <= place <= high:
            picture.add("line", x1=x(place), x2=x(place), y1=top - 8, y2=base, class_="mark")
            end = x(place) > WIDTH / 2
            picture.text(
                x(place) + (-3 if end else 3), top, label, "end" if end else "start", class_="small"
            )
    _axis(picture, base, low, high, x, "weight in bits; heights as square roots of counts")
    return picture


def _legend(picture: Picture, classes: Iterable[tuple[str, str]]) -> float:
    top = 4.0
    for name, kind in classes:
        picture.add("rect", x=_MARGIN, y=top + 1, width=11, height=11, class_=kind)
        picture.text(_MARGIN + 17, top + 11, name)
        top += 17
    return top


def _axis(picture: Picture, base: float, low: float, high: float, x: Any, name: str) -> None:
    picture.add("line", x1=x(low), x2=WIDTH - _MARGIN, y1=base, y2=base, class_="axis")
    step = next(
        s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if (high - low) / s <= 7
    )
    for tick in range(int(-(-low // step)) * step, int(high) + 1, step):
        picture.add("line", x1=x(tick), x2=x(tick), y1=base, y2=base + 4, class_="axis")
        picture.text(x(tick), base + 17, bits(tick, sign=False).removesuffix(".0"), "middle")
    picture.text(WIDTH / 2, base + 34, name, "middle")
    picture.height = base + 42


def lines(
    title: str,
    description: str,
    series: Sequence[Series],
    x_name: str,
    marks: Iterable[tuple[float, str]] = (),
) -> Picture:
    """Lines of shares over a weight; the vertical axis ends at 1 and begins where the lines do."""
    picture = Picture(title, description)
    top = _legend(picture, [(s.name, s.kind) for s in series]) + 14
    base = top + 160
    xs = [p[0] for s in series for p in s.points]
    ys = [p[1] for s in series for p in s.points]
    low, high = min(xs), max(xs)
    floor = max(0.0, int(min(ys) * 10) / 10)
    x = _scale(low, high, 44.0, float(WIDTH - _MARGIN))
    y = _scale(floor, 1.0, base, top)
    for tick in range(5):
        value = floor + (1 - floor) * tick / 4
        picture.add("line", x1=44, x2=WIDTH - _MARGIN, y1=y(value), y2=y(value), class_="grid")
        picture.text(40, y(value) + 4, f"{value:.2f}", "end")
    for place, label in marks:
        if low <= place <= high:
            picture.add("line", x1=x(place), x2=x(place), y1=top, y2=base, class_="mark")
            end = x(place) > WIDTH / 2
            picture.text(
                x(place) + (-3 if end else 3),
                top - 4,
                label,
                "end" if end else "start",
                class_="small",
            )
    for one in series:
        path = " ".join(f"{_short(float(x(a)))},{_short(float(y(b)))}" for a, b in one.points)
        picture.add(
            "polyline",
            points=path,
            class_=f"line {one.kind}",
            stroke_dasharray="6 4" if one.dashed else None,
        )
    _axis(picture, base, low, high, x, x_name)
    return picture
