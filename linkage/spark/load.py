"""Records in: read, checked, standardised, numbered and checkpointed as one Spark table.

The table has one row for each record: ``rid`` (its place in the order of the record ids), the
standardised columns, what is derived from them, and the blocking keys ``k0``, ``k0x``, ... The order
is found by range partitions that are sorted each for itself, so that no machine sorts everything.
"""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from linkage import tables
from linkage.checks import (
    date_columns,
    needed_columns,
    refuse_ids,
    refuse_missing,
    refuse_nested,
    unread_dates,
    usable,
)
from linkage.engine import Loaded
from linkage.errors import LinkageError
from linkage.model import Model
from linkage.packing import Packing
from linkage.spark.prepare import row_by_row
from linkage.spark.workers import connect

RECORDS_IN_A_TASK = 25_000
_ROW_BITS = 33  # monotonically_increasing_id: partition above, place in it below


def load(
    spark: SparkSession, records: pa.Table | Path | str, model: Model, threads: int
) -> tuple[DataFrame, Loaded]:
    """The table of records; raises LinkageError for input that cannot be linked."""
    source = _read(spark, records)
    refuse_missing(model, source.columns)
    prepared = _prepare(source, model).persist()
    row = prepared.agg(f.count("*").alias("records"), *_told(model)).first()
    assert row is not None
    tasks = max(2 * threads, -(-row["records"] // RECORDS_IN_A_TASK))
    spark.conf.set("spark.sql.shuffle.partitions", str(tasks))
    _check_ids(prepared, model, row)
    filled = {c: row[f"{c}__filled"] for c in model.columns}
    constant = [c for c in filled if filled[c] and row[f"{c}__least"] == row[f"{c}__most"]]
    kept, dropped, warnings = usable(model, row["records"], filled, constant)
    given = {c: row[f"{c}__given"] for c in date_columns(model)}
    lost = unread_dates(given, filled)
    table = _numbered(prepared.drop(*(f"{c}__given" for c in given)), tasks)
    prepared.unpersist()
    return table, Loaded(
        row["records"], Packing(kept), dropped, (*lost, *warnings, *_unsafe(spark))
    )


def checkpoint(table: DataFrame) -> DataFrame:
    """The table, computed once, its origin forgotten.

    To the checkpoint folder where the operator of a cluster has set one (``spark.checkpoint.dir``),
    which outlives a lost machine; else to the executors' own memory and encrypted disk.
    """
    if table.sparkSession.sparkContext.getCheckpointDir():
        return table.checkpoint()
    return table.localCheckpoint()


def _unsafe(spark: SparkSession) -> list[str]:
    if spark.sparkContext.getConf().get("spark.io.encryption.enabled") == "true":
        return []
    return [
        "Spark writes records to its local disks in clear: set spark.io.encryption.enabled=true"
    ]


def _read(spark: SparkSession, records: pa.Table | Path | str) -> DataFrame:
    """Parquet by the executors; CSV and Arrow here, then handed out: Spark reads some CSV otherwise."""
    if isinstance(records, pa.Table):
        return _distributed(spark, records)
    where = str(records)
    if not where.endswith(".parquet"):
        return _distributed(spark, tables.read(records))
    if "://" not in where and not Path(records).exists():
        raise LinkageError(f"{records}: no such file")
    try:
        return spark.read.parquet(where)
    except PySparkException:
        # Not "from error": Spark may quote what it found in the file.
        raise LinkageError(f"{records}: cannot be read as parquet") from None


def _distributed(spark: SparkSession, table: pa.Table) -> DataFrame:
    coded = [pa.types.is_dictionary(field.type) for field in table.schema]
    plain = [
        c.cast(c.type.value_type) if d else c for c, d in zip(table.columns, coded, strict=True)
    ]
    return spark.createDataFrame(pa.table(plain, names=table.column_names))


def _prepare(source: DataFrame, model: Model) -> DataFrame:
    """One row for each record, unnumbered; its columns' types are found by a run without rows."""
    query = row_by_row(model)
    names = sorted(needed_columns(model))
    chosen = source.select(*(f.col(f"`{name.replace('`', '``')}`") for name in names))
    without_rows = to_arrow_schema(chosen.schema).empty_table()
    with connect() as con:
        con.register("input", without_rows)
        refuse_nested(
            model, {name: str(its) for name, its, *_ in con.sql("DESCRIBE input").fetchall()}
        )
        for name, table in query.tables.items():
            con.register(name, table)
        empty = query.run(con, without_rows)
    return chosen.mapInArrow(query, from_arrow_schema(empty.schema))


def _told(model: Model) -> list[Column]:
    """For each column: how many values, the least and the greatest; of dates also how many were given."""
    given = [f"{name}__given" for name in date_columns(model)]
    return [f.count_if(name).alias(name) for name in given] + [
        function(name).alias(f"{name}__{what}")
        for name in ("_record_id", *model.columns)
        for what, function in (("filled", f.count), ("least", f.min), ("most", f.max))
    ]


def _check_ids(prepared: DataFrame, model: Model, row: Row) -> None:
    twice = prepared.groupBy("_record_id").count().where("count > 1 AND _record_id IS NOT NULL")
    repeated = twice.count()
    examples = twice.orderBy("_record_id").limit(3).collect() if repeated else []
    empty = row["records"] - row["_record_id__filled"]
    refuse_ids(model, empty, repeated, [e["_record_id"] for e in examples])


def _numbered(prepared: DataFrame, tasks: int) -> DataFrame:
    """A checkpoint, with ``rid`` 0, 1, ... in the order of the record ids."""
    ordered = prepared.repartitionByRange(tasks, "_record_id").sortWithinPartitions("_record_id")
    placed = checkpoint(ordered.withColumn("place", f.monotonically_increasing_id()))
    part = f.shiftright("place", _ROW_BITS)
    sizes = placed.groupBy(part.alias("part")).count().orderBy("part").collect()
    before = accumulate((s["count"] for s in sizes[:-1]), initial=0)
    offsets = f.create_map(
        *(f.lit(x) for s, n in zip(sizes, before, strict=True) for x in (s["part"], n))
    )
    within = f.col("place").bitwiseAND((1 << _ROW_BITS) - 1)
    return placed.withColumn("rid", offsets[part] + within).drop("place")
