"""Which cell somebody asks about: `date_of_birth`, `involvements.education.contact_name`, `flags.<flag>`.

A bare name is a column of `single_view.children`. Elsewhere the words between the table's name and the column pick
the row: the service, the flag, the window of attendance, day and type of an event, the relationship.
"""

from __future__ import annotations

from dataclasses import dataclass

CHILDREN = "children"

_PICKED_BY: dict[str, tuple[str, ...]] = {
    CHILDREN: (),
    "involvements": ("service",),
    "flags": ("flag",),
    "attendance": ("attendance_window",),
    "chronology": ("event_date", "event_type"),
    "family_members": ("relationship",),
}
_TOLD = {"involvements": "state", "flags": "facts", "chronology": "summary"}
"""The column that is meant where none is named."""

ORDER = {
    "chronology": "summary, source, record_key, line",
    "family_members": "source, related_child_id, related_name, family_key",
    "attendance": "source",
}
"""The order of rows where several are picked."""


class UnknownAttributeError(ValueError):
    """No cell of the single view is called so; the message says how to name one."""


@dataclass(frozen=True)
class Cell:
    """A column of a table of the single view, and the values that pick its row."""

    table: str
    picked: tuple[tuple[str, str], ...]
    column: str

    @property
    def relation(self) -> str:
        """`schema.table`."""
        return f"single_view.{self.table}"

    @property
    def name(self) -> str:
        """The attribute in full."""
        return ".".join([self.table, *(value for _, value in self.picked), self.column])

    @classmethod
    def named(cls, text: str) -> Cell:
        """The cell that an attribute names; raises UnknownAttributeError."""
        first, _, rest = text.partition(".")
        if not rest and first not in _PICKED_BY:
            return cls(CHILDREN, (), first)
        if first not in _PICKED_BY:
            raise UnknownAttributeError(
                f"{first}: no table of the single view; there are {', '.join(_PICKED_BY)}"
            )
        keys, words = _PICKED_BY[first], rest.split(".") if rest else []
        if len(words) == len(keys) and first in _TOLD:
            words.append(_TOLD[first])
        if len(words) != len(keys) + 1:
            wanted = ".".join([first, *(f"<{key}>" for key in keys), "<column>"])
            raise UnknownAttributeError(f"{text}: write it as {wanted}")
        return cls(first, tuple(zip(keys, words, strict=False)), words[-1])

    def query(self) -> tuple[str, list[str]]:
        """The SQL of the cell's rows of one child, and its parameters after the child's identifier."""
        tests = [f"replace({key}::VARCHAR, ' ', '_') = ?" for key, _ in self.picked]
        where = " AND ".join(["child_id = ?", *tests])
        order = f" ORDER BY {ORDER[self.table]}" if self.table in ORDER else ""
        values = [value.replace(" ", "_") for _, value in self.picked]
        return f"SELECT * FROM {self.relation} WHERE {where}{order}", values
