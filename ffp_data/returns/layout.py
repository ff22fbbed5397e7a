"""Record layouts of statutory returns, as data.

A layout is a tree of modules (repeating groups, one table each), groups (wrappers without a row
of their own), value lists (a wrapper around one repeated element, one table each) and items. The
XML writer, the XML reader and the table definitions all walk the same tree, so that a change of
layout is a change of a YAML file. A year is a base file plus its dated differences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import ValidationError

from ffp_data.strict import Strict

ItemType = Literal["text", "code", "date", "boolean", "integer", "upn", "datetime", "year"]


class LayoutError(ValueError):
    """A layout, profile or rule file is not usable; names the file and the place in it."""


class Evidence(Strict):
    """How well an item of an inferred layout is founded, and whether it is written."""

    ref: str
    status: Literal["EVIDENCED_TEHADC", "EVIDENCED_ANALOGUE", "INFERRED", "SPECULATIVE"]
    include: Literal["core", "optional", "off"]
    required: str
    basis: str


class Item(Strict):
    """One element with a value. `number` is the DfE item number (N00001) where there is one."""

    element: str
    column: str
    type: ItemType
    number: str | None = None
    codes: str | None = None
    max_length: int | None = None
    separator: str | None = None  # several values in one column become repeated elements
    evidence: Evidence | None = None
    note: str | None = None

    @property
    def tag(self) -> str:
        return self.element

    @property
    def is_written(self) -> bool:
        return self.evidence is None or self.evidence.include != "off"


class Container(Strict, ABC):
    """An element with elements in it: `nodes` in the order of the layout."""

    @property
    @abstractmethod
    def tag(self) -> str: ...

    @property
    @abstractmethod
    def nodes(self) -> tuple[Item | Values | Group | Module, ...]: ...

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Position of each element that may stand here, by its tag."""
        return {node.tag: position for position, node in enumerate(self.nodes)}

    @cached_property
    def repeating(self) -> frozenset[int]:
        """Positions of the elements that may stand here more than once."""
        return frozenset(p for p, node in enumerate(self.nodes) if self._repeats(node))

    def _repeats(self, node: Item | Values | Group | Module) -> bool:
        return isinstance(node, Module) or (isinstance(node, Item) and node.separator is not None)


class Values(Container):
    """One wrapper element that holds one repeated item; the values have their own table."""

    values: str
    table: str
    item: Item

    @property
    def tag(self) -> str:
        return self.values

    @property
    def nodes(self) -> tuple[Item, ...]:
        return (self.item,)

    def _repeats(self, node: Item | Values | Group | Module) -> bool:
        return True


class Group(Container):
    """A wrapper element without a row of its own."""

    group: str
    contents: tuple[Item | Values, ...]

    @property
    def tag(self) -> str:
        return self.group

    @property
    def nodes(self) -> tuple[Item | Values, ...]:
        return self.contents

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(node for node in self.contents if isinstance(node, Item))


class Module(Container):
    """A repeating element; each occurrence is one row of `table`, identified by `key`.

    One with `include: off` is not part of the layout unless it is switched on by name.
    """

    module: str
    table: str
    key: str | None = None
    include: Literal["on", "off"] = "on"
    contents: tuple[Item | Values | Group | Module, ...]

    @property
    def tag(self) -> str:
        return self.module

    @property
    def nodes(self) -> tuple[Item | Values | Group | Module, ...]:
        return self.contents


Node = Item | Values | Group | Module


class Layout(Strict):
    """One collection in one year. `year` is the school-style label, e.g. '2025-26'.

    `provisional` says why a year's layout is not final; None when it is. `switched_off` names the
    modules that were left out.
    """

    collection: str
    year: str
    status: str
    provisional: str | None = None
    switched_off: tuple[str, ...] = ()
    header: tuple[Group, ...]
    header_table: str
    child: Module
    code_sets: Mapping[str, Mapping[str, str]]

    @property
    def census_year(self) -> int:
        """Calendar year in which the collection year ends: 2026 for '2025-26'."""
        return end_year(self.year)

    @cached_property
    def header_module(self) -> Module:
        """The header as an element of the layout."""
        return Module(module="Header", table=self.header_table, contents=self.header)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """Every table of the return, parents before children."""
        return tuple(_tables_of(self.child, ()))


@dataclass(frozen=True)
class Table:
    """Columns of one table: keys of its ancestors, its own key, then its items."""

    name: str
    parent_keys: tuple[str, ...]
    key: str | None
    items: tuple[Item, ...]

    @property
    def key_columns(self) -> tuple[str, ...]:
        return self.parent_keys if self.key is None else (*self.parent_keys, self.key)

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """(column, SQL type) in order; a key that is itself an item appears once."""
        keys = {name: "VARCHAR" for name in self.key_columns}
        return tuple((keys | {i.column: _sql_type(i) for i in self.items}).items())


