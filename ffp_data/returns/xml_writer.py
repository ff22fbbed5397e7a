"""Write a return as XML, streaming, in the order of its layout.

Children are numbered once in a total order; then each batch of children is read table by table
in that order and written at once, so that memory holds one batch and equal tables give equal
bytes. Elements without a value, and groups and modules without an element, are left out.
Booleans are written 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import duckdb
from lxml import etree

from ffp_data.returns.header import Header
from ffp_data.returns.layout import Group, Item, Layout, Module, Table, Values

BATCH = 5_000
_TRUE_FALSE = {"true": "1", "false": "0"}

Key = tuple[str | None, ...]
Row = Mapping[str, object]
Rows = Mapping[str, Mapping[Key, list[Row]]]


class XmlWriteError(ValueError):
    """A value cannot stand in XML; names table, column and key, never the value."""


def write_xml(
    con: duckdb.DuckDBPyConnection, layout: Layout, header: Header, path: Path, schema: str
) -> int:
    """Write the tables of `schema` to `path`; return the number of children written."""
    total = _number_children(con, layout.child, layout.tables[0], schema)
    with etree.xmlfile(str(path), encoding="UTF-8") as xml:
        xml.write_declaration()
        with xml.element("Message"):
            xml.write("\n", _header_element(layout, header), pretty_print=True)
            with xml.element("Children"):
                xml.write("\n")
                for child in _children(con, layout, schema, total):
                    xml.write(child, pretty_print=True)
            xml.write("\n")
    con.execute("DROP TABLE child_position")
    return total


def _number_children(
    con: duckdb.DuckDBPyConnection, child: Module, table: Table, schema: str
) -> int:
    order = ", ".join((*(i.column for i in table.items), *table.key_columns))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE child_position AS SELECT {child.key} AS numbered_key, "
        f"row_number() OVER (ORDER BY {order}) AS position FROM {schema}.{child.table}"
    )
    return _scalar(con, "SELECT count(*) FROM child_position")


def _children(
    con: duckdb.DuckDBPyConnection, layout: Layout, schema: str, total: int
) -> Iterator[etree._Element]:
    for first in range(1, total + 1, BATCH):
        rows = {t.name: _read(con, t, layout, schema, first) for t in layout.tables}
        for row in rows[layout.child.table][()]:
            element = _module_element(layout.child, row, (), rows)
            yield etree.Element(layout.child.module) if element is None else element


def _read(
    con: duckdb.DuckDBPyConnection, table: Table, layout: Layout, schema: str, first: int
) -> dict[Key, list[Row]]:
    """Rows of one batch by the key of their parent, in the order of their values."""
    columns = [name for name, _ in table.columns]
    order = ", ".join((*(i.column for i in table.items), *table.key_columns))
    found = con.execute(
        f"SELECT {', '.join(columns)} FROM {schema}.{table.name} JOIN child_position "
        f"ON {layout.child.key} = numbered_key "
        f"WHERE position BETWEEN ? AND ? ORDER BY position, {order}",
        [first, first + BATCH - 1],
    ).fetchall()
    rows: dict[Key, list[Row]] = {}
    for values in found:
        row = dict(zip(columns, values, strict=True))
        rows.setdefault(_key(row, table.parent_keys), []).append(row)
    return rows


def _header_element(layout: Layout, header: Header) -> etree._Element:
    root = etree.Element("Header")
    values = header.values()
    for group in layout.header:
        parent = etree.SubElement(root, group.group)
        for item in group.items:
            _add_item(parent, item, values, layout.header_table)
    return root


def _module_element(
    module: Module, row: Row, parents: tuple[str, ...], rows: Rows
) -> etree._Element | None:
    element = etree.Element(module.module)
    keys = parents if module.key is None else (*parents, module.key)
    for node in module.contents:
        if isinstance(node, Item):
            _add_item(element, node, row, module.table)
        elif isinstance(node, Module):
            for child_row in rows[node.table].get(_key(row, keys), ()):
                child = _module_element(node, child_row, keys, rows)
                if child is not None:
                    element.append(child)
        else:
            _add_wrapper(element, node, row, keys, rows, module.table)
    return element if len(element) else None


def _add_wrapper(
    parent: etree._Element,
    node: Group | Values,
    row: Row,
    keys: tuple[str, ...],
    rows: Rows,
    table: str,
) -> None:
    wrapper = etree.Element(node.group if isinstance(node, Group) else node.values)
    if isinstance(node, Values):
        for value_row in rows[node.table].get(_key(row, keys), ()):
            _add_item(wrapper, node.item, value_row, node.table)
    else:
        for inner in node.contents:
            if isinstance(inner, Item):
                _add_item(wrapper, inner, row, table)
            else:
                _add_wrapper(wrapper, inner, row, keys, rows, table)
    if len(wrapper):
        parent.append(wrapper)


def _add_item(parent: etree._Element, item: Item, row: Row, table: str) -> None:
    text = xml_text(row[item.column], item)
    try:
        for part in text.split(item.separator) if item.separator else (text,):
            if part:
                etree.SubElement(parent, item.element).text = part
    except ValueError as error:
        key = {k: v for k, v in row.items() if k.endswith("_key")}
        raise XmlWriteError(
            f"{table}.{item.column}, {key}: holds a character that XML does not allow; "
            "correct it in the source system"
        ) from error


def xml_text(value: object, item: Item) -> str:
    """Text of a value as the layout wants it: ISO dates, booleans 0/1, no blanks at the ends."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, date):
        return value.isoformat()
    text = str(value).strip()
    return _TRUE_FALSE.get(text, text) if item.type == "boolean" else text


def _key(row: Row, columns: tuple[str, ...]) -> Key:
    return tuple(None if row[c] is None else str(row[c]) for c in columns)


def _scalar(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = con.execute(sql).fetchone()
    return 0 if row is None else int(row[0])
