"""One asset for each feed: its new deliveries, as far as an agreement covers them, in the warehouse."""

import dagster as dg

from assets.policy import LOCK
from assets.resources import HubResource
from ffp_data.error_words import step
from ffp_data.feeds import PACKAGED, Contract, load_contracts
from ffp_data.pipeline import ingest
from ffp_data.settings import Home

CHECKS = {
    "agreement_in_force": "a signed agreement lets this feed in",
    "contract_holds": "every delivery could be read as its contract says",
    "counts_reconcile": "rows delivered = loaded + quarantined + superseded",
}


def feed_key(feed: str) -> dg.AssetKey:
    """Asset key of a feed; dbt sources name the same key in their meta."""
    return dg.AssetKey(["raw", feed])


def feed_asset(contract: Contract) -> dg.AssetsDefinition:
    """The asset of one feed, made from its contract."""
    key = feed_key(contract.id)

    @dg.asset(
        key=key,
        deps=[LOCK],
        group_name="feeds",
        kinds={"duckdb", contract.hub.format},
        owners=[f"team:{contract.domain}"],
        description=f"{contract.name}. {contract.description.purpose}.",
        metadata={
            "contract": f"{contract.id} {contract.version}",
            "agreement": contract.hub.agreement,
        },
        check_specs=[dg.AssetCheckSpec(n, asset=key, description=d) for n, d in CHECKS.items()],
        pool="warehouse",
    )
    @step
    def feed(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
        outcome = ingest.ingest_feed(hub.run(context.run.run_id), contract)
        for error in outcome.errors:
            context.log.error(error)
        return dg.MaterializeResult(
            metadata={**outcome.figures(), "tables": dg.MetadataValue.md(outcome.table())},
            check_results=[
                dg.AssetCheckResult(
                    check_name=name, passed=passed, severity=dg.AssetCheckSeverity.ERROR
                )
                for name, passed in outcome.checks().items()
            ],
        )

    return feed


# Dagster builds the graph at import, so the home's own contracts are those of FFP_HOME then.
FEEDS = load_contracts(PACKAGED, Home.at().contracts)
feed_assets = [feed_asset(contract) for contract in FEEDS.values()]
