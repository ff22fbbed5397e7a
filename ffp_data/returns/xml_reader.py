"""Load any return that is an XML file into the tables of its layout.

Codes are kept as they stand in the file, so that the validator sees what was sent. A date that
cannot be read becomes a missing value and a `format` finding with its line; an element that the
layout does not have, or not there, becomes a `schema` finding. Nothing in a readable file stops
the load; a file of another collection or year is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from ffp_data.returns.findings import Finding
from ffp_data.returns.layout import (
    Container,
    Group,
    Item,
    Layout,
    Module,
    Node,
    Values,
    end_year,
    year_label,
)
from ffp_data.returns.tables import create_tables, table_columns
from ffp_data.returns.xml_source import Element, UnreadableReturnError, read_elements

BATCH_ROWS = 100_000
ROOT = "Message"


@dataclass(frozen=True)
class Loaded:
    """What was read: header values, findings of the reader, children and rows by table."""

    header: Mapping[str, str | None]
    findings: tuple[Finding, ...]
    rows: Mapping[str, int]


@dataclass
class _Sink:
    """Rows waiting for their table."""

    con: duckdb.DuckDBPyConnection
    schema: str
    columns: Mapping[str, tuple[tuple[str, str], ...]]
    waiting: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, row: dict[str, object]) -> None:
        rows = self.waiting.setdefault(table, [])
        rows.append(row)
        if len(rows) >= BATCH_ROWS:
            self.flush(table)

    def flush(self, table: str) -> None:
        rows = self.waiting.pop(table, [])
        self.counts[table] = self.counts.get(table, 0) + len(rows)
        if not rows:
            return
        kinds = {"DATE": pa.date32(), "VARCHAR": pa.string()}
        schema = pa.schema([(name, kinds[kind]) for name, kind in self.columns[table]])
        self.con.register("rows_to_load", pa.Table.from_pylist(rows, schema=schema))
        self.con.execute(f"INSERT INTO {self.schema}.{table} BY NAME SELECT * FROM rows_to_load")
        self.con.unregister("rows_to_load")


@dataclass
class _Reader:
    """Walks one Child element after another along the layout."""

    layout: Layout
    sink: _Sink
    findings: list[Finding] = field(default_factory=list)
    child: str | None = None
    module: str = ""

    def read_child(self, element: Element, ordinal: int) -> None:
        self.child = _first_text(element, "LAchildID") or f"#{ordinal}"
        self.module = self.layout.child.module
        self.read_module(self.layout.child, element, {}, str(ordinal))

    def read_stray(self, element: Element, problem: str = "is not part of the layout here") -> None:
        self.child, self.module = None, ""
        self.report("schema", element.tag, None, element, problem)

    def miss(self, tag: str, problem: str) -> None:
        """What the return as a whole must have and has not."""
        self.findings.append(Finding("schema", "error", None, "", (tag,), (None,), problem))

    def read_module(
        self, module: Module, element: Element, keys: dict[str, object], ordinal: str
    ) -> None:
        row: dict[str, object] = dict(keys)
        if module.key:
            row[module.key] = ordinal
        found = self.place(module, element)
        for node, elements in found:
            if isinstance(node, Item | Group):
                self.read_on_row(node, elements, row)
        self.sink.add(module.table, row)
        own_keys = keys | ({module.key: row[module.key]} if module.key else {})
        self.read_nested(found, own_keys)

    def read_on_row(
        self, node: Item | Group, elements: list[Element], row: dict[str, object]
    ) -> None:
        if isinstance(node, Item):
            self.read_item(node, elements, row)
            return
        for element in elements:
            for inner, inner_elements in self.place(node, element):
                if isinstance(inner, Item):
                    self.read_item(inner, inner_elements, row)

    def read_item(self, item: Item, elements: list[Element], row: dict[str, object]) -> None:
        texts = [text for e in elements if (text := e.text.strip())]
        if not texts:
            return
        if item.separator:
            row[item.column] = item.separator.join(texts)
        else:
            row[item.column] = self.value(item, texts[0], elements[0])

    def read_nested(self, found: list[tuple[Node, list[Element]]], keys: dict[str, object]) -> None:
        for node, elements in found:
            if isinstance(node, Module):
                self.read_modules(node, elements, keys)
            elif isinstance(node, Values):
                self.read_values(node, elements, keys)
            elif isinstance(node, Group):
                for element in elements:
                    inner = self.place(node, element, report=False)
                    self.read_nested(inner, keys)

    def read_modules(self, node: Module, elements: list[Element], keys: dict[str, object]) -> None:
        outer, self.module = self.module, node.module
        for ordinal, element in enumerate(elements, 1):
            self.read_module(node, element, keys, str(ordinal))
        self.module = outer

    def read_values(self, node: Values, elements: list[Element], keys: dict[str, object]) -> None:
        for wrapper in elements:
            found = self.place(node, wrapper)
            if not found:
                # A wrapper without values still makes a row: rule 8842Q asks about such groups.
                self.sink.add(node.table, dict(keys))
            for element in found[0][1] if found else ():
                text = element.text.strip()
                value = self.value(node.item, text, element) if text else None
                self.sink.add(node.table, keys | {node.item.column: value})

    def value(self, item: Item, text: str, element: Element) -> object:
        if item.type != "date":
            return text
        parsed = parse_date(text)
        if parsed is None:
            self.report("format", item.element, text, element, "is not a date (YYYY-MM-DD)")
        return parsed

    def place(
        self, node: Container, parent: Element, *, report: bool = True
    ) -> list[tuple[Node, list[Element]]]:
        """Sort the children of `parent` under the nodes of `node`, in layout order."""
        if report and parent.text.strip():
            self.report("schema", parent.tag, None, parent, "has text beside its elements")
        places, repeating = node.places, node.repeating
        found: dict[int, list[Element]] = {}
        latest = 0
        for element in parent:
            position = places.get(element.tag)
            if position is None:
                problem = self.unknown(element.tag)
            elif position in found and position not in repeating:
                problem = "is there more than once"
            else:
                problem = "is out of order" if position < latest else ""
            if problem and report:
                self.report("schema", element.tag, None, element, problem)
            if position is not None:
                found.setdefault(position, []).append(element)
                latest = max(latest, position)
        return [(node.nodes[position], found[position]) for position in sorted(found)]

    def unknown(self, tag: str) -> str:
        if tag in self.layout.switched_off:
            return f"is provisional and switched off; read it with --module {tag}"
        return "is not part of the layout here"

    def report(
        self, rule: str, tag: str, value: str | None, element: Element, problem: str
    ) -> None:
        message = f"Line {element.line}: {tag} {problem}."
        self.findings.append(
            Finding(rule, "error", self.child, self.module, (tag,), (value,), message)
        )


def load_xml(con: duckdb.DuckDBPyConnection, layout: Layout, path: Path, schema: str) -> Loaded:
    """Read `path` into the tables of `schema`, which are created when missing.

    child_key is the ordinal of the Child element; keys of nested modules count within their
    parent. Raises UnreadableReturnError when the file is no return of this collection and year.
    """
    create_tables(con, layout, schema)
    reader = _Reader(layout, _Sink(con, schema, table_columns(layout)))
    header: dict[str, str | None] = {}
    children = 0
    with closing(read_elements(path, ROOT)) as elements:
        for depth, element in elements:
            if depth == 2 and element.tag == "Header" and not header:
                if children:
                    reader.read_stray(element, "is out of order")
                header = _read_header(reader, layout, element)
                _check_header(path, layout, header, element)
            elif depth == 3 and element.tag == layout.child.module:
                children += 1
                reader.read_child(element, children)
            else:
                reader.read_stray(element)
    if not header.get("collection"):
        reader.miss("Collection", f"No header names the collection; taken for {layout.collection}.")
    if not children:
        reader.miss(layout.child.module, f"The return has no {layout.child.module}.")
    _store_header(con, layout, schema, header)
    for table in list(reader.sink.waiting):
        reader.sink.flush(table)
    return Loaded(
        header, tuple(reader.findings), {t.name: 0 for t in layout.tables} | reader.sink.counts
    )


def parse_date(text: str) -> date | None:
    """Return the date of an ISO text of exactly ten characters, None when it is no date."""
    if len(text) != 10 or not text[:4].isdigit():
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _read_header(reader: _Reader, layout: Layout, element: Element) -> dict[str, str | None]:
    reader.child, reader.module = None, "Header"
    row: dict[str, object] = {}
    # Header values stay text: rule 100 is about a reference date that may be no date at all.
    for node, elements in reader.place(layout.header_module, element):
        if isinstance(node, Group):
            for item, found in reader.place(node, elements[0]):
                if isinstance(item, Item):
                    row[item.column] = found[0].text.strip() or None
    return {k: None if v is None else str(v) for k, v in row.items()}


def _check_header(
    path: Path, layout: Layout, header: Mapping[str, str | None], element: Element
) -> None:
    place = f"{path}:{element.line}"
    collection = header.get("collection")
    if collection and collection.upper() != layout.collection:
        raise UnreadableReturnError(
            f"{place}: this is a {collection} return, not {layout.collection}"
        )
    year = _census_year(header)
    if year is not None and year != layout.census_year and not _is_for(header, layout):
        label = year_label(year)
        raise UnreadableReturnError(
            f"{place}: this is a {layout.collection} return for {label}, not {layout.year}; "
            f"validate it with --year {label}, where that year is held"
        )


def _is_for(header: Mapping[str, str | None], layout: Layout) -> bool:
    """A wrong Year beside the right reference date is this year's return with a fault."""
    return header.get("reference_date") == f"{end_year(layout.year)}-03-31"


def _census_year(header: Mapping[str, str | None]) -> int | None:
    for column in ("year", "reference_date"):
        text = (header.get(column) or "")[:4]
        if text.isdigit() and len(text) == 4:
            return int(text)
    return None


def _store_header(
    con: duckdb.DuckDBPyConnection, layout: Layout, schema: str, header: Mapping[str, str | None]
) -> None:
    columns = [item.column for group in layout.header for item in group.items]
    marks = ", ".join("?" for _ in columns)
    con.execute(
        f"INSERT INTO {schema}.{layout.header_table} ({', '.join(columns)}) VALUES ({marks})",
        [header.get(column) for column in columns],
    )


def _first_text(element: Element, tag: str) -> str:
    found = next((e for e in element.descendants() if e.tag == tag), None)
    return "" if found is None else found.text.strip()
