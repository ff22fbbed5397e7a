"""Tables of values that mean the same: found, read, and laid over the values of a column."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from linkage.errors import LinkageError
from linkage.model import Model
from linkage.standardise import apply_steps

DATA = Path(__file__).parent / "data"


def equivalents_path(model: Model, table: str) -> Path:
    """Where a table of equivalents lies: beside the model file, or in this package's data."""
    beside = model.path.parent / model.equivalents[table] if model.path else None
    found = [p for p in (beside, DATA / model.equivalents[table]) if p and p.is_file()]
    if not found:
        raise LinkageError(
            f"{model.path or 'model'}: key 'equivalents.{table}': no file "
            f"'{model.equivalents[table]}' beside the model or in {DATA}"
        )
    return found[0]


def read_equivalents(path: Path) -> pa.Table:
    """Columns value and group_id of a table of equivalents."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not {"value", "group", "source"} <= set(reader.fieldnames or ()):
            raise LinkageError(f"{path}, line 1: needs the columns value, group and source")
        rows = [(row["value"], row["group"]) for row in reader]
    groups = {g: i for i, g in enumerate(sorted({group for _, group in rows}))}
    return pa.table(
        {
            "value": pa.array([v for v, _ in rows], pa.string()),
            "group_id": pa.array([groups[g] for _, g in rows], pa.int32()),
        }
    )


def groups_table(con: duckdb.DuckDBPyConnection, model: Model, column: str) -> pa.Table:
    """Columns value, as the column's steps leave it, and groups: their numbers, ascending."""
    spec = model.columns[column]
    assert spec.equivalents is not None
    con.register("equivalents_in", read_equivalents(equivalents_path(model, spec.equivalents)))
    found = con.execute(
        f"SELECT {apply_steps('value', spec.steps)} AS value,"
        " list(DISTINCT group_id ORDER BY group_id) AS groups FROM equivalents_in GROUP BY 1"
    ).to_arrow_table()
    con.unregister("equivalents_in")
    return found


def groups_of(
    con: duckdb.DuckDBPyConnection, model: Model, column: str, values: pa.Array
) -> pa.ListArray:
    """The groups of each value in the column's table; null where it has none."""
    table = groups_table(con, model, column).combine_chunks()
    known = table["value"].combine_chunks()
    return table["groups"].combine_chunks().take(pc.index_in(values, known, skip_nulls=True))
