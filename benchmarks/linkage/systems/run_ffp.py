"""This engine on one set: `run_ffp.py MODEL SET RECORDS OUT [MEMORY]`, called as `ffp link` calls it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
from stopwatch import stop

import linkage


def main() -> None:
    model, _, records, out = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    memory = sys.argv[5] if len(sys.argv) > 5 else None
    result = linkage.link(records, linkage.Model.from_yaml(model), memory_limit=memory)
    pq.write_table(result.clusters, out / "clusters.parquet")
    stop(out, seconds_by_stage=result.report["timings_seconds"], pairs=result.report["pairs"])
    (out / "report.json").write_text(json.dumps(result.report, indent=1, default=str))


main()
