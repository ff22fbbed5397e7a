"""Names and values written into SQL so that they mean exactly themselves."""

from __future__ import annotations

from pathlib import Path


def identifier(name: str) -> str:
    """A column or table by its name, which may come from the input."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """A text, or a path as text."""
    return "'" + str(text).replace("'", "''") + "'"
