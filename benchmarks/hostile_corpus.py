"""Time and memory of each hostile file: none over 10 seconds or 1 GiB.

    python benchmarks/hostile_corpus.py

Each case of tests/hostile is loaded by a process of its own, forked from one that has imported what a
load needs; wall seconds and the largest resident set (the imports included) go to
benchmarks/results/hostile_corpus.json with what became of the file. Ends with 1 when a case is over.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ffp_data import feeds
from tests.hostile.corpus import CONTRACTS, Case
from tests.hostile.test_corpus import CASES

RESULTS = Path(__file__).parent / "results" / "hostile_corpus.json"
MOST_SECONDS, MOST_GIB = 10.0, 1.0


def load(case: Case, folder: Path) -> str:
    """What became of the case: loaded, or the rule it was refused under."""
    at = folder / "landing" / case.feed
    at.mkdir(parents=True)
    case.build(at)
    with duckdb.connect(str(folder / "w.duckdb"), config={"threads": "2"}) as con:
        feeds.create_empty_raw_tables(con, CONTRACTS)
        (delivery,) = feeds.discover(folder / "landing", CONTRACTS, con)
        result = feeds.load(con, delivery, CONTRACTS[case.feed], None, CONTRACTS)
    return result.error.rule if result.error else result.status


def measure(case: Case) -> dict[str, object]:
    """The case in a child of this process."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told"
        started = time.perf_counter()
        child = os.fork()
        if child == 0:
            told.write_text(load(case, Path(folder)), "utf-8")
            os._exit(0)
        _, status, used = os.wait4(child, 0)
        wall = time.perf_counter() - started
        return {
            "outcome": told.read_text("utf-8") if told.exists() else f"crashed ({status})",
            "seconds": round(wall, 2),
            "peak_memory_gib": round(used.ru_maxrss / 2**20, 2),  # kilobytes on Linux
        }


def main() -> int:
    results = {case.name: measure(case) for case in CASES}
    over = [
        name
        for name, one in results.items()
        if one["seconds"] > MOST_SECONDS
        or one["peak_memory_gib"] > MOST_GIB
        or str(one["outcome"]).startswith("crashed")
    ]
    summary = {
        "files": len(results),
        "slowest_seconds": max(one["seconds"] for one in results.values()),
        "largest_gib": max(one["peak_memory_gib"] for one in results.values()),
        "over": over,
    }
    RESULTS.write_text(json.dumps({"summary": summary, "files": results}, indent=1) + "\n", "utf-8")
    print(json.dumps(summary, indent=2))
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
