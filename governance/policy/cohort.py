"""A cohort's query, read by DuckDB's own parser: one SELECT of the key, over named tables only.

The query runs inside every release of an agreement, so it may not reach a file, a function or a
table without a schema, which DuckDB might take for a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from governance.syntax import nodes, syntax_tree


def wrong_with_members(cohort: Mapping[str, Any]) -> str | None:
    """Return in words what a cohort's query does that it may not; None when it is in order."""
    name = cohort["id"]
    with duckdb.connect(config={"temp_file_encryption": "true"}) as con:
        tree = syntax_tree(con, str(cohort["members"]))
    if tree["error"]:
        return f"{name} is not a SELECT: {tree['error_message']}"
    statements = tree["statements"]
    if len(statements) != 1 or statements[0]["node"]["type"] != "SELECT_NODE":
        return f"{name} is not one SELECT"
    if _selected(statements[0]["node"]) != [cohort["key"]]:
        return f"{name} selects other columns than {cohort['key']}"
    sources = [each for each in nodes(statements) if "type" in each]
    if any(each["type"] == "TABLE_FUNCTION" for each in sources):
        return f"{name} reads a function instead of a table"
    if any(each["type"] == "BASE_TABLE" and not each["schema_name"] for each in sources):
        return f"{name} names a table without its schema"
    return None


def _selected(node: Mapping[str, Any]) -> list[str]:
    """Return the names of the plain columns selected; anything else has a name of its own kind."""
    return [
        each["alias"] or each["column_names"][-1]
        if each["class"] == "COLUMN_REF"
        else each["class"]
        for each in node["select_list"]
    ]
