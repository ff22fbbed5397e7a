"""How feeds fare, as the pages tell an engineer: counts by feed and by rule, of nobody in particular.

Published with the view, since the warehouse is one process's at a time, and a page must answer while a run writes.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from ffp_data.home.lacking import lacks_of_returns
from ffp_data.home.run import Run

FEED_FIGURES, QUARANTINED, HUB_FIGURES = "feed_figures", "quarantined", "hub_figures"
RETURNS_LACK = "returns_lack"
_LACK = pa.schema([("feed", pa.string()), ("file", pa.string()), ("words", pa.string())])

_QUERIES = {
    FEED_FIGURES: """
        WITH figures AS (
            SELECT feed,
                   count(DISTINCT delivery_id) FILTER (status = 'loaded') AS deliveries,
                   count(DISTINCT delivery_id) FILTER (status IN ('refused', 'not_permitted')) AS refused,
                   count(DISTINCT delivery_id) FILTER (status = 'held') AS held,
                   sum(rows_delivered) AS rows_delivered, sum(rows_loaded) AS rows_loaded,
                   sum(rows_quarantined) AS rows_quarantined, sum(rows_superseded) AS rows_superseded
            FROM meta.deliveries GROUP BY feed
        )
        SELECT s.feed, s.agency, s.service_label, s.agreement, s.agreement_state, s.last_delivered_at, s.is_late,
               s.promise_late_after_hours,
               COLUMNS(['deliveries', 'refused', 'held', 'rows_delivered', 'rows_loaded', 'rows_quarantined',
                        'rows_superseded'])::BIGINT
        FROM meta.feed_state AS s LEFT JOIN figures AS f USING (feed) ORDER BY s.feed
    """,
    QUARANTINED: """
        SELECT feed, table_name, column_name, rule, set_aside, count(*) AS count
        FROM (SELECT *, 'row' AS set_aside FROM quarantine.rows
              UNION ALL BY NAME SELECT *, 'value' AS set_aside FROM quarantine."values")
        GROUP BY ALL ORDER BY feed, count DESC, table_name, column_name NULLS FIRST, rule, set_aside
    """,
    HUB_FIGURES: """
        SELECT kind AS what, count(*) AS count FROM identity.children GROUP BY kind
        UNION ALL SELECT 'record', count(*) FROM identity.person_records
        ORDER BY what
    """,
}


def published(con: duckdb.DuckDBPyConnection, run: Run) -> dict[str, pa.Table]:
    """The figures of a warehouse, by the name of their table in the view."""
    tables = {name: con.execute(query).to_arrow_table() for name, query in _QUERIES.items()}
    lacks = [vars(each) for each in lacks_of_returns(run, con)]
    return tables | {RETURNS_LACK: pa.Table.from_pylist(lacks, schema=_LACK)}
