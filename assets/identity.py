"""From person records to identifiers that last: assemble, link, assign."""

from collections.abc import Iterator

import dagster as dg

from assets.feeds import FEEDS, feed_key
from assets.resources import HubResource
from ffp_data.error_words import step
from ffp_data.pipeline import identify, reference

PERSON_RECORDS = dg.AssetKey(["identity", "person_records"])
RELATIONSHIPS = dg.AssetKey(["identity", "relationships"])
IDENTIFIERS = dg.AssetKey(["identity", "person_identifiers"])
LINKS = dg.AssetKey(["identity", "links"])
MEMBERSHIP = dg.AssetKey(["identity", "child_membership"])
CHILDREN = dg.AssetKey(["identity", "children"])
ALL_FEEDS = [feed_key(feed) for feed in FEEDS]
OWNERS = ["team:identity"]


@dg.asset(
    key=["meta", "bank_holidays"],
    group_name="reference",
    kinds={"duckdb", "csv"},
    owners=["team:data_engineering"],
    description="Bank holidays of England and Wales: what a working day is.",
    pool="warehouse",
)
@step
def bank_holidays(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=reference.write_bank_holidays(hub.run(context.run.run_id)))


@dg.asset(
    key=["meta", "feed_state"],
    deps=ALL_FEEDS,
    group_name="reference",
    kinds={"duckdb"},
    owners=["team:data_engineering"],
    description="For each feed: is there an agreement, did it come, was it in time.",
    pool="warehouse",
)
@step
def feed_state(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=reference.write_feed_state(hub.run(context.run.run_id)))


@dg.asset(
    key=["declared", "facts"],
    deps=ALL_FEEDS,
    group_name="feeds",
    kinds={"duckdb"},
    owners=["team:data_engineering"],
    description="Events and involvements that contracts declare, of all feeds: what needs no model of its own.",
    pool="warehouse",
)
@step
def declared_facts(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata=reference.write_declared_facts(hub.run(context.run.run_id))
    )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            PERSON_RECORDS,
            deps=ALL_FEEDS,
            group_name="identity",
            kinds={"duckdb"},
            owners=OWNERS,
            description="One row for each person record of each feed: who it is about, no payload.",
        ),
        dg.AssetSpec(
            RELATIONSHIPS,
            deps=ALL_FEEDS,
            group_name="identity",
            kinds={"duckdb"},
            owners=OWNERS,
            description="Who says that two people belong together, and how.",
        ),
        dg.AssetSpec(
            IDENTIFIERS,
            deps=ALL_FEEDS,
            group_name="identity",
            kinds={"duckdb"},
            owners=OWNERS,
            description="Every identifier as it was sent, and whether it is valid.",
        ),
    ],
    pool="warehouse",
)
@step
def person_records(
    context: dg.AssetExecutionContext, hub: HubResource
) -> Iterator[dg.MaterializeResult]:
    figures = identify.assemble(hub.run(context.run.run_id))
    for key in (PERSON_RECORDS, RELATIONSHIPS, IDENTIFIERS):
        yield dg.MaterializeResult(asset_key=key, metadata=figures[key.path[-1]])


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
        dg.AssetCheckSpec("live_model_is_up_to_date", asset=LINKS),
    ],
    pool="warehouse",
)
@step
def links(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    outcome = identify.link_records(hub.run(context.run.run_id))
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


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            MEMBERSHIP,
            deps=[LINKS],
            group_name="identity",
            kinds={"sqlalchemy", "duckdb"},
            owners=OWNERS,
            description="Which identifier each person record carries: kept across runs, merges and splits recorded.",
        ),
        dg.AssetSpec(
            CHILDREN,
            deps=[LINKS],
            group_name="identity",
            kinds={"sqlalchemy", "duckdb"},
            owners=OWNERS,
            description="One row for each identifier in use: child, adult or unborn.",
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec("every_record_has_one_identifier", asset=MEMBERSHIP, blocking=True)
    ],
    pool="warehouse",
)
@step
def identifiers(
    context: dg.AssetExecutionContext, hub: HubResource
) -> Iterator[dg.MaterializeResult]:
    outcome = identify.assign_identifiers(hub.run(context.run.run_id))
    yield dg.MaterializeResult(
        asset_key=MEMBERSHIP,
        metadata=outcome.figures(),
        check_results=[
            dg.AssetCheckResult(
                check_name="every_record_has_one_identifier",
                asset_key=MEMBERSHIP,
                passed=outcome.is_complete,
            )
        ],
    )
    yield dg.MaterializeResult(asset_key=CHILDREN, metadata=outcome.kinds())
