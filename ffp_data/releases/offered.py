"""What an agreement offers for a return, as views of one connection: the tables that the return is built from."""

from __future__ import annotations

import duckdb

from ffp_data.returns.sources import SOURCES
from ffp_data.returns.tehadc.model import CONFLICTS
from ffp_data.warehouse import CATALOG
from governance.grants import ReleaseDecision
from governance.release import ReleaseFailedError

OFFERED = "memory.offered"  # views of this connection alone


def offer(con: duckdb.DuckDBPyConnection, decision: ReleaseDecision) -> None:
    """Make the tables that the return is built from: agreed columns as they are, others empty.

    Tables of schema `returns` that the agreement does not name are there for checking one return
    against another; `governance.release` refuses a return that has rows of them. Raises ReleaseFailedError
    for an agreement on less than a return needs.
    """
    refuse_what_a_return_cannot_do(decision)
    agreed: dict[str, set[str]] = {}
    for item in decision.items:
        agreed.setdefault(item.relation, set()).add(item.column)
    con.execute(f"CREATE OR REPLACE SCHEMA {OFFERED}")
    for table, columns in _columns_of_returns(con).items():
        may_leave = agreed.get(f"returns.{table}", set(columns))
        listed = ", ".join(
            name if name in may_leave else f"NULL::{kind} AS {name}"
            for name, kind in columns.items()
        )
        con.execute(
            f"CREATE VIEW {OFFERED}.{table} AS SELECT {listed} FROM {CATALOG}.returns.{table}"
        )
    # No part of the return: these say which record to mend, and stay in the council.
    con.execute(f"CREATE VIEW {OFFERED}.{SOURCES} AS {_SOURCES}")
    con.execute(
        f"CREATE VIEW {OFFERED}.{CONFLICTS} AS SELECT child_id AS child_key, * EXCLUDE (child_id) "
        f"FROM {CATALOG}.intermediate.int_census__conflicts"
    )


_SOURCES = f"""
SELECT
    s.return_table, s.child_id AS child_key, s.cin_key, s.row_key, s.column_name, s.row_value,
    s.record_key, s.source_table, s.delivery_id, s.line, d.file_name
FROM {CATALOG}.intermediate.int_census__sources AS s
LEFT JOIN (
    SELECT delivery_id, table_name, min(file_name) AS file_name
    FROM {CATALOG}.meta.deliveries GROUP BY delivery_id, table_name
) AS d ON s.delivery_id = d.delivery_id AND s.source_table = d.table_name
"""


def refuse_what_a_return_cannot_do(decision: ReleaseDecision) -> None:
    """A return holds whole values of all its children; an agreement on less must not be overrun."""
    changed = sorted(name for name, how in decision.transforms.items() if how != "clear")
    narrow = decision.cohort is None or decision.cohort.members is not None
    if changed or narrow:
        what = (
            f"columns that must be changed ({', '.join(changed)})" if changed else "some rows only"
        )
        raise ReleaseFailedError(
            f"{decision.agreement} gives {what}, which a return cannot do; amend the agreement"
        )


def _columns_of_returns(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Column -> type of each table of schema `returns`."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = 'returns' "
        "ORDER BY table_name, column_index"
    ).fetchall():
        found.setdefault(table, {})[column] = kind
    return found
