"""What look-ups read while the next run writes: published at the end of a run, all or nothing."""

import dagster as dg

from assets.identity import MEMBERSHIP
from assets.resources import HubResource
from ffp_data.error_words import step
from ffp_data.programme import figures as programme
from ffp_data.serving import publish
from ffp_data.serving.view import TABLES, publish_view
from ffp_data.single_view.programme import profile_of


@dg.asset(
    key=["serving", "snapshot"],
    deps=[MEMBERSHIP, dg.AssetKey(["single_view", "children"])],
    group_name="serving",
    kinds={"duckdb"},
    owners=["team:identity"],
    description="Children and their records, made ready for look-ups; no protected person's place is in it.",
    pool="warehouse",
)
@step
def serving_snapshot(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=publish(hub.run(context.run.run_id)).figures())


@dg.asset(
    key=["serving", "view"],
    deps=[
        MEMBERSHIP,
        *(dg.AssetKey(relation.split(".")) for relation, _ in TABLES.values()),
        *(dg.AssetKey(relation.split(".")) for relation in programme.RELATIONS),
    ],
    group_name="serving",
    kinds={"duckdb"},
    owners=["team:practice"],
    description="The single view as the pages read it, with an index of names to search.",
    pool="warehouse",
)
@step
def published_view(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=publish_view(hub.run(context.run.run_id)).figures())


PROGRAMME = dg.AssetKey(["serving", "programme"])
LINKED_ALIKE = "groups_are_linked_alike"


@dg.asset(
    key=PROGRAMME,
    deps=[dg.AssetKey(["serving", "view"])],
    group_name="serving",
    kinds={"duckdb"},
    owners=["team:performance"],
    description="Moves between levels, comparisons of groups, and whether records of groups are linked alike.",
    check_specs=[dg.AssetCheckSpec(LINKED_ALIKE, asset=PROGRAMME)],
    pool="warehouse",
)
@step
def programme_profile(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    found = profile_of(hub.run(context.run.run_id).home)
    warned = [f"{each.by} {each.group}: {each.measure} {each.words}" for each in found.warnings]
    return dg.MaterializeResult(
        metadata=found.figures(),
        check_results=[
            dg.AssetCheckResult(
                check_name=LINKED_ALIKE,
                passed=not warned,
                severity=dg.AssetCheckSeverity.WARN,  # a reason to look, not yet an error
                metadata={"differ": dg.MetadataValue.json(warned)},
            )
        ],
    )
