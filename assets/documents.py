"""What information governance keeps of a run: made last, of what was agreed and what was done."""

import dagster as dg

from assets.outputs import output_assets
from assets.policy import LOCK
from assets.resources import HubResource
from ffp_data.error_words import step
from ffp_data.releases.documents import publish_governance

KEY = dg.AssetKey(["out", "governance"])


@dg.asset(
    key=KEY,
    deps=[LOCK, *(key for asset in output_assets for key in asset.keys)],
    group_name="governance",
    kinds={"html", "json"},
    owners=["team:information_governance"],
    description="Record of processing, register, DPIA annexes, privacy notice, evidence of controls.",
    check_specs=[
        dg.AssetCheckSpec(
            "nothing_undeclared",
            asset=KEY,
            description="Nothing was given or stored that no agreement declares.",
        ),
        dg.AssetCheckSpec(
            "dpias_current",
            asset=KEY,
            description="No agreement gives more than its DPIA was asked about.",
        ),
    ],
    pool="warehouse",
)
@step
def governance_documents(
    context: dg.AssetExecutionContext, hub: HubResource
) -> dg.MaterializeResult:
    outcome = publish_governance(hub.run(context.run.run_id))
    return dg.MaterializeResult(
        metadata=outcome.figures(),
        check_results=[
            dg.AssetCheckResult(check_name="nothing_undeclared", passed=outcome.undeclared == 0),
            dg.AssetCheckResult(
                check_name="dpias_current",
                passed=not outcome.stale_dpias,
                severity=dg.AssetCheckSeverity.WARN,  # what outgrew its DPIA is held back already
            ),
        ],
    )
