"""The records around a doubtful pair as a picture: a circle of records, A's to the left and B's to the right.

Positions follow from the number of records alone. Lines say how strongly the model speaks for or against one person,
by width, colour and dashes together, and a table beside the picture says it in words. It is drawn after the
first verdict only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, pi, sin
from typing import Any, NamedTuple

_LEAST, _EACH, _SIDE, _TOP = 100, 15, 190, 44
"""Pixels: the least radius, what each record adds to it, the space for words on either side, and above."""
_WIDTHS = (1.0, 2.0, 3.5, 5.0)
_FOR, _AGAINST, _NEITHER = "#00703c", "#d4351c", "#505a5f"


class Dot(NamedTuple):
    """A record: its name, where it stands, and where its words stand."""

    name: str
    words: str
    x: int
    y: int
    is_left: bool
    is_asked: bool


class Stroke(NamedTuple):
    """A compared pair: a line between two dots."""

    x1: int
    y1: int
    x2: int
    y2: int
    colour: str
    width: float
    dashes: str
    is_asked: bool


class Graph(NamedTuple):
    """All that is drawn, and its size."""

    dots: tuple[Dot, ...]
    strokes: tuple[Stroke, ...]
    wide: int
    tall: int


def draw(nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> Graph:
    """The picture of nodes (name, feed) and edges (left, right, strength, is_for)."""
    radius = max(_LEAST, _EACH * len(nodes))
    dots = {
        dot.name: dot
        for letter in "AB"
        for dot in _half([each for each in nodes if each["name"][0] == letter], radius, letter)
    }
    strokes = sorted(
        (_stroke(dots[each["left"]], dots[each["right"]], each) for each in edges),
        key=lambda stroke: (stroke.is_asked, stroke.width),
    )  # the pair that is asked about is drawn last, above the others
    return Graph(tuple(dots.values()), tuple(strokes), 2 * (radius + _SIDE), 2 * (radius + _TOP))


def _half(nodes: Sequence[Mapping[str, Any]], radius: int, letter: str) -> list[Dot]:
    """One side's records on their half of the circle, from above to below, the pair's own in the middle."""
    own, others = nodes[:1], list(nodes[1:])
    middle = len(others) // 2
    placed = [*others[:middle], *own, *others[middle:]]
    found = []
    for at, each in enumerate(placed):
        angle = pi * (at + 0.5) / len(placed) - pi / 2
        away = cos(angle) * radius
        found.append(
            Dot(
                each["name"], each["feed"],
                round(_SIDE + radius + (away if letter == "B" else -away)),
                round(_TOP + radius + sin(angle) * radius),
                letter == "A", each["name"] == letter,
            )
        )  # fmt: skip
    return found


def _stroke(left: Dot, right: Dot, edge: Mapping[str, Any]) -> Stroke:
    strength = edge["strength"]
    is_weak = not strength
    colour = _NEITHER if is_weak else _FOR if edge["is_for"] else _AGAINST
    dashes = "7 5" if not is_weak and not edge["is_for"] else "2 4" if is_weak else "none"
    width = _WIDTHS[min(strength or 0, len(_WIDTHS) - 1)]
    is_asked = left.is_asked and right.is_asked
    return Stroke(left.x, left.y, right.x, right.y, colour, width, dashes, is_asked)
