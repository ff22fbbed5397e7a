"""Payloads of all children in one SQL statement, made from the layout.

The relations of the layout are filled in order from staging and intermediate models, each once for
all children. The statement then nests them from the leaves up: every list is aggregated by its
parent's key and ordered by id, and a member that is NULL is left out. Only columns that the
agreement gives are named in it. Equal models give equal payloads, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import duckdb

from ffp_data.returns.dataflow.layout import RELATIONS, SCHEMA, Field, Layout, Node
from ffp_data.returns.layout import LayoutError
from ffp_data.sql_text import literal, literals

PLACE = f"memory.{SCHEMA}"  # relations live in this connection alone


@dataclass(frozen=True)
class Problem:
    """A value that the API would refuse: whose, which field, and the rule; never the value."""

    la_child_id: str
    field: str
    rule: str


def fill_relations(con: duckdb.DuckDBPyConnection, layout: Layout, as_at: date) -> None:
    """Make every relation of the layout as a table of `memory.dataflow`, for the day `as_at`."""
    values = {
        "as_at": as_at,
        "window_start": layout.window.start(as_at),
        "until_age": int(layout.until_age.value),
        "case_worker_roles": list(layout.case_worker_roles.value),
        "unaccompanied_words": list(layout.unaccompanied_words.value),
    }
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {PLACE}")
    for path in sorted(RELATIONS.glob("*.sql")):
        sql = path.read_text("utf-8")
        name = path.stem.partition("_")[2]
        used = {key: value for key, value in values.items() if f"${key}" in sql}
        con.execute(f"CREATE OR REPLACE TABLE {PLACE}.{name} AS {sql}", used)


def build_payloads(
    con: duckdb.DuckDBPyConnection, layout: Layout, agreed: Collection[tuple[str, str]]
) -> None:
    """Make `memory.dataflow.built` of the relations: la_child_id, payload, sha256; one row per child.

    `agreed` holds (relation, column) as the agreement names them; others are not sent. Raises
    LayoutError where it lacks what a payload can't do without, or two children have one number.
    """
    con.execute(f"CREATE OR REPLACE TABLE {PLACE}.built AS {payload_sql(layout, agreed)}")
    counted = con.execute(f"SELECT count(*) - count(DISTINCT la_child_id) FROM {PLACE}.built")
    (twice,) = counted.fetchone() or (0,)
    if twice:
        raise LayoutError(f"{twice} children share their number with another; review them first")


def find_problems(con: duckdb.DuckDBPyConnection, layout: Layout) -> list[Problem]:
    """Every value of the relations that the published contract refuses, in order of the child."""
    checks = " UNION ALL ".join(_checks(layout))
    found = con.execute(
        f"SELECT DISTINCT la_child_id, field, rule FROM ({checks}) "
        f"INNER JOIN {PLACE}.children USING (child_key) ORDER BY ALL"
    )
    return [Problem(*row) for row in found.fetchall()]


# The statement


def payload_sql(layout: Layout, agreed: Collection[tuple[str, str]]) -> str:
    """The SELECT that nests the relations; one common table expression for each of them."""
    _require(layout, agreed)
    root = layout.child
    parts = [
        f"{_alias(path)} AS ({_relation_sql(node, path, agreed)})"
        for node, path in _related(root, root.name)
    ]
    document = _document(root, root.name, str(root.relation), agreed)
    return (
        f"WITH {', '.join(parts)}, documents AS (SELECT r.la_child_id, {document}::VARCHAR AS payload"
        f" FROM {PLACE}.{root.relation} AS r{_joins(root, root.name)})"
        " SELECT la_child_id, payload, sha256(payload) AS sha256 FROM documents"
    )


def _require(layout: Layout, agreed: Collection[tuple[str, str]]) -> None:
    lacking = sorted(
        f"{SCHEMA}.{relation}.{field.name}"
        for node, relation in layout.nodes()
        for field in node.all_fields
        if field.required and (f"{SCHEMA}.{relation}", field.name) not in agreed
    )
    if lacking:
        raise LayoutError(
            f"the agreement does not give {', '.join(lacking)}, without which DfE takes nothing"
        )


def _related(node: Node, path: str) -> Iterator[tuple[Node, str]]:
    """Nodes below that have a relation of their own, the deepest first, each with its path."""
    for each in node.contents:
        below = f"{path}.{each.name}"
        yield from _related(each, below)
        if each.relation:
            yield each, below


def _relation_sql(node: Node, path: str, agreed: Collection[tuple[str, str]]) -> str:
    """One row for each parent: its key, and the list or object that hangs on it."""
    relation = str(node.relation)
    if node.value is not None:
        sent = (f"{SCHEMA}.{relation}", node.value.name) in agreed
        wanted = f"r.{node.value.name} IS NOT NULL" if sent else "false"
        listed = f"list(DISTINCT r.{node.value.name} ORDER BY r.{node.value.name})"
        return (
            f"SELECT r.{node.parent} AS parent_key, to_json({listed}) AS doc"
            f" FROM {PLACE}.{relation} AS r WHERE {wanted} GROUP BY ALL"
        )
    document = _document(node, path, relation, agreed)
    if node.kind == "list":
        order = ", ".join(f"r.{name}" for name in ([node.id] if node.id else node.order))
        document = f"to_json(list({document} ORDER BY {order}))"
    grouped = " GROUP BY ALL" if node.kind == "list" else ""
    return (
        f"SELECT r.{node.parent} AS parent_key, {document} AS doc"
        f" FROM {PLACE}.{relation} AS r{_joins(node, path)}{grouped}"
    )


def _document(node: Node, path: str, relation: str, agreed: Collection[tuple[str, str]]) -> str:
    """The object of one row `r`; merging into an empty object leaves out what is NULL."""
    members = [
        f"{literal(field.name)}, r.{field.name}"
        for field in node.fields
        if (f"{SCHEMA}.{relation}", field.name) in agreed
    ]
    members += ["'purge', false"] if node.purge else []
    for each in node.contents:
        below = f"{path}.{each.name}"
        inner = (
            f"{_alias(below)}.doc" if each.relation else _document(each, below, relation, agreed)
        )
        members.append(f"{literal(each.name)}, {inner}")
    document = f"json_merge_patch('{{}}', json_object({', '.join(members)}))"
    if node.only_with:
        return f"CASE WHEN {_alias(f'{path}.{node.only_with}')}.doc IS NOT NULL THEN {document} END"
    return document


def _joins(node: Node, path: str) -> str:
    return "".join(
        f" LEFT JOIN {_alias(below)} ON {_alias(below)}.parent_key = r.{node.key}"
        for each, below in _beside(node, path)
    )


def _beside(node: Node, path: str) -> Iterator[tuple[Node, str]]:
    """Related nodes that hang on the same row: those below, and those of objects without a relation."""
    for each in node.contents:
        below = f"{path}.{each.name}"
        if each.relation:
            yield each, below
        else:
            yield from _beside(each, below)


def _alias(path: str) -> str:
    return re.sub(r"\W", "__", path)


# What the API takes


def _checks(layout: Layout) -> Iterator[str]:
    for node, relation in layout.nodes():
        for field in node.all_fields:
            for rule, wrong in _rules(field):
                yield (
                    f"SELECT child_key, '{node.name}.{field.name}' AS field, '{rule}' AS rule"
                    f" FROM {PLACE}.{relation} WHERE {wrong}"
                )
        if node.id:
            yield (
                f"SELECT any_value(child_key), '{node.name}.{node.id}', 'twice'"
                f" FROM {PLACE}.{relation} GROUP BY {node.parent}, {node.id} HAVING count(*) > 1"
            )
    yield f"SELECT child_key, field, rule FROM {PLACE}.unreadable"


def _rules(field: Field) -> Iterator[tuple[str, str]]:
    if field.required:
        yield "missing", f"{field.name} IS NULL"
    if field.longest is not None:
        yield "too_long", f"length({field.name}) > {field.longest}"
    if field.form is not None:
        yield "form", f"NOT regexp_full_match({field.name}, {literal(field.form)})"
    if field.codes:
        yield "code", f"{field.name} NOT IN ({literals(field.codes)})"
