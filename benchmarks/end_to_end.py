"""The whole way at a given size: wall seconds, CPU seconds and peak memory, beside what came out.

    make bench                      30,000 children, as the README reports it
    python benchmarks/end_to_end.py --children 3000

The run is `ffp demo` in a process of its own in a fresh folder; peak memory is the largest resident set
of that process or of one of its children (dbt). The result goes to benchmarks/results/end_to_end.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "end_to_end.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=30_000)
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)

    ffp = Path(sys.executable).with_name("ffp")
    started = time.perf_counter()
    done = subprocess.run(
        [ffp, "demo", options.folder, "--children", str(options.children), "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - started
    if done.returncode:
        print(f"ffp demo ended with {done.returncode}", file=sys.stderr)
        return done.returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads(done.stdout)
    result = {
        "children": options.children,
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_memory_gib": round(used.ru_maxrss / 2**20, 2),  # kilobytes on Linux
        "python": platform.python_version(),
        "seconds_by_stage": {k: round(v, 1) for k, v in summary["seconds"].items()},
        "feeds": summary["feeds"],
        "linkage": summary["linkage"],
        "returns": summary["returns"],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known[str(options.children)] = result
    RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "feeds"}, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
