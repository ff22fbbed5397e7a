"""The engine and its peers on the same records, one process for each run: time, memory and quality.

    python benchmarks/linkage/compare.py --sets febrl1,febrl2,febrl3,febrl4,partnership-100k --runs 3
    python benchmarks/linkage/compare.py --sets doorstep-1m --runs 3 --systems ffp,splink

Systems: ffp (this engine), splink (version 5, as its documentation recommends), splink-tuned (by an
expert), recordlinkage (sets of up to 100,000 records). Systems take turns within each round, so that
a busy machine is busy for all; medians are kept. Every run measures itself from the start of its
process to clusters on disk (systems/stopwatch.py). Results are kept in benchmarks/results/linkage.json,
set by set, and shown in linkage.md and linkage.svg beside it (written anew each time).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.linkage import peers, quality, sets, shown  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "linkage.json"
SYSTEMS = {
    "ffp": ("run_ffp.py", ""),
    "splink": ("run_splink.py", "recommended"),
    "splink-tuned": ("run_splink.py", "tuned"),
    "recordlinkage": ("run_recordlinkage.py", "-"),
}
COSTS = ("wall_seconds", "cpu_seconds", "peak_gib")
PEERS = ("splink", "recordlinkage", "duckdb")
HOUR = 3600


def able(system: str, name: str) -> bool:
    """Whether a system has a set-up for a set and can be expected to finish on it."""
    if name.startswith("febrl"):
        return system != "splink-tuned"  # the documentation's examples are already made for febrl
    return system != "recordlinkage" or "-100k" in name


def run(system: str, name: str) -> dict[str, Any]:
    """One run in a process of its own; what it cost. Raises CalledProcessError with its output shown."""
    folder = sets.prepare(name)
    out = folder / system
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    script, kind = SYSTEMS[system]
    python = sys.executable if system == "ffp" else peers.ensure()
    first = sets.model(name) if system == "ffp" else kind
    command = [python, ROOT / "benchmarks" / "linkage" / "systems" / script, first, name]
    with (out / "log").open("w") as log:
        subprocess.run(
            [*command, folder / "records.parquet", out], check=True, timeout=HOUR,
            stdout=log, stderr=subprocess.STDOUT, env=os.environ | {"START": str(time.monotonic())},
        )  # fmt: skip
    cost: dict[str, Any] = json.loads((out / "cost.json").read_text())
    return cost


def judged(system: str, name: str) -> dict[str, Any]:
    """The quality of a system's last run on a set, and at the threshold that would have been best."""
    folder = sets.prepare(name)
    truth = pq.read_table(folder / "truth.parquet")
    result = quality.measure(pq.read_table(folder / system / "clusters.parquet"), truth)
    pairs = folder / system / "pairs.parquet"
    if pairs.exists():
        result["at_best_threshold"] = quality.best_threshold(pairs, truth)
    return result


def compared(name: str, systems: list[str], runs: int) -> dict[str, Any]:
    """All systems on one set, taking turns."""
    costs: dict[str, list[dict[str, Any]]] = {s: [] for s in systems if able(s, name)}
    for turn in range(runs):
        for system, known in costs.items():
            known.append(run(system, name))
            print(
                name,
                f"{turn + 1}/{runs}",
                system,
                {k: round(known[-1][k], 2) for k in COSTS},
                flush=True,
            )
    folder = sets.prepare(name)
    result: dict[str, Any] = {"records": pq.read_metadata(folder / "records.parquet").num_rows}
    truth = pq.read_table(folder / "truth.parquet")
    if "kind" in truth.column_names:
        result["pairs_of_twins"] = quality.twins(truth)
    return result | {
        "systems": {s: _summary(known) | judged(s, name) for s, known in costs.items()}
    }


def _summary(costs: list[dict[str, Any]]) -> dict[str, Any]:
    middle = {key: round(median(c[key] for c in costs), 3) for key in COSTS}
    further = {k: v for k, v in costs[-1].items() if k not in COSTS}
    each = [{key: round(c[key], 3) for key in COSTS} for c in costs]
    return middle | {"runs": each} | further


def machine() -> dict[str, Any]:
    """Where and with what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    memory = int(Path("/proc/meminfo").read_text().split()[1])
    ours = {name: metadata.version(name) for name in ("duckdb", "numpy", "pyarrow")}
    asked = f"from importlib.metadata import version; print(*map(version, {PEERS}))"
    found = subprocess.run(
        [peers.ensure(), "-c", asked], check=True, capture_output=True, text=True
    )
    return {
        "processor": next(
            (x.split(": ")[1] for x in lines if x.startswith("model name")), "unknown"
        ),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20, 1),
        "load_before": [round(x, 1) for x in os.getloadavg()],
        "python": platform.python_version(),
        "ffp": ours,
        "peers": dict(
            zip(("splink", "recordlinkage", "duckdb"), found.stdout.split(), strict=True)
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sets", default="febrl1,febrl2,febrl3,febrl4,partnership-100k,doorstep-100k"
    )
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    known = json.loads(options.results.read_text()) if options.results.exists() else {"sets": {}}
    for name in options.sets.split(","):
        where = machine()
        result = compared(name, options.systems.split(","), options.runs)
        known["sets"][name] = result | {"machine": where}
        options.results.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    shown.write(known, options.results)


if __name__ == "__main__":
    main()
