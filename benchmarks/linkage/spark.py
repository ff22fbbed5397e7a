"""Spark beside DuckDB on the same 100,000 records of invented families: equal clusters, time, memory.

    make spark && .venv/bin/python benchmarks/linkage/spark.py

Each engine runs in a process of its own. CPU is that of the process and all its descendants (Java, and
Python beside it); memory is the greatest sum of the resident sizes of all of them, seen ten times a
second (pages that they share are counted more than once). Writes benchmarks/results/linkage_spark.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import adjusted_rand_score

import linkage
from benchmarks.linkage import families

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "ffp_data/identity/person_model.yaml"
RESULT = ROOT / "benchmarks/results/linkage_spark.json"
HOUSEHOLDS = 13_000
THREADS = 2


def run_one(engine: str, records: Path, out: Path) -> None:
    """Link once and write clusters, pairs and figures."""
    start, watch = time.perf_counter(), Watch()
    model = linkage.Model.from_yaml(MODEL)
    with watch:
        result = linkage.link(records, model, threads=THREADS, engine=engine)
    pq.write_table(result.clusters, out / "clusters.parquet")
    pq.write_table(result.pairs, out / "pairs.parquet")
    figures = {
        "wall_s": round(time.perf_counter() - start, 1),
        "cpu_s": round(watch.cpu_seconds, 1),
        "peak_gib": round(watch.peak_bytes / 2**30, 2),
        "stages_s": result.report["timings_seconds"],
        "compared": result.report["pairs"]["compared"],
        "distinct_patterns": result.report["pairs"]["distinct_patterns"],
    }
    (out / "figures.json").write_text(json.dumps(figures), encoding="utf-8")


class Watch:
    """Memory and CPU of this process and its descendants while it is entered."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._ticks: dict[int, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def cpu_seconds(self) -> float:
        """User and system time, as last seen of each process."""
        return sum(self._ticks.values()) / os.sysconf("SC_CLK_TCK")

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            seen = _family()
            self._ticks |= {p: ticks for p, (ticks, _) in seen.items()}
            self.peak_bytes = max(self.peak_bytes, sum(size for _, size in seen.values()))


def _family() -> dict[int, tuple[int, int]]:
    """(CPU ticks, resident bytes) of this process and its descendants."""
    children: dict[int, list[int]] = {}
    found: dict[int, tuple[int, int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            # The name of a program, in brackets, may hold spaces.
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        number = int(process.name)
        found[number] = (
            int(fields[11]) + int(fields[12]),
            int(fields[21]) * os.sysconf("SC_PAGESIZE"),
        )
        children.setdefault(int(fields[1]), []).append(number)
    family = [os.getpid()]
    for member in family:
        family += children.get(member, [])
    return {p: found[p] for p in family if p in found}


def _in_a_process(engine: str, records: Path, out: Path) -> dict[str, Any]:
    out.mkdir()
    command = [sys.executable, __file__, "--engine", engine, str(records), str(out)]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    figures: dict[str, Any] = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    return figures


def _rand(a: pa.Table, b: pa.Table) -> float:
    """Adjusted Rand index of two clusterings, both ordered by record id."""
    assert a["record_id"].equals(b["record_id"])
    codes = (np.unique(t["cluster_id"].to_numpy(), return_inverse=True)[1] for t in (a, b))
    return float(adjusted_rand_score(*codes))


def compare(households: int) -> dict[str, Any]:
    """Figures of both engines and how far they agree."""
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "records.parquet"
        table, _ = families.make(households)
        pq.write_table(table, records)
        found = {e: _in_a_process(e, records, Path(folder) / e) for e in ("duckdb", "spark")}
        read = {
            (e, name): pq.read_table(Path(folder) / e / f"{name}.parquet")
            for e in found
            for name in ("clusters", "pairs")
        }
    return {
        "records": table.num_rows,
        "threads": THREADS,
        "adjusted_rand_index": _rand(read["duckdb", "clusters"], read["spark", "clusters"]),
        "clusters_equal": read["duckdb", "clusters"].equals(read["spark", "clusters"]),
        "pairs_equal": read["duckdb", "pairs"].equals(read["spark", "pairs"]),
        "load_average_after": [round(x, 1) for x in os.getloadavg()],
        **found,
    }


def main() -> None:
    """Run both engines, or with --engine one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("duckdb", "spark"))
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("paths", nargs="*", type=Path)
    options = parser.parse_args()
    if options.engine:
        run_one(options.engine, *options.paths)
        return
    found = compare(options.households)
    RESULT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
