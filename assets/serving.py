"""What look-ups read while the next run writes: published at the end of a run, all or nothing."""

import dagster as dg

from assets.identity import MEMBERSHIP
from assets.resources import HubResource
from ffp_data.serving import publish


@dg.asset(
    key=["serving", "snapshot"],
    deps=[MEMBERSHIP, dg.AssetKey(["single_view", "children"])],
    group_name="serving",
    kinds={"duckdb"},
    owners=["team:identity"],
    description="Children and their records, made ready for look-ups; no protected person's place is in it.",
    pool="warehouse",
)
def serving_snapshot(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=publish(hub.run(context.run.run_id)).figures())
