"""DuckDB's SQL of the comparison levels as Spark's, by SQLGlot, with similarities by Arrow UDF.

The levels are written once (``linkage.compare``). Spark evaluates a Python function for every row,
whatever CASE stands around it, so each similarity is lifted into an inner SELECT as a column of its
own, and its arguments are made null where the tests beside it already fail: what was skipped in
DuckDB is skipped here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from pyspark.sql import SparkSession
from pyspark.sql.pandas.functions import ArrowUDFType, arrow_udf
from sqlglot import exp

from linkage.compare import pattern_sql, similarity_sql
from linkage.packing import Packing
from linkage.spark.workers import similarity

# Rounded as ``linkage.compare`` rounds. The edit distance is slow, and wanted only beside a
# similarity of 0.75 or more: what is far below is not computed.
_FUNCTIONS = {
    "similarity_of": "round(jaro_winkler_similarity(a, b), 6)",
    "distance_of": "CASE WHEN a = b THEN 0 WHEN jaro_winkler_similarity(a, b) >= 0.74"
    " THEN damerau_levenshtein(a, b) END",
}


def register_functions(spark: SparkSession) -> None:
    """Make the similarities known to a session's SQL."""
    for name, expression in _FUNCTIONS.items():
        function = arrow_udf(similarity(expression), "double", ArrowUDFType.SCALAR_ITER)
        spark.udf.register(name, function)


@dataclass(frozen=True)
class Compiled:
    """Spark SQL: similarities to compute in an inner SELECT, by name, and the pattern over them."""

    similarities: dict[str, str]
    pattern: str


def compile_pattern(packing: Packing) -> Compiled:
    """The packed pattern of a pair whose columns are named ``l_<column>`` and ``r_<column>``."""
    inner = {name: _parsed(sql) for name, sql in similarity_sql(packing).items()}
    tree = _parsed(pattern_sql(packing))
    for column in list(tree.find_all(exp.Column)):
        if column.name in inner:
            column.replace(exp.paren(inner[column.name].copy()))
    for column in tree.find_all(exp.Column):
        if column.table:
            column.replace(exp.column({"a": "l_", "b": "r_"}[column.table] + column.name))
    calls = list(_calls(tree))
    definitions = [_guarded(call).sql(dialect="spark") for call in calls]
    names = {d: f"s{i}" for i, d in enumerate(dict.fromkeys(definitions))}
    for call, definition in zip(calls, definitions, strict=True):
        call.replace(exp.column(names[definition]))
    for overlap in list(tree.find_all(exp.ArrayOverlaps)):
        overlap.replace(exp.func("arrays_overlap", overlap.this, overlap.expression))
    return Compiled({n: d for d, n in names.items()}, tree.sql(dialect="spark"))


def _parsed(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, dialect="duckdb")


def _calls(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Similarities with their rounding, and edit distances."""
    for node in tree.find_all(exp.JarowinklerSimilarity, exp.Anonymous):
        if isinstance(node, exp.JarowinklerSimilarity):
            yield node.find_ancestor(exp.Round) or node
        elif node.name.lower() == "damerau_levenshtein":
            yield node


def _guarded(call: exp.Expr) -> exp.Expr:
    """The Arrow function for a call; its first argument is null where the call is not needed."""
    name = "distance_of" if isinstance(call, exp.Anonymous) else "similarity_of"
    core = call.this if isinstance(call, exp.Round) else call
    a, b = core.expressions if isinstance(core, exp.Anonymous) else (core.this, core.expression)
    needed = list(_beside(call))
    first = exp.case().when(exp.and_(*needed), a.copy()) if needed else a.copy()
    return exp.func(name, first, b.copy())


def _beside(call: exp.Expr) -> Iterator[exp.Expr]:
    """The tests without which the call's value has no effect, as far as they need no call."""
    node: exp.Expr = call
    above = call.parent
    while isinstance(above, exp.And | exp.Paren | exp.Predicate):
        if isinstance(above, exp.And):
            other = above.right if node is above.left else above.left
            tests = other.flatten() if isinstance(other, exp.And) else [other]
            yield from (test.copy() for test in tests if not any(_calls(test)))
        node, above = above, above.parent
    if isinstance(above, exp.If) and node is above.args.get("true"):
        yield above.this.copy()
