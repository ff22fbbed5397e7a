"""The dbt project as assets: staging, intermediate, single view and the tables of the returns.

dbt builds in this process (`ffp_data.marts.transform`); what came of each node then becomes
Dagster's event of it. Row counts, columns and column lineage are read in one connection after the
build, since dagster-dbt's own fetchers ask for them model by model and take longer than the build.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtProject,
    dbt_assets,
)
from sqlglot import MappingSchema
from sqlglot.errors import SqlglotError

from assets.resources import HubResource
from ffp_data.error_words import step
from ffp_data.home.run import Run
from ffp_data.lineage import values as lineage
from ffp_data.marts import transform
from ffp_data.marts.transform import BuiltNode
from ffp_data.paths import DBT_PROJECT
from ffp_data.warehouse import CATALOG, connect

PROJECT = DbtProject(DBT_PROJECT, profiles_dir=DBT_PROJECT)
MANIFEST = transform.current_manifest(PROJECT.manifest_path)
UNIQUE_ID = "dagster_dbt/unique_id"  # where dagster-dbt keeps it in the metadata of a spec


class Translator(DagsterDbtTranslator):
    """Groups models by the schema they are built in, and code lists with the other reference tables."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] == "seed":
            return "reference"
        schema = dbt_resource_props.get("config", {}).get("schema")
        return str(schema) if schema else None


TRANSLATOR = Translator(
    # Source tests stay dbt's own: as checks of assets upstream they would make Dagster cut the
    # dbt run into several, one before each of those assets.
    DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)
)


@dbt_assets(manifest=MANIFEST, project=PROJECT, dagster_dbt_translator=TRANSLATOR, pool="warehouse")
@step
def dbt_models(context: dg.AssetExecutionContext, hub: HubResource) -> Iterator[Any]:
    run = hub.run(context.run.run_id)
    build = transform.build(run, MANIFEST, only=_selected(context))
    events = Events.of(context, run, build.invocation_id)
    for node in build.nodes:
        yield from events.of_node(node)
    if not build.succeeded:
        raise dg.Failure("\n".join(["dbt build failed", *build.problems()]))


def _selected(context: dg.AssetExecutionContext) -> set[str]:
    """The dbt nodes that a run from the pages picked; none named means all of them."""
    if not context.is_subset:
        return set()
    assets = context.assets_def
    specs = [
        *(assets.get_asset_spec(key) for key in context.selected_asset_keys),
        *(assets.get_spec_for_check_key(key) for key in context.selected_asset_check_keys),
    ]
    return {(spec.metadata or {})[UNIQUE_ID] for spec in specs}


@dataclass(frozen=True)
class Events:
    """Turns dbt's results into Dagster's events, with what the warehouse holds after the build."""

    nodes: Mapping[str, Mapping[str, Any]]
    """The manifest's models, seeds, tests and sources by unique id."""
    checks: Mapping[str, dg.AssetCheckKey]
    """The checks of this run by unique id of their test; other tests are told as observations."""
    keys: Mapping[str, dg.AssetKey]
    """Asset of each relation, by `schema.table`."""
    columns: Mapping[str, Mapping[str, str]]
    rows: Mapping[str, int]
    schema: MappingSchema
    invocation_id: str

    @classmethod
    def of(cls, context: dg.AssetExecutionContext, run: Run, invocation_id: str) -> "Events":
        with connect(run.home, read_only=True) as con:
            columns, rows = lineage.stored_columns(con), lineage.row_counts(con)
        checks = [
            context.assets_def.get_spec_for_check_key(key)
            for key in context.selected_asset_check_keys
        ]
        nodes = _manifest_nodes()
        return cls(
            nodes=nodes,
            checks={(check.metadata or {})[UNIQUE_ID]: check.key for check in checks},
            keys={
                _relation(node): TRANSLATOR.get_asset_key(node)
                for node in nodes.values()
                if node["resource_type"] in ("model", "seed", "source")
            },
            columns=columns,
            rows=rows,
            schema=lineage.sql_schema(CATALOG, columns),
            invocation_id=invocation_id,
        )

    def of_node(self, node: BuiltNode) -> Iterator[Any]:
        """The events of one result: an asset built, a check evaluated, or a test seen."""
        kind = self.nodes.get(node.unique_id, {}).get("resource_type")
        if kind in ("model", "seed") and node.status in ("success", "no-op"):
            yield self._built(node)
        elif kind == "test" and node.status != "skipped":
            yield from self._tested(node)

    def _built(self, node: BuiltNode) -> dg.MaterializeResult:
        relation = _relation(self.nodes[node.unique_id])
        about = {
            "dagster/column_schema": self._columns(node),
            "dagster/column_lineage": self._lineage(node),
            "dagster/row_count": self.rows.get(relation),  # a view's rows would cost its query
        }
        return dg.MaterializeResult(
            asset_key=self.keys[relation],
            metadata={
                **self._about(node),
                "dagster/storage_kind": "duckdb",
                **{name: value for name, value in about.items() if value is not None},
            },
        )

    def _tested(self, node: BuiltNode) -> Iterator[dg.AssetCheckResult | dg.AssetObservation]:
        about = {**self._about(node), "dagster_dbt/failed_row_count": node.failures or 0}
        if check := self.checks.get(node.unique_id):
            warns = node.status == "warn"
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=node.status == "pass",
                severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
                metadata=about,
            )
            return
        for parent in self.nodes[node.unique_id]["depends_on"]["nodes"]:
            yield dg.AssetObservation(self.keys[_relation(self.nodes[parent])], metadata=about)

    def _about(self, node: BuiltNode) -> dict[str, Any]:
        return {
            "unique_id": node.unique_id,
            "invocation_id": self.invocation_id,
            "status": node.status,
            "Execution Duration": node.seconds,
        }

    def _columns(self, node: BuiltNode) -> dg.TableSchema:
        """Names and types as the warehouse has them, words as the models' YAML has them."""
        described = self.nodes[node.unique_id]["columns"]
        stored = self.columns[_relation(self.nodes[node.unique_id])]
        return dg.TableSchema(
            [
                dg.TableColumn(name, kind, described.get(name, {}).get("description") or None)
                for name, kind in stored.items()
            ]
        )

    def _lineage(self, node: BuiltNode) -> dg.TableColumnLineage | None:
        if node.sql is None:
            return None
        try:
            sources = lineage.column_sources(node.sql, self.schema)
        except (
            SqlglotError,
            ValueError,
        ) as error:  # the model stands; what it was made of is told as unknown
            log = dg.get_dagster_logger()
            log.warning(
                "%s: no column lineage, its SQL was not understood: %s", node.unique_id, error
            )
            return None
        return dg.TableColumnLineage(
            {
                column: [
                    dg.TableColumnDep(self.keys[source.relation], source.column)
                    for source in sorted(found)
                    if source.relation in self.keys  # a table function is no asset
                ]
                for column, found in sources.items()
            }
        )


@cache
def _manifest_nodes() -> dict[str, dict[str, Any]]:
    manifest: dict[str, dict[str, dict[str, Any]]] = json.loads(MANIFEST.read_bytes())
    return manifest["nodes"] | manifest["sources"]


def _relation(node: Mapping[str, Any]) -> str:
    """`schema.table` of a model, seed or source."""
    return f"{node['schema']}.{node.get('alias') or node['identifier']}"
