"""The levels of a pair on Spark: what Spark can decide exactly as Spark SQL, by SQLGlot; the rest by DuckDB.

The levels are written once, as DuckDB's SQL (``linkage.compare``). A comparison whose tests mean the
same in both, equality above all, is translated. A comparison with a similarity is not: its edge
falls where the last digit falls, so its own SQL runs in DuckDB on Arrow batches (``workers``), and
only the columns that it reads travel there.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from linkage.compare import level_sql
from linkage.kinds import kind_of
from linkage.packing import Packing
from linkage.spark.workers import RowByRow
from linkage.spec import Comparison


@dataclass(frozen=True)
class Compiled:
    """The pattern of a pair whose columns are named ``l_<column>`` and ``r_<column>``.

    ``translated`` is Spark SQL; what DuckDB adds to it is SQL over ``columns``, or None.
    """

    translated: str
    columns: tuple[str, ...]
    added: str | None

    def finish(self, kept: str) -> RowByRow:
        """The query (l, r, ``kept``, pattern) over rows with these columns and ``translated``."""
        columns = {"l": "l", "r": "r", kept: kept, "pattern": f"translated + {self.added}"}
        select = ", ".join(f"({sql})::BIGINT AS {name}" for name, sql in columns.items())
        return RowByRow(f"SELECT {select} FROM input", {})


def compile_pattern(packing: Packing) -> Compiled:
    """Divide the packed pattern between Spark and DuckDB."""
    spark: list[str] = ["0"]
    duck: list[str] = []
    for comparison, shift in zip(packing.comparisons, packing.shifts, strict=True):
        term = f"({level_sql(packing, comparison)})::BIGINT * {1 << shift}"
        (spark if _is_translated(comparison) else duck).append(term)
    added = sqlglot.parse_one(" + ".join(duck), dialect="duckdb") if duck else None
    columns = sorted({c.name for c in added.find_all(exp.Column)}) if added else []
    return Compiled(
        _translated(" + ".join(spark)),
        tuple(columns),
        f"({added.sql('duckdb')})" if added else None,
    )


def _is_translated(comparison: Comparison) -> bool:
    return all(kind_of(t).in_spark for level in comparison.levels for t in level.tests())


def _translated(sql: str) -> str:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    for overlap in list(tree.find_all(exp.ArrayOverlaps)):
        overlap.replace(exp.func("arrays_overlap", overlap.this, overlap.expression))
    return tree.sql("spark")
