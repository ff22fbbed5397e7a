"""Who is a child: age decides; without a birth date, what the feeds say the person is."""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa

KINDS = """
SELECT child_id,
       CASE WHEN mode(p.date_of_birth ORDER BY p.date_of_birth) > $as_at::DATE - INTERVAL 18 YEAR THEN 'child'
            WHEN count(p.date_of_birth) > 0 THEN 'adult'
            WHEN count(p.expected_birth_date) > 0 THEN 'unborn'
            WHEN bool_or(p.role = 'child') THEN 'child'
            ELSE 'adult' END AS kind
FROM {} m JOIN identity.person_records p USING (record_key)
GROUP BY child_id ORDER BY child_id
"""
"""SQL of the kind of each identifier; to be formatted with the name of a table of record_key and child_id."""


def kinds_of(
    con: duckdb.DuckDBPyConnection, membership: pa.Table, as_at: date
) -> list[tuple[str, str]]:
    """(child_id, kind) by child_id: child, unborn or adult; membership: record_key, child_id."""
    con.register("membership_in", membership)
    rows = con.execute(KINDS.format("membership_in"), {"as_at": as_at}).fetchall()
    con.unregister("membership_in")
    return [(child_id, kind) for child_id, kind in rows]
