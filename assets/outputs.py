"""What leaves the hub: statutory returns and extracts, each released under an agreement and written down."""

from collections.abc import Callable, Iterable

import dagster as dg

from assets.policy import LOCK
from assets.resources import HubResource
from ffp_data.error_words import step
from ffp_data.home.run import Run
from ffp_data.releases import publish, quarterly
from ffp_data.releases.publish import Collection, ExtractsOutcome

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


def extract_asset(
    name: str,
    tables: Iterable[tuple[str, str]],
    description: str,
    release: Callable[[Run], ExtractsOutcome],
) -> dg.AssetsDefinition:
    """The asset of an extract for each team that an agreement names."""

    @dg.asset(
        key=["out", name],
        deps=[LOCK, *(dg.AssetKey(table) for table in tables)],
        group_name="extracts",
        kinds={"parquet", "excel"},
        owners=["team:information_governance"],
        description=f"{description} for each team that an agreement names: xlsx and parquet with a signed manifest.",
        pool="warehouse",
    )
    @step
    def extract(context: dg.AssetExecutionContext, hub: HubResource) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=release(hub.run(context.run.run_id)).figures())

    return extract


single_view_extracts = extract_asset(
    "single_view_extracts",
    [("single_view", table) for table in publish.EXTRACT_TABLES],
    "The single view",
    publish.publish_extracts,
)
early_warning_lists = extract_asset(
    "early_warning_lists",
    [("lists", "entries"), ("single_view", "children")],
    "The early-warning lists",
    publish.publish_lists,
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
