"""The tables of a made-up partnership's truth: which record is which person, and which faults were planted."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv


def read_truth(path: Path) -> pa.Table:
    """A table of truth/, all columns as text: an identifier is never a number."""
    with path.open("rb") as handle:
        names = handle.readline().decode("utf-8").strip().split(",")
    convert = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    return pyarrow.csv.read_csv(path, convert_options=convert)
