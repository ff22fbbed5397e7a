"""Fetch a case system's drop through a read-only connection into the landing folder, under an agreement.

What the compiled agreements do not let in is not even asked of the database. The ledger says that a drop
was pulled, for which system and how many rows; it never says from where.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ffp_data.feeds import Contract, FeedError
from ffp_data.feeds.case_system import Profile, find_profile, profiles
from ffp_data.feeds.drop import read_manifest
from ffp_data.feeds.sql_source import Pull, pull
from ffp_data.home.run import Run
from ffp_data.home.terms import decide, of_partnership

SIGNED_OFF_BY = "nobody: pulled over a read-only connection"


@dataclass(frozen=True)
class Wanted:
    """What a person asks for. `at`: the time of the pull in UTC."""

    feed: str
    system: str
    at: datetime
    schema: str | None = None
    has_early_help_only: bool = False


def pull_drop(run: Run, url: str, wanted: Wanted) -> Path:
    """The new drop's folder in the landing folder; raises FeedError, LockError."""
    contract = _contract(run, wanted.feed)
    profile = _profile(contract, wanted.system)
    allowed = {d.table: frozenset(d.columns) for d in decide(run, contract) if d.allowed}
    if not allowed:
        remedy = "have an agreement cover the tables that should come in"
        message = f"no agreement covers a table of {contract.id}"
        raise FeedError("not_permitted", message, remedy, file=contract.id)
    request = Pull(
        contract=contract,
        profile=profile,
        allowed=allowed,
        la_code=run.partnership.la_code,
        at=wanted.at,
        signed_off_by=SIGNED_OFF_BY,
        schema=wanted.schema,
        has_early_help_only=wanted.has_early_help_only,
    )
    folder = pull(url, request, run.landing / contract.id)
    tables = read_manifest(folder).tables
    run.ledger.append(
        "drop_pulled",
        run_id=run.run_id,
        feed=contract.id,
        system=profile.system,
        folder=folder.name,
        rows=sum(table.rows for table in tables),
        tables=len(tables),
    )
    return folder


def _contract(run: Run, feed: str) -> Contract:
    contract = run.contracts.get(feed)
    if contract is None or contract.hub.format != "ssd_drop":
        drops = [c.id for c in run.contracts.values() if c.hub.format == "ssd_drop"]
        remedy = f"name one of {', '.join(drops)}"
        raise FeedError("unknown_feed", f"{feed} is no feed of drops", remedy, file=feed)
    return of_partnership(run, contract)


def _profile(contract: Contract, system: str) -> Profile:
    profile = find_profile(system, contract.hub.systems, contract.hub.profiles)
    if profile is None:
        known = ", ".join(contract.hub.systems or profiles(contract.hub.profiles))
        message = f"{system} is no case system that this partnership runs"
        raise FeedError("unknown_system", message, f"name one of {known}", file=contract.id)
    return profile
