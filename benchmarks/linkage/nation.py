"""A nation's children on this machine, this engine alone: time, peak memory and quality by size.

    python benchmarks/linkage/nation.py --sizes 1m,4m,16m
    python benchmarks/linkage/nation.py --sizes 16m --memory 10GB

The model is that of the partnership with the rules of nation_rules.yaml, whose pairs grow with the
records and not with their square. Each size is made if need be (16 million records: a few minutes,
800 MB) and linked in a process of its own. Quality is counted in DuckDB from the files, so that
nothing here needs the memory that is measured there. Kept in benchmarks/results/linkage_nation.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.linkage import compare, sets  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "linkage_nation.json"
RUNNER = ROOT / "benchmarks" / "linkage" / "systems" / "run_ffp.py"
PAIRS = "SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM joined GROUP BY {0})"


def linked(name: str, memory: str) -> dict[str, Any]:
    """Link a set in a process of its own; what it cost."""
    folder = sets.prepare(name)
    out = folder / "nation"
    out.mkdir(exist_ok=True)
    records, model = folder / "records.parquet", sets.nation_model()
    subprocess.run(
        [sys.executable, RUNNER, model, name, records, out, *([memory] if memory else [])],
        check=True, env=os.environ | {"START": str(time.monotonic())},
    )  # fmt: skip
    cost: dict[str, Any] = json.loads((out / "cost.json").read_text())
    return cost


def quality(folder: Path) -> dict[str, float]:
    """Pairwise precision, recall and F1 of the clusters, and the pairs of twins that were joined."""
    with duckdb.connect(config={"memory_limit": "6GB", "threads": 2}) as con:
        con.execute(f"""
            CREATE TABLE joined AS SELECT cluster_id, person_id, family_id, kind
            FROM '{folder}/nation/clusters.parquet' JOIN '{folder}/truth.parquet' USING (record_id)""")
        both, found, wanted = (
            float(con.execute(PAIRS.format(keys)).fetchall()[0][0])
            for keys in ("cluster_id, person_id", "cluster_id", "person_id")
        )
        twins = con.execute("""
            SELECT count(*) FROM (SELECT DISTINCT least(a.person_id, b.person_id), greatest(a.person_id, b.person_id)
            FROM joined a JOIN joined b USING (cluster_id, family_id)
            WHERE a.person_id < b.person_id AND a.kind = 'twin' AND b.kind = 'twin')""").fetchall()[
            0
        ][0]
    figures = {
        "precision": both / found,
        "recall": both / wanted,
        "f1": 2 * both / (found + wanted),
    }
    return {key: round(value, 5) for key, value in figures.items()} | {"twins_joined": twins}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1m,4m,16m")
    parser.add_argument(
        "--memory", default="", help="DuckDB's memory limit, such as 8GB; it spills beyond"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    known = json.loads(options.results.read_text()) if options.results.exists() else {}
    for size in options.sizes.split(","):
        name = f"partnership-{size}"
        where = compare.machine()
        cost = linked(name, options.memory)
        known[name] = cost | {"pairwise": quality(sets.prepare(name)), "machine": where}
        options.results.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
        print(json.dumps({k: v for k, v in known[name].items() if k != "machine"}), flush=True)


if __name__ == "__main__":
    main()
