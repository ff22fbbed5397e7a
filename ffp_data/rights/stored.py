"""Orders, and what reviewers undid, as tables of the warehouse, written before dbt builds.

| table | columns | who reads it |
| --- | --- | --- |
| `identity.shielded` | child_id | the single view: nobody is told where the child is |
| `identity.withheld_feeds` | child_id, feed | the single view: what a feed tells of the child is not shared |
| `identity.parted_records` | record_key | the programme: links that a reviewer took apart |
| `rights.withheld_children` | child_id, purpose, recipient | the release: no row of the child leaves |
| `rights.withheld_numbers` | child_id, recipient | the release: no number that names the child leaves |

A `recipient` of NULL is every recipient. They are written anew as a whole, from the hub, as at the day of the run.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub import Hub
from ffp_data.rights import restriction, share_decision
from ffp_data.rights.orders import Kind, Orders
from ffp_data.warehouse import connect

WITHHELD_CHILDREN = "rights.withheld_children"
WITHHELD_NUMBERS = "rights.withheld_numbers"

_COLUMNS: dict[str, tuple[str, ...]] = {
    "identity.shielded": ("child_id",),
    "identity.withheld_feeds": ("child_id", "feed"),
    "identity.parted_records": ("record_key",),
    WITHHELD_CHILDREN: ("child_id", "purpose", "recipient"),
    WITHHELD_NUMBERS: ("child_id", "recipient"),
}

Rows = set[tuple[str | None, ...]]


def write(run: Run) -> dict[str, int]:
    """Write the tables for a run's day; gives their numbers of rows."""
    flows = policy.grants(run).flows
    with Orders(run.home) as orders, Hub.open(run.home.hub_url) as hub:
        shields = orders.reach(run.as_at, Kind.SHIELD)
        tables: dict[str, Rows] = {
            "identity.shielded": {(child,) for _, reached in shields for child in reached},
            "identity.withheld_feeds": share_decision.withheld_feeds(orders, run),
            "identity.parted_records": {(record,) for record in hub.parted_by_reviewers()},
            WITHHELD_CHILDREN: restriction.withheld(orders, run.as_at, flows)
            | share_decision.withheld(orders, run.as_at, flows),
            WITHHELD_NUMBERS: restriction.numbers_left_out(orders, run.as_at),
        }
    with connect(run.home) as con:
        for name, rows in tables.items():
            replace(con, name, rows)
    return {name: len(rows) for name, rows in tables.items()}


def create_empty(con: duckdb.DuckDBPyConnection) -> None:
    """The tables without rows, where no order was ever given."""
    for name in _COLUMNS:
        replace(con, name, set())


def replace(con: duckdb.DuckDBPyConnection, name: str, rows: Rows) -> None:
    """Put these rows in the place of what a table holds."""
    columns = _COLUMNS[name]
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {name.partition('.')[0]}")
    ordered = sorted(rows, key=lambda row: tuple(value or "" for value in row))
    arrays = [pa.array([row[n] for row in ordered], pa.string()) for n in range(len(columns))]
    con.register("rows_in", pa.table(arrays, list(columns)))
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM rows_in")
    con.unregister("rows_in")
