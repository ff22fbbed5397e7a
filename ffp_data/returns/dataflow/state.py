"""What DfE is to hold of each child and what it holds, in the encrypted warehouse.

One row per child's number: the payload to bring DfE to, the payload that it last took, and whether
that step is pending, sent or in error. A build replaces the whole table in one statement; a batch
that DfE took is recorded once, in one transaction, and only while its children are still pending.
Tables lie in schema `dataflow` of the warehouse; the warehouse, not the hub's store, because it is
encrypted at rest and payloads hold names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from ffp_data.returns.dataflow.build import PLACE, Problem
from ffp_data.returns.dataflow.difference import Payload, deletion, difference, keep_ids
from ffp_data.returns.dataflow.layout import SCHEMA, Layout

SUBMISSIONS = f"{SCHEMA}.submissions"
BUILDS = f"{SCHEMA}.builds"


class TooManyPurgedError(ValueError):
    """A build would take more children out of what DfE holds than the layout lets it."""


class NotPendingError(RuntimeError):
    """A batch was to be recorded as sent of which a child is not pending: it was recorded before."""


@dataclass(frozen=True)
class Pending:
    """A child with something to send."""

    la_child_id: str
    row_state: str
    message: Payload


@dataclass(frozen=True)
class LastBuild:
    """On what day the table was built, and a digest of the agreement's terms as they then were."""

    as_at: str
    agreement: str
    terms: str


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the state where they are missing."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    con.execute(f"CREATE TABLE IF NOT EXISTS {SUBMISSIONS} ({_COLUMNS})")
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {BUILDS} (as_at VARCHAR, agreement VARCHAR, terms VARCHAR)"
    )


_COLUMNS = """
la_child_id VARCHAR NOT NULL, built_sha256 VARCHAR, payload VARCHAR, sent_payload VARCHAR,
row_state VARCHAR NOT NULL, submission_status VARCHAR NOT NULL, reason VARCHAR,
answer VARCHAR, batch VARCHAR, receipt VARCHAR
"""


def merge(
    con: duckdb.DuckDBPyConnection,
    layout: Layout,
    problems: Sequence[Problem],
    about: LastBuild,
    *,
    allow_purges: bool = False,
) -> None:
    """Bring the state to `memory.dataflow.built`: each child new, updated, deleted or unchanged.

    A child with a problem is in error and keeps what DfE holds. Raises TooManyPurgedError, and
    changes nothing, when more of the children that DfE holds are gone than the layout lets through.
    """
    _register(con, "dataflow_kept", _kept(con, layout), ("la_child_id", "payload"))
    told: dict[str, list[str]] = {}
    for each in problems:
        told.setdefault(each.la_child_id, []).append(f"{each.field}: {each.rule}")
    reasons = [(child, "; ".join(found)) for child, found in sorted(told.items())]
    _register(con, "dataflow_wrong", reasons, ("la_child_id", "reason"))
    con.execute("BEGIN")
    try:
        con.execute(f"CREATE OR REPLACE TABLE {SUBMISSIONS} AS {_MERGED}")
        if not allow_purges:
            _refuse_many_purges(con, layout)
        con.execute(f"DELETE FROM {BUILDS}")
        con.execute(
            f"INSERT INTO {BUILDS} VALUES (?, ?, ?)", [about.as_at, about.agreement, about.terms]
        )
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise


_MERGED = f"""
WITH met AS (
    SELECT la_child_id, built.sha256 AS built_sha256,
        CASE
            WHEN built.sha256 IS NULL THEN NULL
            WHEN built.sha256 = held.built_sha256 AND held.payload IS NOT NULL THEN held.payload
            ELSE coalesce(kept.payload, built.payload)
        END AS payload,
        held.sent_payload, held.batch, held.receipt, wrong.reason
    FROM {PLACE}.built AS built
    FULL JOIN {SUBMISSIONS} AS held USING (la_child_id)
    LEFT JOIN dataflow_kept AS kept USING (la_child_id)
    LEFT JOIN dataflow_wrong AS wrong USING (la_child_id)
),
stated AS (
    SELECT *,
        CASE
            WHEN payload IS NULL THEN 'Deleted'
            WHEN sent_payload IS NULL THEN 'New'
            WHEN payload = sent_payload THEN 'Unchanged'
            ELSE 'Updated'
        END AS row_state
    FROM met
    WHERE payload IS NOT NULL OR sent_payload IS NOT NULL
)
SELECT la_child_id, built_sha256, payload, sent_payload, row_state,
    CASE
        WHEN row_state = 'Unchanged' THEN 'Sent'
        WHEN row_state != 'Deleted' AND reason IS NOT NULL THEN 'Error'
        ELSE 'Pending'
    END AS submission_status,
    CASE WHEN row_state IN ('New', 'Updated') THEN reason END AS reason,
    NULL::VARCHAR AS answer, batch, receipt
FROM stated ORDER BY la_child_id
"""


def _kept(con: duckdb.DuckDBPyConnection, layout: Layout) -> list[tuple[str, str]]:
    """Payloads that changed since the last build, with the ids that DfE knows."""
    changed = con.execute(
        f"SELECT la_child_id, built.payload, held.sent_payload FROM {PLACE}.built AS built"
        f" INNER JOIN {SUBMISSIONS} AS held USING (la_child_id)"
        " WHERE held.sent_payload IS NOT NULL AND built.sha256 IS DISTINCT FROM held.built_sha256"
        " ORDER BY la_child_id"
    ).fetchall()
    after = []
    for child, built, sent in changed:
        wanted, held = json.loads(built), json.loads(sent)
        kept = keep_ids(wanted, held, layout)
        after.append((child, sent if kept == held else _text(kept)))
    return after


