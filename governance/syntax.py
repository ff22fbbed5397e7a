"""DuckDB's own syntax tree of a SELECT, as plain data to walk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb


def syntax_tree(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """Return the tree of SELECT statements; its ``error`` is true for anything else."""
    row = con.execute("SELECT json_serialize_sql($sql::VARCHAR)", {"sql": sql}).fetchall()[0]
    tree: dict[str, Any] = json.loads(row[0])
    return tree


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a tree, outermost first."""
    if isinstance(tree, dict):
        yield tree
    values = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    for value in values:
        yield from nodes(value)


def quoted(name: str) -> str:
    """Return an SQL identifier that means exactly ``name``."""
    return '"' + name.replace('"', '""') + '"'
