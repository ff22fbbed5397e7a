"""Agreements as data become the one signed lock that every later step reads."""

import dagster as dg

from assets.resources import HubResource
from ffp_data.pipeline import policy, publish
from ffp_data.warehouse import connect

LOCK = dg.AssetKey(["policy", "lock"])


@dg.asset(
    key=LOCK,
    group_name="governance",
    kinds={"yaml", "python"},
    owners=["team:information_governance"],
    description="Agreements checked and compiled to one signed list of grants; everything else is denied.",
    check_specs=[dg.AssetCheckSpec("agreements_hold", asset=LOCK, blocking=True)],
    pool="warehouse",
)
def policy_lock(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    run = hub.run(context.run.run_id)
    with connect(run.home):  # who may not write the warehouse changes neither lock nor releases
        outcome = policy.compile_lock(run)
        withdrawn = {} if outcome.problems else publish.withdraw_unpermitted(run)
    return dg.MaterializeResult(
        metadata={**outcome.figures(), "withdrawn from out/": withdrawn},
        check_results=[
            dg.AssetCheckResult(
                check_name="agreements_hold",
                passed=not outcome.problems,
                metadata={"problems": dg.MetadataValue.json(outcome.problems)},
            )
        ],
    )
