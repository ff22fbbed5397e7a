"""The Spark engine: records, blocking, comparison and grouping on executors, arrays handed over.

What leaves Spark is what the shared code needs in one place: grouped patterns (thousands of rows),
the pairs that could be one person (a few for each record), and the ids. Weights, clusters and their
repair are computed from these on the driver.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from linkage.engine import Grouped, Identities, Ints, Loaded, RuleSize, random_steps
from linkage.model import Model
from linkage.spark import blocks
from linkage.spark.dialect import Compiled, compile_pattern
from linkage.spark.load import checkpoint, load
from linkage.spark.session import open_session


@contextmanager
def open_engine(
    source: pa.Table | Path | str, model: Model, threads: int = 2, memory_limit: str | None = None
) -> Iterator[SparkEngine]:
    """An engine with the records loaded (Arrow table, or path of a .parquet or .csv file).

    ``threads`` and ``memory_limit`` (such as "2GB", of the Java process) bound a Spark started for
    this run; a cluster has its own settings. Raises LinkageError.
    """
    with open_session(threads, memory_limit) as spark:
        records, loaded = load(spark, source, model, threads)
        yield SparkEngine(spark, model, loaded, records)


@dataclass
class SparkEngine:
    """``linkage.engine.Engine`` over a Spark session; ``records`` is the table of ``load``."""

    spark: SparkSession
    model: Model
    loaded: Loaded
    records: DataFrame
    _keys: DataFrame = field(init=False)
    _compiled: Compiled = field(init=False)
    _pairs: DataFrame | None = None

    def __post_init__(self) -> None:
        self._keys = blocks.key_rows(self.records, self.model)
        self._compiled = compile_pattern(self.loaded.packing)

    def rule_sizes(self) -> list[RuleSize]:
        """Count what each rule would propose."""
        return blocks.rule_sizes(self.spark, self._keys, self.model)

    def patterns(self) -> Grouped:
        """Propose and compare all pairs, keep them in a checkpoint, and group them."""
        proposed = blocks.proposed(self.spark, self._keys)
        self._pairs = checkpoint(self._compared(proposed, "mask"))
        return _grouped(self._pairs)

    def random_patterns(self) -> Grouped:
        """Patterns of pairs that no rule chose."""
        count, wanted = self.loaded.count, self.model.estimation.random_pairs
        rid = self.records.select("rid")
        if count * (count - 1) // 2 <= wanted:
            pairs = rid.alias("a").join(rid.alias("b"), f.col("a.rid") < f.col("b.rid"))
            pairs = pairs.select(f.col("a.rid").alias("l"), f.col("b.rid").alias("r"))
        else:
            steps = f.explode(f.array(*(f.lit(s) for s in random_steps(count, wanted))))
            pairs = rid.select(f.col("rid").alias("l"), steps.alias("step"))
            pairs = pairs.select("l", ((f.col("l") + f.col("step")) % count).alias("r"))
        return _grouped(self._compared(pairs, "mask", blocks.key_columns(self.model)))

    def collision_probability(self, column: str) -> float:
        """Exact probability that two different records with a value agree on it."""
        counts = self._value_table(column)
        row = counts.selectExpr("sum(n * (n - 1)) AS agreeing", "sum(n) AS filled").first()
        assert row is not None
        agreeing, filled = float(row["agreeing"] or 0), float(row["filled"] or 0)
        return min(agreeing / (filled * (filled - 1)), 1 - 1e-9) if filled > 1 else 0.0

    def survivors(self, patterns: Ints) -> tuple[Ints, Ints, Ints]:
        """The proposed pairs with these patterns."""
        assert self._pairs is not None
        chosen = f.broadcast(self.spark.createDataFrame(pa.table({"pattern": patterns})))
        kept = self._pairs.join(chosen, "pattern", "left_semi").select("l", "r", "pattern")
        left, right, pattern = _arrays(kept)
        order = np.lexsort((right, left))
        return left[order], right[order], pattern[order]

    def compare(self, left: Ints, right: Ints) -> Ints:
        """Patterns of given pairs."""
        wanted = pa.table({"l": left, "r": right, "i": np.arange(len(left))})
        pairs = self._compared(self.spark.createDataFrame(wanted), "i").select("i", "pattern")
        index, pattern = _arrays(pairs)
        result = np.empty(len(left), np.int64)
        result[index] = pattern
        return result

    def value_counts(self, column: str) -> Ints:
        """How many records have each record's value."""
        counts = self._value_table(column)
        filled = self.records.where(f.col(column).isNotNull()).select("rid", column)
        rid, n = _arrays(filled.join(counts, column).select("rid", "n"))
        result = np.zeros(self.loaded.count, np.int64)
        result[rid] = n
        return result

    def values(self, column: str) -> pa.DictionaryArray:
        """Each record's value."""
        rows = self.records.select("rid", column).toArrow().sort_by("rid")
        return rows[column].cast(pa.string()).combine_chunks().dictionary_encode()

    def numbers(self, column: str) -> Ints:
        """A number for each record's value."""
        codes = self.values(column).indices.fill_null(-1)
        return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)

    def identities(self) -> Identities:
        """Ids and sources of the records."""
        rows = self.records.select("rid", "_record_id", "_source").toArrow().sort_by("rid")
        ids, sources = (rows[c].combine_chunks() for c in ("_record_id", "_source"))
        return Identities(ids.cast(pa.string()), sources.cast(pa.string()).dictionary_encode())

    def _value_table(self, column: str) -> DataFrame:
        filled = self.records.where(f.col(column).isNotNull())
        return filled.groupBy(column).agg(f.count("*").alias("n"))

    def _compared(self, pairs: DataFrame, kept: str, keys: Sequence[str] = ()) -> DataFrame:
        """(l, r, kept, pattern) of pairs (l, r), when the records' values have come to them.

        ``kept`` is a column of the pairs, or ``mask`` as ``mask_sql`` of the records' ``keys``.
        """
        for side in ("l", "r"):
            columns = [*self.loaded.packing.columns(), *keys]
            named = (f.col(c).alias(f"{side}_{c}") for c in columns)
            pairs = pairs.join(self.records.select(f.col("rid").alias(side), *named), side)
        last = f"{blocks.mask_sql(self.model)} AS mask" if keys else kept
        compiled = self._compiled
        if compiled.added is None:
            return pairs.selectExpr("l", "r", last, f"{compiled.translated} AS pattern")
        rows = pairs.selectExpr(
            "l", "r", last, f"{compiled.translated} AS translated", *compiled.columns
        )
        finish = compiled.finish(kept)
        return rows.mapInArrow(finish, f"l bigint, r bigint, {kept} bigint, pattern bigint")


def _grouped(pairs: DataFrame) -> Grouped:
    counts = pairs.groupBy("pattern", "mask").agg(f.count("*").alias("n"))
    pattern, mask, n = _arrays(counts.select("pattern", "mask", "n"))
    order = np.lexsort((mask, pattern))
    return Grouped(pattern[order], mask[order], n[order])


def _arrays(table: DataFrame) -> list[Ints]:
    """The columns as arrays of int64, in no order."""
    rows = table.toArrow()
    return [np.asarray(c.to_numpy(), dtype=np.int64) for c in rows.columns]
