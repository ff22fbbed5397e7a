"""Every feed in one line: its contract, whether an agreement lets it in, when it came and what became of its rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from ffp_data import feeds
from ffp_data.feeds import Contract, Freshness
from ffp_data.feeds.case_system import profiles
from ffp_data.home.policy import load_policy
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.grants import Grants
from governance.policy import compile_policy

COUNTS = ("delivered", "loaded", "quarantined", "superseded")
_NONE = (0,) * len(COUNTS)
_COUNTS = """
SELECT feed, sum(rows_delivered)::BIGINT, sum(rows_loaded)::BIGINT, sum(rows_quarantined)::BIGINT,
    sum(rows_superseded)::BIGINT
FROM meta.deliveries WHERE status = 'loaded' GROUP BY feed
"""
_OF_SYSTEMS = """
SELECT split_part(scope, '|', 2), max(delivered_at), sum(rows_delivered)::BIGINT, sum(rows_loaded)::BIGINT,
    sum(rows_quarantined)::BIGINT, sum(rows_superseded)::BIGINT
FROM meta.deliveries WHERE status = 'loaded' AND feed = ? AND scope IS NOT NULL GROUP BY 1
"""


def list_feeds(home: Home, as_at: date | None) -> list[dict[str, Any]]:
    """One row for each contract of the home, in order of feed; raises FeedError for a wrong contract.

    Below the feed of drops stands a row for each case system that a drop may come out of.

    Without a day nothing is said of freshness or of an agreement being in force.
    """
    contracts = feeds.load_contracts(feeds.PACKAGED, home.contracts)
    allowed = _grants(home, as_at) if as_at else None
    fresh: dict[str, Freshness] = {}
    counts: dict[str, tuple[int, ...]] = {}
    systems: dict[str, dict[str, tuple[Any, ...]]] = {}
    drops = [c for c in contracts.values() if c.hub.format == "ssd_drop"]
    if home.warehouse.is_file():
        with connect(home, read_only=True) as con:
            counts = _counts(con)
            systems = {c.id: _of_systems(con, c) for c in drops}
            if as_at:
                fresh = {state.feed: state for state in feeds.freshness(con, contracts, as_at)}
    rows = []
    for feed, contract in contracts.items():
        rows.append(_row(contract, allowed, fresh.get(feed), counts.get(feed, _NONE)))
        if contract in drops:
            known = systems.get(feed, {})
            rows += [rows[-1] | told for told in _systems(home, contract, known, as_at)]
    return rows


def _systems(
    home: Home, contract: Contract, known: dict[str, tuple[Any, ...]], as_at: date | None
) -> list[dict[str, Any]]:
    """What differs from the feed's own line, for each case system that a drop may come out of."""
    own = str(home.case_systems) if home.case_systems.is_dir() else None
    found = []
    for one in profiles(own).values():
        last, *rows = known.get(one.system, (None, *_NONE))
        state = feeds.freshness_of(contract, last, as_at).state if last and as_at else None
        found.append(
            {
                "feed": f"{contract.id}: {one.label}",
                "last_delivered": last,
                "state": state or ("delivered" if last else "never"),
                **dict(zip(COUNTS, rows, strict=True)),
            }
        )
    return found


def _of_systems(con: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, tuple[Any, ...]]:
    """Last delivery and row counts by case system."""
    if not _has_scopes(con):
        return {}  # a warehouse of before drops were told apart
    return {
        system: tuple(told) for system, *told in con.execute(_OF_SYSTEMS, [contract.id]).fetchall()
    }


def _has_scopes(con: duckdb.DuckDBPyConnection) -> bool:
    query = (
        "SELECT 1 FROM duckdb_columns() WHERE schema_name = 'meta' AND table_name = 'deliveries'"
        " AND column_name = 'scope' AND database_name = current_database()"
    )
    return con.execute(query).fetchone() is not None


def _grants(home: Home, as_at: date) -> Grants | None:
    """What the home's agreements grant on a day; None while they have problems, when nothing is granted."""
    policy, problems = load_policy(home, as_at)
    return None if policy is None or problems else Grants(compile_policy(policy, as_at))


def _counts(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, ...]]:
    return {feed: tuple(rows) for feed, *rows in con.execute(_COUNTS).fetchall()}


def _row(
    contract: Contract, allowed: Grants | None, fresh: Freshness | None, counts: tuple[int, ...]
) -> dict[str, Any]:
    agreement = _agreement_in_force(contract, allowed)
    service = contract.hub.service
    return {
        "feed": contract.id,
        "contract": contract.version,
        "service": service.name if service else None,
        "agreement": agreement or contract.hub.agreement,
        "in_force": agreement is not None,
        "last_delivered": fresh.last_delivered_at if fresh else None,
        "state": fresh.state if fresh else "never",
        **dict(zip(COUNTS, counts, strict=True)),
    }


def _agreement_in_force(contract: Contract, allowed: Grants | None) -> str | None:
    """The agreement, with its version, that lets a table of the feed in."""
    if allowed is None:
        return None
    decisions = (allowed.ingest(contract.id, table.name) for table in contract.tables)
    return next((d.agreement for d in decisions if d.allowed), None)
