"""Values written into SQL so that they mean exactly themselves; names are `governance.syntax.quoted`'s."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def literal(text: str | Path) -> str:
    """A text, or a path as text."""
    return "'" + str(text).replace("'", "''") + "'"


def literals(values: Iterable[str]) -> str:
    """Texts with commas between them."""
    return ", ".join(map(literal, values))
