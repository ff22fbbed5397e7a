"""Why records are together or apart, kept from a linkage run for those who review its doubtful pairs.

identity.link_joins, link_cuts and link_clashes are the engine's tables of these names;
identity.link_weights holds, as one JSON document, the parameters from which the weight of a pair can
be told comparison by comparison.
"""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pyarrow as pa

import linkage

WEIGHTS = ("parameters", "parameters_apart", "shares_of_all_pairs")
_CLASHES = ("record_id_l", "record_id_r", "reason", "against_l", "against_r", "outcome")


def keep_reasons(con: duckdb.DuckDBPyConnection, result: linkage.LinkResult) -> None:
    """Write the four tables of a run's result."""
    joins, cuts = result.joins, result.cuts  # noqa: F841 -- read by name
    clashes = pa.Table.from_pylist(  # noqa: F841 -- read by name
        result.report["clashes"], pa.schema([(name, pa.string()) for name in _CLASHES])
    )
    for table in ("joins", "cuts", "clashes"):
        con.execute(f"CREATE OR REPLACE TABLE identity.link_{table} AS SELECT * FROM {table}")
    known = {name: result.report[name] for name in WEIGHTS if name in result.report}
    con.execute(
        "CREATE OR REPLACE TABLE identity.link_weights AS SELECT ?::VARCHAR AS document",
        [json.dumps(known)],
    )


def read_weights(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What `keep_reasons` kept of the parameters."""
    row = con.execute("SELECT document FROM identity.link_weights").fetchone()
    assert row is not None, "the table has one row"
    weights: dict[str, Any] = json.loads(row[0])
    return weights
