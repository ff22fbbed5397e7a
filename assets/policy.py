"""Agreements as data become the one signed lock that every later step reads; no model may overstep it."""

import dagster as dg

from assets.dbt import MANIFEST
from assets.resources import HubResource
from ffp_data.error_words import step
from ffp_data.home import policy
from ffp_data.marts import build_gate
from ffp_data.releases import publish
from ffp_data.warehouse import connect

LOCK = dg.AssetKey(["policy", "lock"])


@dg.asset(
    key=LOCK,
    group_name="governance",
    kinds={"yaml", "python"},
    owners=["team:information_governance"],
    description="Agreements checked and compiled to one signed list of grants; everything else is denied.",
    check_specs=[
        dg.AssetCheckSpec("agreements_hold", asset=LOCK, blocking=True),
        dg.AssetCheckSpec(
            "models_permitted",
            asset=LOCK,
            blocking=True,
            description="No dbt model reads a column that no agreement gives for the model's purpose.",
        ),
    ],
    pool="warehouse",
)
@step
def policy_lock(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    run = hub.run(context.run.run_id)
    with connect(run.home):  # who may not write the warehouse changes neither lock nor releases
        outcome = policy.compile_lock(run)
        withdrawn = {} if outcome.problems else publish.withdraw_unpermitted(run)
    refused = [] if outcome.problems else build_gate.permit_build(run, MANIFEST)
    return dg.MaterializeResult(
        metadata={**outcome.figures(), "withdrawn from out/": withdrawn},
        check_results=[
            dg.AssetCheckResult(
                check_name="agreements_hold",
                passed=not outcome.problems,
                metadata={"problems": dg.MetadataValue.json(outcome.problems)},
            ),
            dg.AssetCheckResult(
                check_name="models_permitted",
                passed=not outcome.problems and not refused,
                metadata={"refused": dg.MetadataValue.json(refused)},
            ),
        ],
    )
