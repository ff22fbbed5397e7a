"""An encrypted scratch warehouse with every source table, and dbt run on it in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult

from ffp_data import feeds
from ffp_data.feeds.tables import raw_columns
from ffp_data.marts.transform import current_manifest, parsed_project
from ffp_data.settings import Home
from ffp_data.warehouse import attach, httpfs_extension, lent_engine

PROJECT = Path(__file__).parents[2] / "dbt_project"
KEY = "scratch-key-of-a-test"
Row = Mapping[str, Any]


def _written_sources(folder: str) -> dict[str, dict[str, str]]:
    """Tables of a hand-written source file: `schema.table` -> column -> type."""
    text = (PROJECT / "models" / "staging" / folder / f"_src_{folder}.yml").read_text("utf-8")
    source = yaml.safe_load(text)["sources"][0]
    return {
        f"{source['schema']}.{table['name']}": {c["name"]: c["data_type"] for c in table["columns"]}
        for table in source["tables"]
    }


def source_tables() -> dict[str, dict[str, str]]:
    """Every table that dbt reads: `schema.table` -> column -> DuckDB type."""
    raw = {
        f"raw.{contract.id}__{table.name}": raw_columns(table)
        for contract in feeds.load_contracts().values()
        for table in contract.tables
    }
    written = (_written_sources(folder) for folder in ("identity", "meta", "declared"))
    return raw | {name: columns for tables in written for name, columns in tables.items()}


@dataclass(frozen=True)
class Warehouse:
    """A scratch warehouse in `folder`: fill it, build it, ask it."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with lent_engine(Home(self.folder)) as connection:
            attach(connection, self.file, "warehouse", KEY)
            connection.execute("USE warehouse")
            yield connection

    def create(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Make every source table; those named in `tables` get these rows, NULL where a row is mute."""
        definitions = source_tables()
        unknown = set(tables) - set(definitions)
        assert not unknown, f"no such source tables: {sorted(unknown)}"
        with self.connect() as connection:
            for schema in ("raw", "identity", "meta"):
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            for name, columns in definitions.items():
                described = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
                connection.execute(f"CREATE OR REPLACE TABLE {name} ({described})")
                for row in tables.get(name, ()):
                    _insert(connection, name, columns, row)

    def dbt(self, *arguments: str) -> dbtRunnerResult:
        """Run dbt with these arguments on this warehouse; raises when dbt itself breaks."""
        environment = {
            "FFP_WAREHOUSE": str(self.file),
            "FFP_DBT_SCRATCH": str(self.folder / "scratch.duckdb"),
            "FFP_HTTPFS": str(httpfs_extension()),
            "DBT_ENV_SECRET_WAREHOUSE_KEY": KEY,
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_LEVEL_FILE": "none",  # dbt never closes its log
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        }
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            where = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
            project = parsed_project(current_manifest(PROJECT / "target" / "manifest.json"))
            result = dbtRunner(manifest=project).invoke(["--quiet", *arguments, *where])
        finally:
            # dbt in this process keeps the file open
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
            os.environ.clear()
            os.environ.update(before)
        if result.exception is not None:
            raise result.exception
        return result

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(sql).fetchall()


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], row: Row
) -> None:
    unknown = set(row) - set(columns)
    assert not unknown, f"{table} has no columns {sorted(unknown)}"
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def failures(result: dbtRunnerResult) -> list[str]:
    """Nodes that did not pass, each with its message."""
    nodes = getattr(result.result, "results", [])
    passed = {"success", "pass", "skipped", "no-op"}
    return [f"{node.node.name}: {node.message}" for node in nodes if node.status not in passed]