def _refuse_many_purges(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    gone, held = con.execute(
        "SELECT count(*) FILTER (row_state = 'Deleted'), count(*)"
        f" FROM {SUBMISSIONS} WHERE sent_payload IS NOT NULL"
    ).fetchall()[0]
    if gone > held * layout.largest_share_purged.value:
        raise TooManyPurgedError(
            f"{gone} of the {held} children that DfE holds would be purged, which is more than"
            f" {layout.largest_share_purged.value:.0%}; look at the last drop, or say --allow-purges"
        )


def last_build(con: duckdb.DuckDBPyConnection) -> LastBuild | None:
    """The build that the state comes from; None before the first."""
    row = con.execute(f"SELECT as_at, agreement, terms FROM {BUILDS}").fetchone()
    return LastBuild(*row) if row else None


def counts(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Children by status and state."""
    found: dict[str, dict[str, int]] = {}
    for status, state, number in con.execute(
        f"SELECT submission_status, row_state, count(*) FROM {SUBMISSIONS} GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        found.setdefault(status, {})[state] = number
    return found


def errors(con: duckdb.DuckDBPyConnection) -> list[dict[str, str]]:
    """Children in error: number, state and reason, never a value; and DfE's answer, which may be one."""
    rows = con.execute(
        f"SELECT la_child_id, row_state, reason, coalesce(answer, '') FROM {SUBMISSIONS}"
        " WHERE submission_status = 'Error' ORDER BY la_child_id"
    ).fetchall()
    names = ("child", "state", "reason", "answer")
    return [dict(zip(names, row, strict=True)) for row in rows]


def pending_children(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Numbers of the children with something to send, in order."""
    rows = con.execute(
        f"SELECT la_child_id FROM {SUBMISSIONS} WHERE submission_status = 'Pending' ORDER BY ALL"
    ).fetchall()
    return [child for (child,) in rows]


def messages(
    con: duckdb.DuckDBPyConnection, layout: Layout, children: Sequence[str]
) -> list[Pending]:
    """What is to be sent of these children: whole, as a difference, or a purge."""
    rows = con.execute(
        f"SELECT la_child_id, row_state, payload, sent_payload FROM {SUBMISSIONS}"
        " WHERE list_contains(?, la_child_id) ORDER BY la_child_id",
        [list(children)],
    ).fetchall()
    return [
        Pending(child, state, _message(state, payload, sent, layout))
        for child, state, payload, sent in rows
    ]


def _message(state: str, payload: str | None, sent: str | None, layout: Layout) -> Payload:
    wanted = json.loads(payload) if payload else {}
    if sent is None:
        return dict(wanted)
    held = json.loads(sent)
    return deletion(held, layout) if state == "Deleted" else difference(wanted, held, layout)


def mark_sent(con: duckdb.DuckDBPyConnection, batch: str, receipts: Mapping[str, str]) -> None:
    """Record that DfE took a batch: `receipts` by child. Raises NotPendingError and records nothing."""
    _register(con, "dataflow_taken", sorted(receipts.items()), ("la_child_id", "receipt"))
    _update_pending(
        con,
        "submission_status = 'Sent', sent_payload = payload, batch = $batch,"
        " receipt = taken.receipt, reason = NULL, answer = NULL",
        {"batch": batch},
        len(receipts),
    )


def mark_error(
    con: duckdb.DuckDBPyConnection, children: Sequence[str], reason: str, answer: str
) -> None:
    """Record that DfE did not take these children, why, and the words of its answer."""
    rows = [(child, "") for child in children]
    _register(con, "dataflow_taken", rows, ("la_child_id", "receipt"))
    change = "submission_status = 'Error', reason = $reason, answer = $answer"
    values = {"reason": reason, "answer": answer}
    _update_pending(con, change, values, len(children))


def sent_batches(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Children of each batch that was recorded as sent."""
    return dict(
        con.execute(
            f"SELECT batch, count(*) FROM {SUBMISSIONS} WHERE batch IS NOT NULL GROUP BY 1 ORDER BY 1"
        ).fetchall()
    )


def _update_pending(
    con: duckdb.DuckDBPyConnection, change: str, values: Mapping[str, Any], expected: int
) -> None:
    con.execute("BEGIN")
    try:
        updated = con.execute(
            f"UPDATE {SUBMISSIONS} AS held SET {change} FROM dataflow_taken AS taken"
            " WHERE held.la_child_id = taken.la_child_id AND held.submission_status = 'Pending'",
            values,
        ).fetchall()[0][0]
        if updated != expected:
            raise NotPendingError(f"{expected - updated} of {expected} children are not pending")
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise


def _register(
    con: duckdb.DuckDBPyConnection,
    name: str,
    rows: Sequence[tuple[str, str]],
    columns: tuple[str, str],
) -> None:
    first, second = ([row[at] for row in rows] for at in (0, 1))
    arrays = [pa.array(first, pa.string()), pa.array(second, pa.string())]
    con.register(name, pa.table(arrays, names=list(columns)))


def _text(payload: Payload) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
