"""The dbt project as assets: staging, intermediate, single view and the tables of the returns.

dbt's output is drained before it is streamed: the row-count and column fetchers of dagster-dbt spin
while they wait, and leave a connection open that would lock the warehouse for the next step.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

from assets.resources import HubResource
from ffp_data.paths import DBT_PROJECT
from ffp_data.pipeline import transform

PROJECT = DbtProject(DBT_PROJECT, profiles_dir=DBT_PROJECT)
DBT_EXECUTABLE = Path(sys.executable).with_name("dbt")  # works without an activated environment


class Translator(DagsterDbtTranslator):
    """Groups models by the schema they are built in, and code lists with the other reference tables."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] == "seed":
            return "reference"
        schema = dbt_resource_props.get("config", {}).get("schema")
        return str(schema) if schema else None


@dbt_assets(
    manifest=transform.current_manifest(PROJECT.manifest_path),
    project=PROJECT,
    dagster_dbt_translator=Translator(
        # Source tests stay dbt's own: as checks of assets upstream they would make Dagster cut the
        # dbt run into several, one before each of those assets.
        DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)
    ),
    pool="warehouse",
)
def dbt_models(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, hub: HubResource
) -> Iterator[Any]:
    run = hub.run(context.run_id)
    with transform.dbt_environment(run):
        build = dbt.cli(
            # Unit tests prove the models on made rows; they belong to `make test`, not to every run.
            ["build", "--exclude-resource-type", "unit_test", "--vars", transform.dbt_vars(run)],
            context=context,
            raise_on_error=False,
            target_path=transform.target_path(run),
        )
        succeeded = build.is_successful()
        try:
            yield from build.stream().fetch_row_counts().fetch_column_metadata()
        finally:
            transform.close_dbt_connections(build.adapter)
    if not succeeded:
        error = build.get_error()
        raise error if error else dg.Failure("dbt build failed; see its log above")
