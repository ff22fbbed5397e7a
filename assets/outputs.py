"""What leaves the hub: statutory returns and extracts, each released under an agreement and written down."""

import dagster as dg

from assets.policy import LOCK
from assets.resources import HubResource
from ffp_data.error_words import step
from ffp_data.pipeline import publish, quarterly
from ffp_data.pipeline.publish import Collection

OWNERS = ["team:performance"]


def return_asset(collection: Collection) -> dg.AssetsDefinition:
    """The asset of one statutory return with its validation report beside it."""
    key = dg.AssetKey(["out", collection.name])

    @dg.asset(
        key=key,
        deps=[LOCK, *(dg.AssetKey(["returns", table]) for table in collection.tables())],
        group_name="returns",
        kinds=set(collection.kinds),
        owners=OWNERS,
        description=collection.description,
        check_specs=[
            dg.AssetCheckSpec("release_permitted", asset=key),
            dg.AssetCheckSpec("validation_has_no_errors", asset=key),
        ],
        pool="warehouse",
    )
    @step
    def statutory_return(
        context: dg.AssetExecutionContext, hub: HubResource
    ) -> dg.MaterializeResult:
        outcome = publish.publish_return(hub.run(context.run.run_id), collection)
        return dg.MaterializeResult(
            metadata=outcome.figures(),
            check_results=[
                dg.AssetCheckResult(check_name="release_permitted", passed=outcome.permitted),
                dg.AssetCheckResult(
                    check_name="validation_has_no_errors",
                    passed=outcome.errors == 0,
                    severity=dg.AssetCheckSeverity.WARN,  # mended at the source, not here
                    metadata={"by_rule": dg.MetadataValue.json(outcome.by_rule)},
                ),
            ],
        )

    return statutory_return


@dg.asset(
    key=["out", "single_view_extracts"],
    deps=[
        LOCK,
        *(dg.AssetKey(["single_view", t]) for t in publish.EXTRACT_TABLES),
    ],
    group_name="extracts",
    kinds={"parquet", "excel"},
    owners=["team:information_governance"],
    description="The single view for each team that an agreement names: xlsx and parquet with a signed manifest.",
    pool="warehouse",
)
@step
def single_view_extracts(
    context: dg.AssetExecutionContext, hub: HubResource
) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata=publish.publish_extracts(hub.run(context.run.run_id)).figures()
    )


@dg.asset(
    key=["out", "early_warning_lists"],
    deps=[
        LOCK,
        dg.AssetKey(["lists", "entries"]),
        dg.AssetKey(["single_view", "children"]),
    ],
    group_name="extracts",
    kinds={"parquet", "excel"},
    owners=["team:information_governance"],
    description="The early-warning lists for each team that an agreement names: xlsx, parquet, a signed manifest.",
    pool="warehouse",
)
@step
def early_warning_lists(
    context: dg.AssetExecutionContext, hub: HubResource
) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata=publish.publish_lists(hub.run(context.run.run_id)).figures()
    )


QUARTERLY = (
    "spells", "interventions", "group_decisions", "packages", "enquiries", "parent_offers", "consultations",
    "legal_steps", "practitioners", "lead_workers",
)  # fmt: skip


@dg.asset(
    key=["out", "ffp_quarterly"],
    deps=[
        LOCK,
        *(dg.AssetKey(["quarterly", table]) for table in QUARTERLY),
        dg.AssetKey(["returns", "cin_details"]),
        dg.AssetKey(["returns", "tehadc_episodes"]),
        dg.AssetKey(["single_view", "involvements"]),
    ],
    group_name="returns",
    kinds={"excel", "json"},
    owners=OWNERS,
    description="The newest quarter that has ended, for the programme's quarterly collection: workbook, JSON and page.",
    pool="warehouse",
)
@step
def ffp_quarterly(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
    run = hub.run(context.run.run_id)
    outcome = quarterly.publish_quarter(run, quarterly.due_quarter(run.as_at))
    return dg.MaterializeResult(metadata=outcome.figures())


output_assets = [
    *(return_asset(collection) for collection in publish.COLLECTIONS.values()),
    single_view_extracts,
    early_warning_lists,
    ffp_quarterly,
]
