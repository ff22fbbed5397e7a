"""On what terms a feed's deliveries come in: which columns the agreements cover, and whose drops are ours."""

from __future__ import annotations

from ffp_data import feeds
from ffp_data.feeds import Contract
from ffp_data.feeds.loading import Terms
from ffp_data.home import policy
from ffp_data.home.run import Run
from governance.grants import IngestDecision


def decide(run: Run, contract: Contract) -> tuple[IngestDecision, ...]:
    """What the compiled agreements say of each table of a feed."""
    grants = policy.grants(run)
    return tuple(grants.ingest(contract.id, table.name) for table in contract.tables)


def terms_of(run: Run, decisions: tuple[IngestDecision, ...]) -> Terms:
    """On what terms this run reads deliveries of the feed that was decided on."""
    allowed = {d.table: frozenset(d.columns) for d in decisions if d.allowed}
    return Terms(allowed, run.contracts, run.home.partner_keys, run.home.scratch, run.as_at)


def of_partnership(run: Run, contract: Contract) -> Contract:
    """The contract as this partnership takes it: of a case system, its own council's drops only."""
    if contract.hub.format != "ssd_drop":
        return contract
    whose = run.partnership
    return feeds.narrowed(contract, whose.la_code, whose.case_systems, run.home.case_systems)
