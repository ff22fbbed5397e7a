"""What releases of this hub read, and where its warehouse says whose rights bind them."""

from __future__ import annotations

import duckdb

from ffp_data.pipeline.protected import MUST_NOT_BE_LOCATED
from governance.release import Rights, Zone

SCHEMAS = frozenset({"single_view", "returns", "matching", "timeliness", "statistics"})


def release_zone(con: duckdb.DuckDBPyConnection) -> Zone:
    """The zone of a connection to the warehouse."""
    return Zone(
        SCHEMAS,
        Rights(
            protected=MUST_NOT_BE_LOCATED,
            kept_out=_table(con, "rights.withheld_children", "child_id", "purpose", "recipient"),
            unnumbered=_table(con, "rights.withheld_numbers", "child_id", "recipient"),
            members="SELECT record_key, child_id FROM identity.child_membership",
        ),
    )


def _table(con: duckdb.DuckDBPyConnection, name: str, *columns: str) -> str:
    """The SELECT of a table of orders; of no rows in a home whose last run knew no orders yet."""
    schema, _, table = name.partition(".")
    exists = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database()"
        " AND schema_name = ? AND table_name = ?",
        [schema, table],
    ).fetchone()
    if exists and exists[0]:
        return f"SELECT {', '.join(columns)} FROM {name}"
    return f"SELECT {', '.join(f'NULL::VARCHAR AS {each}' for each in columns)} WHERE false"
