"""Which stored columns each column of a model comes from, and how much the warehouse holds of what.

Lineage is read off the model's compiled SQL: it is qualified once against the columns that the
warehouse really has, and all columns of the model are then followed together. It tells where values
come from, not which columns choose the rows. A column that no stored column feeds, such as a
constant, comes from nothing: an empty set, not a missing key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import duckdb
from sqlglot import MappingSchema, exp, parse_one
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

from governance.syntax import quoted

DIALECT = "duckdb"


class Source(NamedTuple):
    """A stored column: its relation as `schema.table`, and its name."""

    relation: str
    column: str


def stored_columns(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Column -> DuckDB type of each table and view of the current catalog, by `schema.table`."""
    found: dict[str, dict[str, str]] = {}
    for relation, column, kind in con.execute(_COLUMNS).fetchall():
        found.setdefault(relation, {})[column] = kind
    return found


_COLUMNS = """
SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns()
WHERE database_name = current_database() AND NOT internal
ORDER BY schema_name, table_name, column_index
"""


def row_counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of each table of the current catalog by `schema.table`, in one query; views are left out."""
    tables = con.execute(_TABLES).fetchall()
    counted = " UNION ALL ".join(
        f"SELECT '{schema}.{table}', count(*) FROM {quoted(schema)}.{quoted(table)}"
        for schema, table in tables
    )
    return dict(con.execute(counted).fetchall()) if tables else {}


_TABLES = """
SELECT schema_name, table_name FROM duckdb_tables()
WHERE database_name = current_database() AND NOT internal
"""


def sql_schema(catalog: str, stored: Mapping[str, Mapping[str, str]]) -> MappingSchema:
    """What `column_sources` must know of the warehouse, made once for all its models."""
    schema = MappingSchema(dialect=DIALECT)
    for relation, columns in stored.items():
        folder, _, table = relation.partition(".")
        named = exp.table_(table, db=folder, catalog=catalog, quoted=True)
        schema.add_table(named, dict(columns), dialect=DIALECT)
    return schema


def column_sources(
    sql: str, schema: MappingSchema, *, chosen_by: bool = True
) -> dict[str, frozenset[Source]]:
    """Sources of each output column of one SELECT, by the column's name in lower case.

    With ``chosen_by`` what only chooses between values counts too: conditions of CASE and FILTER, what a
    window or an aggregate is ordered by. Raises sqlglot.errors.SqlglotError or ValueError when the text
    is not such a query.
    """
    query = parse_one(sql, dialect=DIALECT)
    if not chosen_by:
        query = query.transform(_without_choice)
    query = _by_position(query, schema)
    columns = lineage(None, query, schema, dialect=DIALECT, trim_selects=False, copy=False)
    return {name.lower(): frozenset(_sources(node)) for name, node in columns.items()}


def _without_choice(node: exp.Expr) -> exp.Expr:
    """A part of a query without what chooses between its values; they stay."""
    match node:
        case exp.Case():
            node.set("this", None)
        case exp.If() if isinstance(node.parent, exp.Case):
            node.set("this", exp.true())
        case exp.Filter():
            return exp.paren(node.this)
        case exp.ArgMax() | exp.ArgMin():
            node.set("expression", exp.Literal.number(1))
        case exp.Window():
            node.set("partition_by", None)
            node.set("order", None)
    return node


def _sources(node: Node) -> Iterator[Source]:
    """The leaves below a column: where the query stops and a stored relation begins."""
    for each in node.walk():
        table = None if each.downstream else each.expression.find(exp.Table)
        if table is not None:
            yield Source(f"{table.db}.{table.name}", exp.to_column(each.name).name.lower())


def _by_position(query: exp.Expr, schema: MappingSchema) -> exp.Expr:
    """The query with each UNION BY NAME as one by position: sqlglot follows no other.

    One at a time, the innermost first, since the columns of the next may depend on it.
    """
    while any(each.args.get("by_name") for each in query.find_all(exp.SetOperation)):
        known = qualify(
            query.copy(), schema=schema, dialect=DIALECT, validate_qualify_columns=False
        )
        union = next(
            scope.expression
            for scope in traverse_scope(known)
            if isinstance(scope.expression, exp.SetOperation) and scope.expression.args["by_name"]
        )
        place = [each is union for each in known.find_all(exp.SetOperation)].index(True)
        _align([*query.find_all(exp.SetOperation)][place], union)
    return query


def _align(union: exp.SetOperation, known: exp.SetOperation) -> None:
    """Give both sides of `union` all columns, NULL where a side lacks one; `known` names them."""
    names = list(dict.fromkeys([*known.left.named_selects, *known.right.named_selects]))
    for side in ("this", "expression"):
        has = set(known.args[side].named_selects)
        columns = [
            exp.column(name, quoted=True)
            if name in has
            else exp.alias_(exp.null(), name, quoted=True)
            for name in names
        ]
        union.set(side, exp.select(*columns).from_(union.args[side].subquery("side")))
    union.set("by_name", False)
