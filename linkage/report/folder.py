"""A result becomes a folder, all of it or nothing, and the truth is read from the records' own file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from linkage import tables
from linkage.curves import by_threshold, calibration
from linkage.errors import LinkageError
from linkage.linker import LinkResult
from linkage.model import Model
from linkage.quality import quality
from linkage.report.page import page
from linkage.report.run import Run
from linkage.sql_text import identifier

FILES = (
    "clusters.parquet",
    "pairs.parquet",
    "joins.parquet",
    "cuts.parquet",
    "parameters.json",
    "report.json",
    "report.html",
)


def write(
    result: LinkResult, model: Model, out: Path | str, measured: dict[str, Any] | None = None
) -> None:
    """Write a result to the folder ``out``: what was linked, why (joins, cuts), report and page.

    The files are written beside it and moved into place together, so that no reader ever sees a
    half result. A folder of an earlier run is replaced; any other folder that is not empty is
    refused with LinkageError. ``measured`` is what `measure` gave.
    """
    folder = Path(out)
    refuse_foreign(folder)
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    report = result.report | ({"quality": measured} if measured else {})
    with tempfile.TemporaryDirectory(
        prefix=f".{folder.name}-", dir=folder.absolute().parent
    ) as scratch:
        new = Path(scratch) / "new"
        new.mkdir(mode=0o755)
        tables_of = (result.clusters, result.pairs, result.joins, result.cuts)
        for name, written in zip(FILES, tables_of, strict=False):
            pq.write_table(written, new / name)
        if result.fitted is not None:
            result.fitted.save(new / "parameters.json")
        text = json.dumps(report, indent=2, sort_keys=True, allow_nan=False)
        (new / "report.json").write_text(text + "\n", encoding="utf-8")
        run = Run(model, result.clusters, result.pairs, report, measured)
        (new / "report.html").write_text(page(run), encoding="utf-8")
        _put(new, folder, Path(scratch) / "old")


def _put(new: Path, folder: Path, aside: Path) -> None:
    """Move a finished folder into place; what was there stays if that fails."""
    if folder.exists():
        folder.rename(aside)
    try:
        new.rename(folder)
    except OSError:
        if aside.exists():
            aside.rename(folder)
        raise


def refuse_foreign(folder: Path) -> None:
    """Raise LinkageError for a place that holds anything but an earlier result."""
    if folder.exists() and not folder.is_dir():
        raise LinkageError(f"{folder}: is a file; name a folder for the result")
    others = (
        sorted(p.name for p in folder.iterdir() if p.name not in FILES) if folder.exists() else []
    )
    if others:
        raise LinkageError(
            f"{folder}: holds other files ({', '.join(others[:3])}); name a new folder for the result"
        )


def read_truth(
    records: pa.Table | Path | str, model: Model, truth: str, by: Iterable[str] = ()
) -> pa.Table:
    """(record_id, person_id, ...) from columns of the records; raises LinkageError if one is missing.

    A truth column that the model also reads would mark its own homework, so it is refused.
    """
    columns = list(dict.fromkeys(by))
    if clash := {"record_id", "person_id"} & set(columns):
        raise LinkageError(f"a group column cannot be called {', '.join(sorted(clash))}")
    read = {inputs for name in model.columns for inputs in model.inputs_of(name)}
    if truth in read:
        raise LinkageError(
            f"column '{truth}' is the truth but the model links by it; take it out of the model"
        )
    with (
        duckdb.connect(":memory:", config={"temp_file_encryption": "true"}) as con,
        tables.reading(records),
    ):
        tables.register(con, records)
        present = {row[0] for row in con.execute("DESCRIBE input").fetchall()}
        missing = [c for c in (model.record_id, truth, *columns) if c not in present]
        if missing:
            raise LinkageError(f"the records have no column {', '.join(missing)}")
        old, new = [model.record_id, truth, *columns], ["record_id", "person_id", *columns]
        chosen = (
            f"{identifier(o)}::VARCHAR AS {identifier(n)}" for o, n in zip(old, new, strict=True)
        )
        return con.execute(f"SELECT {', '.join(chosen)} FROM input").to_arrow_table()


def measure(
    result: LinkResult, model: Model, truth: pa.Table, by: Iterable[str] = ()
) -> dict[str, Any]:
    """Quality of a result for its report: figures with intervals, groups, thresholds, calibration."""
    return quality(result.clusters, truth, by) | {
        "by_threshold": by_threshold(result.pairs, truth),
        "calibration": calibration(result.pairs, truth, model.thresholds.review),
    }