def written(layout: Layout) -> Layout:
    """The layout without the items that are switched off."""
    header = tuple(
        _replaced(group, contents=_written_only(group.contents)) for group in layout.header
    )
    child = _replaced(layout.child, contents=_written_only(layout.child.contents))
    return _replaced(layout, header=header, child=child)


def _written_only(contents: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        node
        if isinstance(node, Item | Values)
        else _replaced(node, contents=_written_only(node.contents))
        for node in contents
        if _is_written(node)
    )


_Node = TypeVar("_Node", bound=Strict)


def _replaced(node: _Node, **changes: Any) -> _Node:
    """A copy with other values; `model_copy` would carry over what was cached for the old ones."""
    kept = {name: getattr(node, name) for name in type(node).model_fields}
    return type(node).model_construct(**{**kept, **changes})


def _is_written(node: Item | Values | Group | Module) -> bool:
    if isinstance(node, Values):
        return node.item.is_written
    return node.is_written if isinstance(node, Item) else True


def end_year(year: str) -> int:
    """Return 2026 for '2025-26'; ValueError when the label is not two consecutive years."""
    start, _, end = year.partition("-")
    if not (start.isdigit() and len(start) == 4 and f"{(int(start) + 1) % 100:02}" == end):
        raise ValueError(f"'{year}' is not a collection year; write it like 2025-26")
    return int(start) + 1


def year_label(census_year: int) -> str:
    """Return '2025-26' for 2026."""
    return f"{census_year - 1}-{census_year % 100:02}"


def load_layout(path: Path, switched_on: Collection[str] = ()) -> Layout:
    """Read a layout file over its `base`, with the modules that are on or named in `switched_on`.

    Raises LayoutError with the file and the place, or when a named module is not there.
    """
    try:
        layout = Layout.model_validate(read_with_base(path))
    except ValidationError as error:
        raise LayoutError(f"{path}: {error}") from error
    off = {node.module for node in _modules(layout.child) if node.include == "off"}
    if unknown := sorted(set(switched_on) - off):
        raise LayoutError(
            f"{layout.collection} {layout.year} has no module {', '.join(unknown)} to switch on"
        )
    left_out = sorted(off - set(switched_on))
    return _replaced(layout, child=_without(layout.child, left_out), switched_off=tuple(left_out))


def _modules(module: Module) -> Iterator[Module]:
    for node in module.contents:
        if isinstance(node, Module):
            yield node
            yield from _modules(node)


def _without(module: Module, names: Collection[str]) -> Module:
    kept = (
        _without(node, names) if isinstance(node, Module) else node
        for node in module.contents
        if not (isinstance(node, Module) and node.module in names)
    )
    return _replaced(module, contents=tuple(kept))


def read_with_base(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; merge it over the file named by its `base`, if any.

    Mappings merge key by key, anything else replaces; `add` is a list of {to: name of a module,
    module: {...}}, each put at the end of that module.
    """
    if not path.is_file():
        raise LayoutError(f"{path}: no such file; is the year supported?")
    with path.open(encoding="utf-8") as stream:
        data: dict[str, Any] = yaml.safe_load(stream)
    base, added = data.pop("base", None), data.pop("add", [])
    merged = data if base is None else _merge(read_with_base(path.parent / base), data)
    for addition in added:
        if not _put_in(merged["child"], addition["to"], addition["module"]):
            raise LayoutError(f"{path}: there is no module '{addition['to']}' to add to")
    return merged


def _put_in(module: dict[str, Any], name: str, added: dict[str, Any]) -> bool:
    """Append to the module of that name, at or below `module`; False when there is none."""
    if module.get("module") == name:
        module["contents"] = [*module["contents"], added]
        return True
    return any(_put_in(node, name, added) for node in module["contents"] if "module" in node)


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merge(merged[name], value) if both else value
    return merged


def items_of(contents: tuple[Item | Values | Group | Module, ...]) -> Iterator[Item]:
    """Items whose values are on the row itself, wrappers looked through."""
    for node in contents:
        if isinstance(node, Item):
            yield node
        elif isinstance(node, Group):
            yield from items_of(node.contents)


def _tables_of(module: Module, parents: tuple[str, ...]) -> Iterator[Table]:
    table = Table(module.table, parents, module.key, tuple(items_of(module.contents)))
    yield table
    yield from _nested_tables(module.contents, table.key_columns)


def _nested_tables(
    contents: tuple[Item | Values | Group | Module, ...], keys: tuple[str, ...]
) -> Iterator[Table]:
    for node in contents:
        if isinstance(node, Module):
            yield from _tables_of(node, keys)
        elif isinstance(node, Values):
            yield Table(node.table, keys, None, (node.item,))
        elif isinstance(node, Group):
            yield from _nested_tables(node.contents, keys)


def _sql_type(item: Item) -> str:
    return "DATE" if item.type == "date" else "VARCHAR"
