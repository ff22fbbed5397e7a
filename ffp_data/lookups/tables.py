"""Membership as at a day: written whole to a file, or shown page by page."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from ffp_data.lookups.answers import AsOf, Membership
from governance.files import replacing


def written_day(text: str) -> date | str:
    """A day, where the text is one; else the id of a run."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def page(table: pa.Table, withheld: int, asked: str, offset: int, limit: int) -> AsOf:
    """Counts of the whole, and some of its rows."""
    rows = table.slice(offset, limit).to_pylist()
    return AsOf(
        as_of=asked,
        records=table.num_rows,
        children=pc.count_distinct(table["child_id"]).as_py(),
        withheld=withheld,
        membership=[Membership(**row) for row in rows],
    )


def write_keys(table: pa.Table, path: Path) -> None:
    """Write a CSV without quotes where none are needed, for its owner's eyes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    with replacing(path) as handle:
        handle.write(text.getvalue().encode())


def write_table(table: pa.Table, path: Path) -> None:
    """Write a .csv or .parquet, whole or not at all, for its owner's eyes."""
    with replacing(path) as handle:
        if path.suffix == ".csv":
            pyarrow.csv.write_csv(table, handle)
        else:
            pq.write_table(table, handle)
