"""Holds back a snapshot that would take away too much, until a person has looked at it.

A snapshot deletes by silence: who is not in it any more, leaves. So one that has fallen by more than
the contract's share against the snapshot before it, or that shares no id with the rows that stand (the
wrong council's file), is not loaded by itself. Counts are compared scope by scope with the nearest older
snapshot, so that a late file is held to what went before it and not to what came after. Files of one
time are parts of one snapshot and count together, held ones too: a first part alone waits for its second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

import duckdb

from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.landing import Delivery
from ffp_data.feeds.snapshots import Guard
from ffp_data.feeds.stage import Staged
from ffp_data.feeds.superseding import claims, record_key, scope_here, scope_there

MOST_AHEAD = timedelta(days=366)

# Rows of each scope in this file, and rows before it: in the file of the same name and time that it
# stands in for, else in all parts of the nearest older time.
_FALLS = """
WITH here AS ({claims}),
peers AS (
    SELECT scope, rows, delivered_at, is_held, delivered_at = $time AND file_name = $file AS is_same
    FROM meta.snapshot_scopes
    WHERE feed = $feed AND table_name = $table AND part_of IS NOT DISTINCT FROM $part_of
        -- Of the same bytes only an earlier time counts: they are moving from there to here.
        AND (delivery_id <> $delivery OR NOT (is_held OR is_same))
    QUALIFY received_seq = max(received_seq) OVER (
        PARTITION BY scope, delivered_at, file_name, is_held
    )
),
same AS (SELECT scope, sum(rows) AS rows FROM peers WHERE is_same AND NOT is_held GROUP BY scope),
beside AS (
    SELECT scope, sum(rows) AS rows FROM peers
    WHERE delivered_at = $time AND NOT is_same GROUP BY scope
),
times AS (
    SELECT scope, delivered_at, sum(rows) AS rows FROM peers
    WHERE delivered_at < $time AND NOT is_held GROUP BY scope, delivered_at
),
older AS (SELECT scope, arg_max(rows, delivered_at) AS rows FROM times GROUP BY scope)
SELECT
    scope,
    coalesce(same.rows, older.rows)::BIGINT AS rows_before,
    (here.rows + CASE WHEN same.rows IS NULL THEN coalesce(beside.rows, 0) ELSE 0 END)::BIGINT
