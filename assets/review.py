"""The queue of doubtful links, after the single view: its order asks what is known of the children."""

import dagster as dg

from assets.identity import CHILDREN, LINKS, MEMBERSHIP
from assets.resources import HubResource
from ffp_data.error_words import step
from ffp_data.pipeline.review_queue import build_queue

QUEUE = dg.AssetKey(["review", "queue"])


@dg.asset(
    key=QUEUE,
    deps=[
        LINKS,
        MEMBERSHIP,
        CHILDREN,
        dg.AssetKey(["intermediate", "int_persons__open_work"]),
        dg.AssetKey(["intermediate", "int_families__members"]),
        dg.AssetKey(["single_view", "children"]),
    ],
    group_name="identity",
    kinds={"sqlalchemy", "duckdb"},
    owners=["team:identity"],
    description="Links that a person should settle, in the order of consequence for a child, with reasons.",
    pool="warehouse",
)
@step
def review_queue(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=build_queue(hub.run(context.run.run_id)).figures())
