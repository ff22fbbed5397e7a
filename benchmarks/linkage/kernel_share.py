"""How much of a run is comparison, and how far that is from what this machine could do.

    python benchmarks/linkage/kernel_share.py --set partnership-1m

One thread, so that CPU seconds can be told apart. Measured in the run: the pairs compared, the
seconds in the comparison of pairs as a whole, and those of them in text (SQL on distinct values).
Measured beside it, on the same machine and thread: gathering and comparing as many integer columns
of random pairs (nothing that compares pairs of coded records can be faster without changing what is
read), and DuckDB's Jaro-Winkler on random pairs of the set's names. From these: the least time that
the run's pairs could have taken, and the ratio. Kept in benchmarks/results/linkage_kernel.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import linkage  # noqa: E402
from benchmarks.linkage import compare, sets  # noqa: E402
from linkage import levels, values  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "linkage_kernel.json"
PAIRS = 2_000_000


class Counter:
    """Calls of a function, with the pairs that went in and the CPU seconds spent."""

    def __init__(self, function: Callable[..., Any], pairs: Callable[..., int]) -> None:
        self.function, self.size = function, pairs
        self.pairs, self.seconds = 0, 0.0

    def __call__(self, *args: Any) -> Any:
        start = time.process_time()
        result = self.function(*args)
        self.seconds += time.process_time() - start
        self.pairs += self.size(*args)
        return result


def measured(name: str) -> dict[str, Any]:
    """Link a set in this process, the comparison watched."""
    compared = Counter(levels.Kernel.patterns, lambda _, left, __: len(left))
    asked = Counter(values._ask, lambda _, rows, *__: len(rows))
    # partialmethod: an object put in the class by itself would not be given the kernel.
    levels.Kernel.patterns = partialmethod(compared)  # type: ignore[method-assign,assignment]
    values._ask = asked
    records = sets.prepare(name) / "records.parquet"
    model = linkage.Model.from_yaml(sets.model(name))
    start = time.process_time()
    result = linkage.link(records, model, threads=1)
    total = time.process_time() - start
    return {
        "cpu_seconds": total,
        "compared_pairs": compared.pairs,
        "proposed_pairs": result.report["pairs"]["compared"],
        "comparing_seconds": compared.seconds,
        "text_questions": asked.pairs,
        "text_seconds": asked.seconds,
        "columns": len({c for x in model.comparisons for c in x.columns}),
    }


def integer_rate(records: int, columns: int) -> float:
    """Pairs a second whose codes are gathered and compared in NumPy."""
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 1000, (records, columns), dtype=np.int32)
    left, right = rng.integers(0, records, (2, PAIRS))
    start = time.process_time()
    for at in range(0, PAIRS, 65_536):
        one, other = (codes.take(side[at : at + 65_536], axis=0) for side in (left, right))
        np.packbits(one == other, axis=1)
    return PAIRS / (time.process_time() - start)


def text_rate(records: Path) -> float:
    """DuckDB's Jaro-Winkler similarities a second on random pairs of given names."""
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(f"""
            CREATE TABLE pair AS SELECT a.given_name AS a, b.given_name AS b
            FROM (SELECT given_name, row_number() OVER (ORDER BY hash(record_id)) AS n FROM '{records}') a
            JOIN (SELECT given_name, row_number() OVER (ORDER BY hash(record_id, 1)) AS n FROM '{records}') b USING (n)
            WHERE a.given_name IS NOT NULL AND b.given_name IS NOT NULL""")
        count = con.execute("SELECT count(*) FROM pair").fetchall()[0][0]
        times = max(1, PAIRS // count)
        start = time.process_time()
        for _ in range(times):
            con.execute("SELECT sum(jaro_winkler_similarity(a, b)) FROM pair").fetchall()
        return float(count * times / (time.process_time() - start))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", default="partnership-1m")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    records = sets.prepare(options.set) / "records.parquet"
    run = measured(options.set)
    count = duckdb.sql(f"SELECT count(*) FROM '{records}'").fetchall()[0][0]
    integers, similarities = integer_rate(count, run["columns"]), text_rate(records)
    least = run["compared_pairs"] / integers + run["text_questions"] / similarities
    result = {key: round(value, 3) for key, value in run.items()} | {
        "share_of_comparing": round(run["comparing_seconds"] / run["cpu_seconds"], 3),
        "share_of_text": round(run["text_seconds"] / run["cpu_seconds"], 3),
        "compared_pairs_per_second": round(run["compared_pairs"] / run["comparing_seconds"]),
        "limit_integer_pairs_per_second": round(integers),
        "limit_jaro_winkler_per_second": round(similarities),
        "least_seconds": round(least, 3),
        "times_the_limit": round(run["comparing_seconds"] / least, 1),
        "machine": compare.machine(),
    }
    known = json.loads(options.results.read_text()) if options.results.exists() else {}
    known[options.set] = result
    options.results.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
