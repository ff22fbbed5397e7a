"""Tables that dbt reads beside the feeds: bank holidays, declared facts, and what each feed's silence means.

`meta.feed_state` is what lets a page say why nothing is known: no agreement, not sent here, late, or
looked for and not found.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from ffp_data import feeds
from ffp_data.calendar import bank_holidays
from ffp_data.feeds import Contract, Freshness
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.home.shut_records import feeds_in_force
from ffp_data.pipeline import ingest, lateness
from ffp_data.warehouse import connect
from governance.grants import Grants

FEED_STATE = pa.schema(
    [
        ("feed", pa.string()),
        ("agency", pa.string()),
        ("service", pa.string()),
        ("service_label", pa.string()),
        ("precedence", pa.int32()),
        ("is_for_returns", pa.bool_()),
        ("is_through_family", pa.bool_()),
        ("first_age", pa.int32()),
        ("last_age", pa.int32()),
        ("agreement", pa.string()),
        ("agreement_state", pa.string()),
        ("last_delivered_at", pa.timestamp("us")),
        ("promise_late_after_hours", pa.int32()),
        ("is_late", pa.bool_()),
        ("covered", pa.bool_()),
    ]
)


def write_bank_holidays(run: Run) -> dict[str, Any]:
    """Write meta.bank_holidays (date); returns figures for the asset."""
    days = pa.table({"date": pa.array(sorted(bank_holidays()), pa.date32())})
    with connect(run.home) as con:
        con.execute("CREATE OR REPLACE TABLE meta.bank_holidays AS SELECT date FROM days")
    return {"days": days.num_rows}


def write_declared_facts(run: Run) -> dict[str, int]:
    """Write raw.declared_events and raw.declared_involvements; returns the rows of each."""
    with connect(run.home) as con:
        feeds.create_empty_raw_tables(con, run.contracts)
        return feeds.build_facts(con, feeds_in_force(run, policy.grants(run)))


def write_feed_state(run: Run) -> dict[str, Any]:
    """Write meta.feed_state, one row for each contract, and alert once of a feed that became late.

    Returns figures for the asset.
    """
    allowed = policy.grants(run)
    strangers = ingest.refuse_strangers(run)
    with connect(run.home) as con:
        fresh, rows = store_feed_state(con, run, allowed)
        expected = {row["feed"] for row in rows if row["agreement_state"] == "in_force"}
        told = lateness.tell_changes(con, run, [f for f in fresh if f.feed in expected])
    return {
        "feeds": len(rows),
        "files in no feed's folder": strangers,
        "late": [row["feed"] for row in rows if row["is_late"]],
        "told late or back": told,
        "without agreement": [r["feed"] for r in rows if r["agreement_state"] != "in_force"],
    }


def store_feed_state(
    con: duckdb.DuckDBPyConnection, run: Run, allowed: Grants
) -> tuple[list[Freshness], list[dict[str, Any]]]:
    """Make meta.feed_state of what the books of `con` say and `allowed` lets in; freshness and rows by feed."""
    contracts = run.contracts
    fresh = feeds.freshness(con, contracts, run.as_at)
    rows = [_state(contracts[f.feed], f, allowed) for f in fresh]
    states = pa.Table.from_pylist(rows, schema=FEED_STATE)  # noqa: F841 -- read by name
    con.execute("CREATE OR REPLACE TABLE meta.feed_state AS SELECT * FROM states")
    return fresh, rows


def _state(contract: Contract, fresh: Freshness, allowed: Grants) -> dict[str, Any]:
    promise = feeds.parse_duration(contract.hub.promise.late_after)
    in_force = any(allowed.ingest(contract.id, table.name).allowed for table in contract.tables)
    return {
        "feed": contract.id,
        "agency": contract.hub.agency,
        **service_facts(contract),
        "agreement": contract.hub.agreement,
        "agreement_state": "in_force" if in_force else "not_in_force",
        "last_delivered_at": fresh.last_delivered_at,
        "promise_late_after_hours": int(promise.total_seconds() // 3600),
        "is_late": fresh.state == "late",
        "covered": fresh.state != "never",
    }


def service_facts(contract: Contract) -> dict[str, Any]:
    """The columns of meta.feed_state that tell the service a feed speaks for; NULL when it has none."""
    service = contract.hub.service
    if service is None:
        return {"is_for_returns": False, "is_through_family": False}
    first_age, last_age = service.ages or (None, None)
    return {
        "service": service.name,
        "service_label": service.label,
        "precedence": service.precedence,
        "is_for_returns": service.for_returns,
        "is_through_family": service.through == "family",
        "first_age": first_age,
        "last_age": last_age,
    }
