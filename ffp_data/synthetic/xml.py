"""XML as the schools' systems write it: an element a line, nothing where there is no value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from ffp_data.synthetic.writing import fit

Tree = Mapping[str, Any]
"""Element name to text, number, date, a tree, or a list of trees for elements that repeat."""


def document(root: str, tree: Tree, encoding: str = "utf-8") -> bytes:
    """Return a file that declares UTF-8, written in `encoding` whatever it declares."""
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(_element(root, tree)) + "\n"
    return fit(text, encoding).encode(encoding, errors="replace")


def _element(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _element(name, item)
    elif isinstance(value, Mapping):
        yield f"<{name}>"
        for child, inner in value.items():
            yield from _element(child, inner)
        yield f"</{name}>"
    elif value not in (None, ""):
        text = value.isoformat() if isinstance(value, date) else escape(str(value))
        yield f"<{name}>{text}</{name}>"
