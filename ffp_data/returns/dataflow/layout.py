"""The shape of the payload, as data: a tree of objects, lists and fields over named relations.

The SQL that builds payloads, the checks of what they may hold and the difference of two of them all
walk this one tree, so that a new version of DfE's layout is a change of `layout.yaml` and of the
relations that it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError, model_validator

from ffp_data.returns.layout import LayoutError
from ffp_data.strict import Strict

FOLDER = Path(__file__).parent
RELATIONS = FOLDER / "relations"
SCHEMA = "dataflow"
ID_LENGTH = 36


class Field(Strict):
    """One value. Its column of the relation has the field's name."""

    name: str
    type: Literal["id", "text", "date", "boolean", "integer"]
    required: bool = False
    max_length: int | None = None
    pattern: str | None = None
    codes: tuple[str, ...] = ()
    basis: str | None = None

    @property
    def longest(self) -> int | None:
        """The most characters that the API takes."""
        return self.max_length or (ID_LENGTH if self.type == "id" else None)

    @property
    def form(self) -> str | None:
        """Regular expression of the whole value."""
        return self.pattern or ("[A-Za-z0-9_-]+" if self.type == "id" else None)


class Node(Strict):
    """An object, a list of objects or a list of values; without `relation`, part of its parent's row."""

    name: str
    kind: Literal["object", "list", "values"]
    relation: str | None = None
    parent: str | None = None
    key: str | None = None
    id: str | None = None
    same_by: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    only_with: str | None = None
    purge: bool = False
    fields: tuple[Field, ...] = ()
    contents: tuple[Node, ...] = ()
    value: Field | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Node:
        names = {each.name for each in self.fields}
        lacking = sorted({*([self.id] if self.id else []), *self.same_by, *self.order} - names)
        if lacking:
            raise ValueError(f"{self.name} names {', '.join(lacking)}, which are not its fields")
        if self.kind == "list" and not (self.relation and self.parent and (self.id or self.order)):
            raise ValueError(f"{self.name}: a list needs relation, parent, and id or order")
        if (self.kind == "values") != (self.value is not None):
            raise ValueError(
                f"{self.name}: a list of values needs a value, and nothing else has one"
            )
        return self

    @property
    def all_fields(self) -> tuple[Field, ...]:
        return (*self.fields, *([self.value] if self.value else []))

    def part(self, name: str) -> Node | None:
        """The node of this name directly below."""
        return next((each for each in self.contents if each.name == name), None)


class Setting(Strict):
    """A number of the flow, with how well it is founded."""

    value: float
    status: Literal["evidenced", "inferred"]
    basis: str


class Words(Strict):
    """A list of the flow's, with how well it is founded."""

    value: tuple[str, ...]
    status: Literal["evidenced", "inferred"]
    basis: str


class Window(Strict):
    """How far back the flow looks: some months, then to the first day of a month."""

    months_back: int
    year_begins: int
    status: Literal["evidenced", "inferred"]
    basis: str

    def start(self, as_at: date) -> date:
        """First day of the window on `as_at`."""
        months = as_at.year * 12 + as_at.month - 1 - self.months_back
        year, month = divmod(months, 12)
        return date(year if month + 1 >= self.year_begins else year - 1, self.year_begins, 1)


class NotHeld(Strict):
    """A part of DfE's payload that the hub cannot fill, and why."""

    name: str
    reason: str


class Layout(Strict):
    """The payload of one child, and the numbers of the flow."""

    name: str
    api: str
    status: str
    source: str
    path: str
    batch: Setting
    window: Window
    until_age: Setting
    largest_share_purged: Setting
    case_worker_roles: Words
    unaccompanied_words: Words
    always: tuple[str, ...]
    child: Node
    not_held: tuple[NotHeld, ...] = ()

    def nodes(self) -> Iterator[tuple[Node, str]]:
        """Every node with the relation that its fields are columns of, parents first."""
        yield from _nodes(self.child, "")

    def columns(self) -> list[tuple[str, str]]:
        """(relation, column) of everything that is sent, the relation as agreements name it."""
        return [
            (f"{SCHEMA}.{relation}", field.name)
            for node, relation in self.nodes()
            for field in node.all_fields
        ]


def _nodes(node: Node, relation: str) -> Iterator[tuple[Node, str]]:
    own = node.relation or relation
    yield node, own
    for each in node.contents:
        yield from _nodes(each, own)


@cache
def layout(path: Path = FOLDER / "layout.yaml") -> Layout:
    """The layout; raises LayoutError when the file is none."""
    try:
        return Layout.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise LayoutError(f"{path}: {error}") from error
