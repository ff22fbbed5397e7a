"""What is derived from a column's value: columns beside it, and texts whose tokens may leave a partner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


def words_column(column: str, min_letters: int) -> str:
    """Name of the derived column that holds a value's words."""
    return f"{column}__words{min_letters}"


def part_column(column: str, part: str) -> str:
    """Name of the derived column that holds a part of a value."""
    return f"{column}__{part}"


def groups_column(column: str) -> str:
    """Name of the derived column that holds a value's groups of equivalents."""
    return f"{column}__groups"


@dataclass(frozen=True)
class Text:
    """A text made of a column's value, whose token is in a token file as ``name``.

    ``sql`` takes the column and gives a text, or a list of texts with shape ``tokens``. Two records
    agree where the texts are equal, or the lists have one in common; with ``meets_value`` where one's
    text is the other's value. ``purpose`` names the key; "{table}" is the column's equivalents.
    """

    stem: str
    suffix: str
    purpose: str
    sql: Callable[[str], str]
    shape: Literal["token", "tokens"] = "token"
    meets_value: bool = False

    def name(self, column: str) -> str:
        """Column of the token file."""
        return f"{self.stem}_{column}" + (f"__{self.suffix}" if self.suffix else "")


VALUE = Text("value", "", "value", lambda column: column)
GROUPS = Text("groups", "", "groups/{table}", lambda column: f"groups_{column}", "tokens")
