"""What encryption at rest costs the hub on SQLite: the same runs and look-ups, plain and with SQLCipher.

    python benchmarks/hub/at_rest.py                       30,000 records, 10,000 children
    python benchmarks/hub/at_rest.py --records 300000

Each database takes a first run (every identifier is issued), the same run again (the whole state is loaded
and compared, nothing is written), a run in which one child in a hundred changes, 5,000 look-ups of an
identifier one by one, and the whole membership. The two take turns, and the best of several rounds counts.
The result goes to benchmarks/results/hub_at_rest.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.hub.machine import machine  # noqa: E402
from ffp_data.hub import Hub  # noqa: E402
from ffp_data.lookups.register import Register  # noqa: E402
from ffp_data.settings import Home  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "hub_at_rest.json"
DAY = date(2026, 3, 31)
LOOKUPS = 5_000


def clusters(records: int, moved: int = 0) -> pa.Table:
    """Clusters of three records; the last record of the first ``moved`` clusters stands alone."""
    keys = [f"feed|{number:08d}" for number in range(records)]
    ids = [f"c{n // 3 if n % 3 < 2 or n // 3 >= moved else records + n}" for n in range(records)]
    return pa.table({"record_id": keys, "cluster_id": ids})


def one_round(url: str, records: int) -> dict[str, float]:
    """Wall seconds of each step on an empty database."""
    spent: dict[str, float] = {}

    def timed(name: str, began: float) -> None:
        spent[name] = time.perf_counter() - began

    links, later = clusters(records), clusters(records, records // 300)
    with Hub.open(url) as hub:
        for number, (name, table) in enumerate(
            (("insert", links), ("whole state", links), ("one in a hundred", later))
        ):
            began = time.perf_counter()
            hub.apply_run(
                f"run {number}",
                DAY + timedelta(number),
                "model",
                table,
                allow_large_change=True,
            )
            timed(name, began)
        began = time.perf_counter()
        children = hub.membership()["child_id"].to_pylist()
        timed("membership", began)
    register = Register.open(url)
    asked = Random(7).choices(children, k=LOOKUPS)
    began = time.perf_counter()
    for child in asked:
        register.standing(child)
    timed(f"{LOOKUPS} look-ups", began)
    register.close()
    return spent


def measure(records: int, rounds: int) -> dict[str, Any]:
    """The best of several rounds for each kind, in seconds, and encrypted over plain."""
    best: dict[str, dict[str, float]] = {"plain": {}, "encrypted": {}}
    sizes = {}
    for _ in range(rounds):
        for kind, found in best.items():
            with tempfile.TemporaryDirectory() as folder:
                home = Home(Path(folder))
                url = home.hub_url if kind == "encrypted" else f"sqlite:///{home.hub_file}"
                for name, spent in one_round(url, records).items():
                    found[name] = min(found.get(name, spent), spent)
                sizes[kind] = home.hub_file.stat().st_size
    ratio = {
        name: round(best["encrypted"][name] / spent, 2) for name, spent in best["plain"].items()
    }
    seconds = {kind: {n: round(s, 3) for n, s in found.items()} for kind, found in best.items()}
    return {"records": records, "seconds": seconds, "ratio": ratio, "bytes": sizes}


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    result = {**measure(options.records, options.rounds), "machine": machine()}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
