"""Connected components of edges that no single machine holds: alternating large and small stars.

Each round turns every record's edges towards the lowest record that it can see: first among all its
neighbours (large star), then among the lower ones (small star). Both keep who is connected with
whom, and the rounds grow with the logarithm of the longest chain, which suits clusters of people
(Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii: Connected Components in MapReduce and Beyond,
SoCC 2014). Every round is checkpointed, so that its plan does not grow.

The linker does not need it: what reaches the clusters are pairs that could be one person, a few for
each record, and arrays of them are labelled on the driver (``linkage.cluster.components``). It is
for a caller whose edges stay in Spark.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from linkage.spark.load import checkpoint

_LARGE = """
    SELECT DISTINCT v AS l, m AS r FROM (
      SELECT u, v, least(u, min(v) OVER (PARTITION BY u)) AS m
      FROM (SELECT l AS u, r AS v FROM {edges} UNION ALL SELECT r, l FROM {edges})
    ) WHERE v > u AND v <> m"""
_SMALL = """
    SELECT DISTINCT l, r FROM (
      SELECT inline(array(named_struct('l', v, 'r', m), named_struct('l', u, 'r', m))) FROM (
        SELECT u, v, min(v) OVER (PARTITION BY u) AS m
        FROM (SELECT greatest(l, r) AS u, least(l, r) AS v FROM {edges})
      )
    ) WHERE l <> r"""
_FINGERPRINT = "SELECT count(*) AS n, sum(CAST(xxhash64(l, r) AS DECIMAL(38))) AS s FROM {edges}"


def connected_components(edges: DataFrame) -> DataFrame:
    """(record, component) of each record with an edge; a component is named after its lowest record.

    ``edges`` has the integer columns ``l`` and ``r``. A record without an edge is its own component
    and does not appear.
    """
    spark = edges.sparkSession
    stars = checkpoint(edges.select("l", "r").where("l <> r").distinct())
    before = None
    while (now := _fingerprint(spark, stars)) != before:
        before = now
        large = spark.sql(_LARGE, edges=stars)
        stars = checkpoint(spark.sql(_SMALL, edges=large))
    # Now every record has one edge, to the lowest of its component.
    return spark.sql(
        "SELECT l AS record, r AS component FROM {stars} UNION SELECT r, r FROM {stars}",
        stars=stars,
    )


def _fingerprint(spark: SparkSession, edges: DataFrame) -> tuple[int, object]:
    row = spark.sql(_FINGERPRINT, edges=edges).first()
    assert row is not None
    return row["n"], row["s"]