FROM here
LEFT JOIN same USING (scope)
LEFT JOIN older USING (scope)
LEFT JOIN beside USING (scope)
WHERE rows_before IS NOT NULL
ORDER BY scope
"""

# Scopes of which many rows stand from another time, and none of them bears an id of this file.
_STRANGE = """
WITH peers AS (
    SELECT delivery_id FROM meta.deliveries
    WHERE feed = $feed AND table_name = $table AND scope IS NOT DISTINCT FROM $part_of
        AND status = 'loaded' AND NOT (delivered_at = $time AND file_name <> $file)
),
there AS (
    SELECT {scope_there} AS scope, {id_there} AS id FROM {raw}
    WHERE _delivery_id IN (SELECT delivery_id FROM peers)
),
here AS (SELECT {scope_here} AS scope, {id_here} AS id FROM {rows} WHERE {loadable})
SELECT scope FROM there
WHERE scope IN (SELECT scope FROM here)
GROUP BY scope HAVING count(*) >= $least
EXCEPT
SELECT there.scope FROM there SEMI JOIN here USING (scope, id)
ORDER BY scope
"""

_TAKEN = """
SELECT count(*) FROM {raw}
WHERE record_key IN (SELECT {record_key} FROM {rows} WHERE {loadable}) AND _delivery_id IN (
    SELECT delivery_id FROM meta.deliveries
    WHERE feed = $feed AND table_name = $table AND status = 'loaded' AND delivery_id <> $delivery
        AND scope IS DISTINCT FROM $part_of
)
"""


def refuse_far_ahead(delivery: Delivery, as_at: date | None) -> None:
    """Raises FeedError far_ahead for a slip of the pen (2062 for 2026): nothing newer would ever count."""
    when = delivery.delivered_at
    if when and as_at and when.date() - as_at > MOST_AHEAD:
        raise FeedError(
            "far_ahead",
            f"the name tells {when.date()}, more than a year after the day of the run, {as_at}",
            "correct the time in the name",
            file=delivery.file_name,
        )


def reason_to_hold(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged
) -> FeedError | None:
    """Why a person must look at a staged snapshot before it takes anything away: fallen, no_shared_ids."""
    guard = staged.table.drop_guard
    if guard is None:
        return None
    fallen = _falls(con, delivery, staged, guard)
    if fallen:
        return _held(delivery, staged, "fallen", fallen)
    strange = _strange(con, delivery, staged, guard)
    return _held(delivery, staged, "no_shared_ids", strange) if strange else None


def refuse_taken_ids(con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged) -> None:
    """Raises FeedError taken_ids when people of another council bear the names that these would have.

    People of another case system of one council never do: the system is part of their names.
    """
    if staged.scope is None or staged.table.role is None:
        return
    query = _TAKEN.format(
        raw=staged.contract.raw_name(staged.table),
        rows=staged.rows,
        loadable=staged.loadable,
        record_key=record_key(staged),
    )
    (taken,) = con.execute(query, _own(delivery, staged, "time", "file")).fetchone() or (0,)
    if taken:
        raise FeedError(
            "taken_ids",
            f"{taken} rows of {staged.table.name} bear ids that another council uses here",
            "give this council a feed of its own, or retract what the other one delivered",
            file=staged.file_name,
            column=", ".join(staged.table.record_key),
        )


def _falls(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged, guard: Guard
) -> list[str]:
    query = _FALLS.format(claims=claims(staged))
    compared = con.execute(query, _own(delivery, staged)).fetchall()
    falls = [
        f"{_words(staged, scope)}{after} rows where {before} were"
        for scope, before, after in compared
        if guard.trips(before, after)
    ]
    if falls and (rule := _rule_most_broken(con, staged)):
        falls[0] += f" ({rule})"
    return falls


def _rule_most_broken(con: duckdb.DuckDBPyConnection, staged: Staged) -> str | None:
    """How many rows were set aside for the rule that most of them broke: a fall of format, not of people."""
    counts = Counter(fault.rule for fault in staged.faults if not fault.is_value)
    broken = con.execute(
        "SELECT fault.rule, count(DISTINCT row_id)"
        f" FROM (SELECT rowid AS row_id, unnest(_faults) AS fault FROM {staged.rows} WHERE _bad)"
        " WHERE fault.required GROUP BY 1"
    ).fetchall()
    counts.update(dict(broken))
    if not counts:
        return None
    rule, count = max(counts.items(), key=lambda told: (told[1], told[0]))
    return f"{count} set aside: {rule}"


def _strange(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged, guard: Guard
) -> list[str]:
    key, has_record_key = staged.table.key, bool(staged.table.record_key)
    query = _STRANGE.format(
        raw=staged.contract.raw_name(staged.table),
        rows=staged.rows,
        loadable=staged.loadable,
        scope_there=scope_there(staged),
        scope_here=scope_here(staged),
        id_there="record_key" if has_record_key else _row(f'"{name}"' for name in key),
        id_here=record_key(staged) if has_record_key else _row(f"v_{name}" for name in key),
    )
    own = _own(delivery, staged, "delivery") | {"least": guard.min_rows}
    found = con.execute(query, own).fetchall()
    return [f"{_words(staged, scope)}none of the ids that stand" for (scope,) in found]


def _row(values: Iterable[str]) -> str:
    return f"row({', '.join(values)})"


def _own(delivery: Delivery, staged: Staged, *unused: str) -> dict[str, object]:
    known = {
        "delivery": delivery.delivery_id,
        "feed": delivery.feed,
        "table": staged.table.name,
        "part_of": staged.scope,
        "time": delivery.delivered_at,
        "file": staged.file_name,
    }
    return {name: value for name, value in known.items() if name not in unused}


def _words(staged: Staged, scope: str) -> str:
    return f"{', '.join(staged.table.scope)} {scope}: " if staged.table.scope else ""


def _held(delivery: Delivery, staged: Staged, rule: str, found: list[str]) -> FeedError:
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    short = delivery.delivery_id[:12]
    return FeedError(
        rule,
        f"{staged.table.name}: {found[0]}{more}",
        f"look at the file; if it is right: ffp feeds accept {short} --by NAME --reason TEXT;"
        f" if not, ask {staged.contract.hub.agency} for another and: ffp feeds retract {short}"
        " --by NAME --reason TEXT",
        file=staged.file_name,
    )
