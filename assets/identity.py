"""From person records to identifiers that last: assemble, link, assign."""

import dagster as dg

from assets.feeds import FEEDS, feed_key
from assets.resources import HubResource
from ffp_data.pipeline import identify, reference

PERSON_RECORDS = dg.AssetKey(["identity", "person_records"])
LINKS = dg.AssetKey(["identity", "links"])
MEMBERSHIP = dg.AssetKey(["identity", "child_membership"])
REFERENCE = dg.AssetKey(["meta", "reference"])
OWNERS = ["team:identity"]


@dg.asset(
    key=REFERENCE,
    deps=[feed_key(feed) for feed in FEEDS],
    group_name="feeds",
    kinds={"duckdb", "yaml"},
    owners=["team:data_engineering"],
    description="Bank holidays, code lists and the state of each feed, as tables for dbt.",
    pool="warehouse",
)
def reference_tables(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=reference.write_reference(hub.run(context.run_id)))


@dg.asset(
    key=PERSON_RECORDS,
    deps=[feed_key(feed) for feed in FEEDS],
    group_name="identity",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row for each person record of each feed, standardised: who it is about, no payload.",
    pool="warehouse",
)
def person_records(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=identify.assemble(hub.run(context.run_id)))


@dg.asset(
    key=LINKS,
    deps=[PERSON_RECORDS],
    group_name="identity",
    kinds={"duckdb", "python"},
    owners=OWNERS,
    description="Scored pairs and clusters: same person, same household or strangers, by the linkage model.",
    check_specs=[
        dg.AssetCheckSpec("estimation_converged", asset=LINKS),
        dg.AssetCheckSpec("no_linkage_drift", asset=LINKS),
    ],
    pool="warehouse",
)
def links(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    outcome = identify.link_records(hub.run(context.run_id))
    return dg.MaterializeResult(
        metadata=outcome.figures(),
        check_results=[
            dg.AssetCheckResult(
                check_name=name,
                passed=check.passed,
                severity=dg.AssetCheckSeverity.WARN,
                description=check.words,
            )
            for name, check in outcome.checks().items()
        ],
    )


@dg.asset(
    key=MEMBERSHIP,
    deps=[LINKS],
    group_name="identity",
    kinds={"sqlalchemy", "duckdb"},
    owners=OWNERS,
    description="Which identifier each person record carries: kept across runs, with merges and splits as events.",
    check_specs=[
        dg.AssetCheckSpec("every_record_has_one_identifier", asset=MEMBERSHIP, blocking=True)
    ],
    pool="warehouse",
)
def child_membership(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    outcome = identify.assign_identifiers(hub.run(context.run_id))
    return dg.MaterializeResult(
        metadata=outcome.figures(),
        check_results=[
            dg.AssetCheckResult(
                check_name="every_record_has_one_identifier", passed=outcome.is_complete
            )
        ],
    )
