"""Asks the gate before the build: dbt's models as compiled, beside contracts, pools and the signed lock.

Nothing of the warehouse is needed: what the stored tables hold is declared (dbt's sources, which a test
keeps equal to the contracts), so that the same question is asked in a run, at a desk and in CI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table as FeedTables
from ffp_data.feeds.tables import attribute, own_key
from ffp_data.home.run import Run
from ffp_data.marts.transform import dbt_vars, parse_environment, parsed_project
from ffp_data.paths import DBT_PROJECT
from governance.build_gate import (
    Examine,
    FeedTable,
    Free,
    Gate,
    Model,
    Pool,
    Refusal,
    Shut,
    Stored,
    Table,
    examined,
)
from governance.kept_reads import KeptReads
from governance.policy.compile import Lock
from governance.readset import Column

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

FENCE = "{{ pass_fence() }}"
"""The one statement that may run beside the models: it reads the hub's own token."""

_BUILT = ("model", "snapshot")


@dataclass(frozen=True)
class Project:
    """What dbt would build: the models as compiled, the columns of the stored tables, and faults beside them."""

    models: list[Model]
    columns: dict[Table, dict[str, str]]
    seeds: frozenset[Table]
    beside: list[Refusal]


def refusals(
    lock: Lock,
    contracts: Mapping[str, Contract],
    manifest: Path,
    variables: str,
    examine: Examine = examined,
) -> list[Refusal]:
    """Why the project of `manifest` may not be built under `lock`; empty when it may."""
    asked = project(manifest, variables)
    gate = Gate(lock, stored(contracts, asked))
    return [*asked.beside, *gate.refusals(asked.models, asked.columns, examine)]


def permit_build(run: Run, manifest: Path) -> list[str]:
    """Ask for the project of `manifest` under this run's lock; refusals go to the ledger and come back as lines.

    What the models read is kept beside the project as dbt parsed it, which lies where the program does.
    """
    lock = Lock.read(run.lock_file, run.keys.trusted)
    kept = KeptReads(manifest.parent)
    refused = refusals(lock, run.contracts, manifest, dbt_vars(run), kept.examined)
    if refused:
        models = sorted({each.model for each in refused})
        run.ledger.append("build_refused", run_id=run.run_id, policy=lock.sha256, models=models)
    return [str(each) for each in refused]


def project(manifest: Path, variables: str) -> Project:
    """The project that dbt parsed into `manifest`, compiled with these variables (JSON)."""
    compiled = _compile(manifest, variables)
    seeds = _seeds(compiled)
    return Project(
        _models(compiled),
        {**_sources(compiled), **seeds},
        frozenset(seeds),
        list(_statements_beside(compiled)),
    )


def stored(contracts: Mapping[str, Contract], asked: Project) -> dict[Table, Stored]:
    """What each stored table is: a feed's, a pool, or free."""
    return {**_of_contracts(contracts), **_of_pools(), **dict.fromkeys(asked.seeds, Free())}


def _compile(manifest: Path, variables: str) -> Manifest:
    """The project with the SQL of each model as it would run; asks no database anything."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    parsed = parsed_project(manifest)
    with TemporaryDirectory() as folder, parse_environment(Path(folder)):
        words = [
            "--quiet",
            "--no-write-json",
            "--log-level-file",
            "none",
            "compile",
            "--no-introspect",
        ]
        # the gate asks about models alone; tests are as many again to compile
        words += ["--exclude", "resource_type:test", "resource_type:unit_test"]
        words += ["--vars", variables, "--target-path", folder]
        words += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        try:
            ended = dbtRunner(manifest=parsed).invoke(words)
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if not ended.success:
        raise RuntimeError(f"{DBT_PROJECT}: dbt cannot compile the project: {ended.exception}")
    return parsed


def _models(compiled: Manifest) -> list[Model]:
    return [
        Model(
            table=(node.schema, node.alias),
            sql=node.compiled_code or "",
            purposes=_purposes(node.config.meta),
            needs_purpose=str(node.access) == "public",
            language=node.language,
            besides=tuple(hook.sql for hook in [*node.config.pre_hook, *node.config.post_hook]),
        )
        for node in _nodes(compiled, *_BUILT)
        if node.config.materialized != "ephemeral"  # stands in the SQL of those that read it
    ]


def _purposes(meta: Mapping[str, Any]) -> tuple[str, ...]:
    purpose = meta.get("purpose")
    return (purpose,) if isinstance(purpose, str) else tuple(purpose or ())


def _statements_beside(compiled: Manifest) -> Iterator[Refusal]:
    for node in _nodes(compiled, "operation"):
        if node.raw_code != FENCE:
            yield Refusal(
                node.name, "by a hook", "", "a query alone; leave out statements beside it"
            )


def _sources(compiled: Manifest) -> dict[Table, dict[str, str]]:
    return {
        (source.schema, source.identifier): {
            c.name: str(c.data_type) for c in source.columns.values()
        }
        for source in compiled.sources.values()
    }


def _seeds(compiled: Manifest) -> dict[Table, dict[str, str]]:
    """The code lists that the project brings."""
    return {
        (seed.schema, seed.alias): {
            name: seed.config.column_types.get(name, "varchar") for name in seed.columns
        }
        for seed in _nodes(compiled, "seed")
    }


def _nodes(compiled: Manifest, *kinds: str) -> Iterator[Any]:
    return (node for node in compiled.nodes.values() if str(node.resource_type) in kinds)


def _of_contracts(contracts: Mapping[str, Contract]) -> dict[Table, Stored]:
    return {
        _split(name): FeedTable(contract.id, table.name, agreed_as)
        for contract in contracts.values()
        for table in contract.tables
        for name, agreed_as in (
            (contract.raw_name(table), {p.name: p.name for p in table.payload}),
            (contract.identity_name(table), _identity(table)),
        )
    }


def _identity(table: FeedTables) -> dict[str, str]:
    """The columns of a table's identity half, each with the property that fills it."""
    own = {name: name for name in own_key(table)}
    return {**own, **{attribute(p): p.name for p in table.identity}}


def _of_pools() -> dict[Table, Stored]:
    """Shut tables, pools and free tables, from pools.yaml."""
    told = yaml.safe_load(resources.files(__package__).joinpath("pools.yaml").read_text("utf-8"))
    shut = {_split(name): Shut(tuple(map(_split, who))) for name, who in told["shut"].items()}
    pools = {
        _split(name): Pool(frozenset(keys), _doors(group["doors"]))
        for group in told["pools"]
        for name, keys in group["keys"].items()
    }
    return {**shut, **pools, **{_split(name): Free() for name in told["free"]}}


def _doors(told: Mapping[str, list[str]]) -> dict[str, tuple[Column, ...]]:
    return {
        purpose: tuple(Column(*door.split(".")) for door in doors)
        for purpose, doors in told.items()
    }


def _split(name: str) -> Table:
    schema, table = name.replace('"', "").split(".")
    return schema, table
