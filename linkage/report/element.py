"""HTML in small pieces: every text is escaped here, so that no value can become markup.

``Html`` marks text that is already HTML; everything else is escaped when it is put into a piece.
Numbers are written for people: thousands with commas, shares with four places, a true minus sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *content: Any, **attributes: Any) -> Html:
    """An element; ``class_`` and ``aria_label`` stand for class and aria-label; None leaves one out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{given}>{joined(content)}</{name}>")


def joined(content: Iterable[Any]) -> Html:
    """Pieces one after the other; what is not Html is escaped."""
    return Html("".join(c if isinstance(c, Html) else escape(str(c)) for c in content))


def listed(items: Iterable[Any], ordered: bool = False) -> Html:
    """A list."""
    return tag("ol" if ordered else "ul", *(tag("li", item) for item in items))


def table(caption: str, rows: Sequence[Mapping[str, Any]]) -> Html:
    """A table with a caption; the first column heads its row. It scrolls by itself where it is wide."""
    if not rows:
        return tag("p", f"{caption}: none.")
    names = list(rows[0])
    numeric = {n: _numeric([r[n] for r in rows]) for n in names}
    head = (tag("th", spoken(n), scope="col", class_=_side(numeric[n])) for n in names)
    body = (
        tag(
            "tr",
            tag("th", cell(row[names[0]]), scope="row", class_=_side(numeric[names[0]])),
            *(tag("td", cell(row[n]), class_=_side(numeric[n])) for n in names[1:]),
        )
        for row in rows
    )
    inside = tag(
        "table", tag("caption", caption), tag("thead", tag("tr", *head)), tag("tbody", *body)
    )
    return tag("div", inside, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _numeric(values: Sequence[Any]) -> bool:
    numbers = [v for v in values if v is not None]
    return bool(numbers) and all(type(v) in (int, float) for v in numbers)


def _side(numeric: bool) -> str | None:
    return "number" if numeric else None


def spoken(name: str) -> str:
    """A key as words."""
    return name.replace("_", " ")


def cell(value: Any) -> Any:
    """A value for people."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return share(value)
    return f"{value:,}" if isinstance(value, int) else value


def share(value: float) -> str:
    """A share or probability; what is not quite 0 or 1 never looks like it."""
    if 0 < abs(value) < 0.00005:
        return f"{value:.1e}".replace("-", "−")
    if 0.99995 <= value < 1:
        return "over 0.9999"
    return f"{value:,.4f}".replace("-", "−")


def bits(value: float, sign: bool = True) -> str:
    """A weight in bits with one place and its sign."""
    shown = round(value, 1) + 0.0  # no minus before a zero
    return f"{shown:{'+' if sign and shown else ''}.1f}".replace("-", "−")


def interval(value: float, ends: Sequence[float]) -> str:
    """A value with its interval."""
    return f"{share(value)} ({share(ends[0])} to {share(ends[1])})"
