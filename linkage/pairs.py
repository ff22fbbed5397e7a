"""Pairs in DuckDB: which rules propose them, refused when too many, each compared exactly once.

A rule with ``with`` becomes two joins, one for each direction. A pair is created by the first join
that proposes it; its mask says which rules would have, so that training can look at the pairs of
one rule alone although no pair is compared twice. Table ``pair`` holds (l, r, mask, pattern).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from linkage.compare import pattern_sql, similarity_sql
from linkage.engine import Grouped, Ints, RuleSize, random_steps
from linkage.model import Model
from linkage.packing import Packing


def _joins(model: Model) -> list[tuple[int, str, str]]:
    """(rule, key column of the lower record, key column of the higher record)."""
    joins = []
    for index, rule in enumerate(model.blocking):
        if rule.with_ is None:
            joins.append((index, f"k{index}", f"k{index}"))
        else:
            joins += [(index, f"k{index}", f"k{index}x"), (index, f"k{index}x", f"k{index}")]
    return joins


def rule_sizes(con: duckdb.DuckDBPyConnection, model: Model) -> list[RuleSize]:
    """Count what each rule would propose, without proposing it."""
    return [_rule_size(con, model, index) for index in range(len(model.blocking))]


def _rule_size(con: duckdb.DuckDBPyConnection, model: Model, index: int) -> RuleSize:
    rule, key = model.blocking[index], f"k{index}"
    sizes = f"SELECT {key} AS k, count(*) AS c FROM rec WHERE {key} IS NOT NULL GROUP BY 1"
    if rule.with_ is None:
        query = f"SELECT sum(c * (c - 1) // 2), max(c) FROM ({sizes})"
    else:
        other = f"SELECT {key}x AS k, count(*) AS c FROM rec WHERE {key}x IS NOT NULL GROUP BY 1"
        query = f"SELECT sum(a.c * b.c), max(a.c + b.c) FROM ({sizes}) a JOIN ({other}) b USING (k)"
    row = con.execute(query).fetchone() or (0, 0)
    return RuleSize(rule.name, int(row[0] or 0), int(row[1] or 0))


def _compare_sql(model: Model, packing: Packing, source: str) -> str:
    """(l, r, mask, pattern) for the pairs of ``source``, in which the records are ``a`` and ``b``."""
    joins = _joins(model)
    keys = sorted({k for _, left, right in joins for k in (left, right)})
    carried = [
        f"{side}.{c} AS {prefix}_{c}"
        for c in (*packing.columns(), *keys)
        for side, prefix in (("a", "l"), ("b", "r"))
    ]
    inner = ["a.rid AS l", "b.rid AS r", *carried]
    inner += [f"{sql} AS {name}" for name, sql in similarity_sql(packing).items()]
    fires: dict[int, list[str]] = {}
    for index, left, right in joins:
        fires.setdefault(index, []).append(f"coalesce(l_{left} = r_{right}, false)")
    mask = " + ".join(f"({' OR '.join(f)})::INTEGER * {1 << i}" for i, f in fires.items())
    return (
        f"SELECT l, r, {mask} AS mask, {pattern_sql(packing)} AS pattern"
        f" FROM (SELECT {', '.join(inner)} FROM {source})"
    )


def create_pairs(con: duckdb.DuckDBPyConnection, model: Model, packing: Packing) -> None:
    """Fill table ``pair``, one join after the other so that memory is bounded by the largest."""
    con.execute("CREATE TABLE pair (l INTEGER, r INTEGER, mask INTEGER, pattern BIGINT)")
    for source in _sources(model):
        con.execute(f"INSERT INTO pair {_compare_sql(model, packing, source)}")


def _sources(model: Model) -> Iterator[str]:
    earlier: list[str] = []
    for _, left, right in _joins(model):
        condition = f"a.{left} = b.{right}"
        unseen = "".join(f" AND ({e}) IS NOT TRUE" for e in earlier)
        yield f"rec a JOIN rec b ON {condition} WHERE a.rid < b.rid{unseen}"
        earlier.append(condition)


def group_pairs(con: duckdb.DuckDBPyConnection) -> Grouped:
    """Distinct patterns of table ``pair``."""
    return _grouped(con, "pair")


def _grouped(con: duckdb.DuckDBPyConnection, source: str) -> Grouped:
    rows = con.execute(
        f"SELECT pattern, mask, count(*) AS n FROM {source} GROUP BY ALL ORDER BY pattern, mask"
    ).fetchnumpy()
    return Grouped(*(np.asarray(rows[c], dtype=np.int64) for c in ("pattern", "mask", "n")))


def random_patterns(
    con: duckdb.DuckDBPyConnection, model: Model, packing: Packing, records: int
) -> Grouped:
    """Patterns of pairs that no rule chose: all pairs if they are few, else evenly spread ones.

    Record i meets record (i + step) modulo the number of records, for a fixed series of steps.
    """
    possible = records * (records - 1) // 2
    if possible <= model.estimation.random_pairs:
        source = "rec a JOIN rec b ON a.rid < b.rid"
    else:
        steps = random_steps(records, model.estimation.random_pairs)
        values = ", ".join(f"({step})" for step in steps)
        source = (
            f"(VALUES {values}) t(step) CROSS JOIN rec a"
            f" JOIN rec b ON b.rid = (a.rid + t.step) % {records}"
        )
    return _grouped(con, f"({_compare_sql(model, packing, source)})")


def compare_pairs(
    con: duckdb.DuckDBPyConnection, model: Model, packing: Packing, left: Ints, right: Ints
) -> Ints:
    """Patterns of given pairs (left < right, as record numbers), in their order."""
    wanted = pa.table({"l": left, "r": right, "i": np.arange(len(left))})
    con.register("wanted", wanted)
    compared = _compare_sql(
        model, packing, "wanted w JOIN rec a ON a.rid = w.l JOIN rec b ON b.rid = w.r"
    )
    rows = con.execute(
        f"SELECT pattern FROM ({compared}) c JOIN wanted w ON c.l = w.l AND c.r = w.r ORDER BY w.i"
    ).fetchnumpy()
    con.unregister("wanted")
    return np.asarray(rows["pattern"], dtype=np.int64)


def survivors(con: duckdb.DuckDBPyConnection, patterns: Ints) -> tuple[Ints, Ints, Ints]:
    """(left, right, pattern) of the pairs in table ``pair`` with these patterns."""
    con.register("chosen", pa.table({"pattern": patterns}))
    rows = con.execute(
        "SELECT l, r, pattern FROM pair SEMI JOIN chosen USING (pattern) ORDER BY l, r"
    ).fetchnumpy()
    con.unregister("chosen")
    left, right, pattern = (np.asarray(rows[c], dtype=np.int64) for c in ("l", "r", "pattern"))
    return left, right, pattern
