"""Which pairs the blocking rules propose, as Spark SQL over narrow rows.

Each record gives one row (rule, side, key, rid) for each of its keys; equal keys meet in one join
for all rules, and a pair that several rules propose becomes one row with a mask. Only then do the
records' values come to the pairs, so that what is shuffled for every rule is a few integers.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from linkage.engine import RuleSize
from linkage.model import Model

LEFT, RIGHT, BOTH = 0, 1, 2  # sides of a rule: with ``with`` a record plays either part


def key_rows(records: DataFrame, model: Model) -> DataFrame:
    """(rule, side, k, rid) for each key that a record has."""
    rows = []
    for index, rule in enumerate(model.blocking):
        sides = [(BOTH, f"k{index}")]
        if rule.with_ is not None:
            sides = [(LEFT, f"k{index}"), (RIGHT, f"k{index}x")]
        rows += [f"named_struct('rule', {index}, 'side', {s}, 'k', {key})" for s, key in sides]
    return records.selectExpr("rid", f"inline(array({', '.join(rows)}))").where("k IS NOT NULL")


def rule_sizes(spark: SparkSession, keys: DataFrame, model: Model) -> list[RuleSize]:
    """Count what each rule would propose, without proposing it."""
    rows = spark.sql(
        f"""
        SELECT rule, sum(pairs) AS pairs, max(block) AS worst FROM (
          SELECT rule,
            CASE WHEN max(side) = {BOTH} THEN count(*) * (count(*) - 1) DIV 2
              ELSE count_if(side = {LEFT}) * count_if(side = {RIGHT}) END AS pairs,
            struct(count(*) AS size, -min(rid) FILTER (WHERE side <> {RIGHT}) AS member) AS block
          FROM {{keys}} GROUP BY rule, k
        ) WHERE pairs > 0 GROUP BY rule""",
        keys=keys,
    ).collect()
    found = {r["rule"]: (int(r["pairs"]), r["worst"]["size"], -r["worst"]["member"]) for r in rows}
    return [RuleSize(r.name, *found.get(i, (0, 0, None))) for i, r in enumerate(model.blocking)]


def proposed(spark: SparkSession, keys: DataFrame) -> DataFrame:
    """(l, r, mask) of each pair that some rule proposes, once, with l < r."""
    return spark.sql(
        f"""
        SELECT l, r, bit_or(shiftleft(1, rule)) AS mask FROM (
          SELECT /*+ REPARTITION(l) */ least(a.rid, b.rid) AS l, greatest(a.rid, b.rid) AS r, a.rule
          FROM {{keys}} a JOIN {{keys}} b ON a.rule = b.rule AND a.k = b.k
            AND (a.side = {BOTH} AND a.rid < b.rid
              OR a.side = {LEFT} AND b.side = {RIGHT} AND a.rid <> b.rid)
        ) GROUP BY l, r""",
        keys=keys,
    )


def mask_sql(model: Model) -> str:
    """Which rules would propose a pair with the keys ``l_k0``, ``r_k0``, ... of its records."""
    bits = []
    for index, rule in enumerate(model.blocking):
        left = f"k{index}"
        right = left if rule.with_ is None else f"{left}x"
        ways = f"coalesce(l_{left} = r_{right}, false) OR coalesce(l_{right} = r_{left}, false)"
        bits.append(f"CASE WHEN {ways} THEN {1 << index} ELSE 0 END")
    return " + ".join(bits)


def key_columns(model: Model) -> list[str]:
    """Names of the key columns of the table of records."""
    crossed = [f"k{i}x" for i, rule in enumerate(model.blocking) if rule.with_ is not None]
    return [*(f"k{i}" for i in range(len(model.blocking))), *crossed]
