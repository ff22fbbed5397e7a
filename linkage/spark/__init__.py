"""The Spark engine: the same model file on a cluster, or on this machine with ``local[n]``.

It needs the extra ``spark`` (pyspark, sqlglot) and Java 17. Read in this order:

1. ``session``: a private, silent session on this machine, or the one that ``spark-submit`` gives.
2. ``workers``: what runs in Python beside the executors: DuckDB on Arrow batches.
3. ``prepare``: standardisation, parts, words and blocking keys, row by row in ``workers``.
4. ``load``: records in, checked, numbered and checkpointed.
5. ``dialect``: the levels as Spark SQL, by SQLGlot; those with a similarity by DuckDB.
6. ``blocks``: which pairs the rules propose. ``engine``: all of it behind ``linkage.engine.Engine``.
7. ``components``: connected components of edges that no single machine holds.
"""

from __future__ import annotations

from linkage.spark.components import connected_components
from linkage.spark.engine import SparkEngine, open_engine

__all__ = ["SparkEngine", "connected_components", "open_engine"]
