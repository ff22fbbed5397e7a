"""What a data engineer asks of the feeds: does every row account for itself, is anything late, what was set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

import duckdb
import pyarrow as pa

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.vocabulary import parse_duration

_RECONCILE = """
SELECT d.feed, d.table_name, d.file_name, d.delivery_id, d.rows_delivered, d.rows_loaded,
    d.rows_quarantined, d.rows_superseded, coalesce(q.n, 0) AS rows_in_quarantine, coalesce(r.n, 0) AS rows_in_raw,
    d.rows_delivered = d.rows_loaded + d.rows_quarantined + d.rows_superseded
        AND d.rows_loaded = coalesce(r.n, 0)
        AND d.rows_quarantined = coalesce(q.n, 0) AS is_reconciled
FROM meta.deliveries d
LEFT JOIN (SELECT delivery_id, feed, table_name, count(*) AS n FROM quarantine.rows GROUP BY ALL) q
    USING (delivery_id, feed, table_name)
LEFT JOIN ({in_raw}) r USING (delivery_id, feed, table_name)
WHERE d.status IN ('loaded', 'retracted')
ORDER BY d.received_seq, d.table_name
"""

_FAULTS = """
SELECT * FROM (SELECT *, 'row' AS kind FROM quarantine.rows UNION ALL SELECT *, 'value' AS kind FROM quarantine.values)
WHERE feed = coalesce($feed, feed) AND starts_with(delivery_id, coalesce($delivery, ''))
"""

_QUARANTINE = """
SELECT feed, table_name, file_name, kind, rule, column_name, count(*) AS faults, min(line) AS first_line,
    first(value_redacted ORDER BY line) AS example, first(remedy) AS remedy
FROM ({faults})
GROUP BY feed, table_name, file_name, kind, rule, column_name
ORDER BY feed, table_name, file_name, kind, rule, column_name
"""


def reconcile(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> pa.Table:
    """One row for each loaded or retracted delivery and table: its counts beside what the tables really hold.

    `is_reconciled` is true when delivered = loaded + quarantined + superseded and both counts of the
    books equal the rows counted.
    """
    in_raw = " UNION ALL ".join(
        f"SELECT _delivery_id AS delivery_id, '{c.id}' AS feed, '{t.name}' AS table_name, count(*) AS n"
        f" FROM {c.raw_name(t)} GROUP BY _delivery_id"
        for c in contracts.values()
        for t in c.tables
    )
    return con.execute(_RECONCILE.format(in_raw=in_raw)).to_arrow_table()


def quarantine_report(
    con: duckdb.DuckDBPyConnection, feed: str | None = None, delivery: str | None = None
) -> pa.Table:
    """Rows and values set aside, counted by file, rule and column, with the first line and a redacted example.

    `feed` and `delivery` (an id, or how it begins) narrow it.
    """
    chosen = {"feed": feed, "delivery": delivery}
    return con.execute(_QUARANTINE.format(faults=_FAULTS), chosen).to_arrow_table()


def faults(
    con: duckdb.DuckDBPyConnection, feed: str | None = None, delivery: str | None = None
) -> pa.Table:
    """Each row and value set aside, in order of feed, file and line; `kind` is row or value."""
    order = "ORDER BY feed, file_name, delivery_id, table_name, line, column_name, rule"
    return con.execute(f"{_FAULTS} {order}", {"feed": feed, "delivery": delivery}).to_arrow_table()


@dataclass(frozen=True)
class Freshness:
    """How a feed keeps its promise. Times are UTC; `late_from` is when it counts as late."""

    feed: str
    last_delivered_at: datetime | None
    late_from: datetime | None
    state: Literal["fresh", "due", "late", "never"]


def freshness(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], as_at: date
) -> list[Freshness]:
    """State of every feed at the end of day `as_at`, in order of feed; a delivery of later days counts too."""
    last = dict(
        con.execute(
            "SELECT feed, max(delivered_at) FROM meta.deliveries WHERE status = 'loaded' GROUP BY feed"
        ).fetchall()
    )
    end = datetime.combine(as_at + timedelta(days=1), time())
    return [
        _freshness(contract, last.get(feed), end) for feed, contract in sorted(contracts.items())
    ]


def freshness_of(contract: Contract, last: datetime, as_at: date) -> Freshness:
    """State at the end of day `as_at` of what a feed's last delivery, at `last`, speaks for."""
    return _freshness(contract, last, datetime.combine(as_at + timedelta(days=1), time()))


def _freshness(contract: Contract, last: datetime | None, now: datetime) -> Freshness:
    if last is None:
        return Freshness(contract.id, None, None, "never")
    promise = contract.hub.promise
    due, late = last + parse_duration(promise.every), last + parse_duration(promise.late_after)
    state: Literal["fresh", "due", "late"] = (
        "late" if now > late else "due" if now > due else "fresh"
    )
    return Freshness(contract.id, last, late, state)
