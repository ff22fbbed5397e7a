"""What dbt needs around it: the warehouse, its key for this process only, and the run's dates."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ffp_data.paths import DBT_PROJECT
from ffp_data.pipeline.run import Run
from ffp_data.settings import WAREHOUSE_FILE
from ffp_data.warehouse import httpfs_extension, warehouse_key

if TYPE_CHECKING:
    from dbt.adapters.base.impl import BaseAdapter


def dbt_vars(run: Run) -> str:
    """The run's dates as dbt variables, in JSON."""
    first, last = run.census_year
    return json.dumps(
        {
            "as_at": run.as_at.isoformat(),
            "period_start": first.isoformat(),
            "period_end": last.isoformat(),
            "collection_year": run.collection_year,
        }
    )


@contextmanager
def dbt_environment(run: Run) -> Iterator[None]:
    """The environment that profiles.yml reads. The name of the key makes dbt scrub it from its logs."""
    scratch = run.home.scratch / "dbt"
    scratch.mkdir(parents=True, exist_ok=True)
    here = Path.cwd()
    with _environment(
        DBT_ENV_SECRET_WAREHOUSE_KEY=warehouse_key(run.home),
        FFP_WAREHOUSE=str(run.home.warehouse),
        FFP_DBT_SCRATCH=str(scratch / "scratch.duckdb"),
        FFP_HTTPFS=str(httpfs_extension()),
    ):
        try:
            yield
        finally:
            os.chdir(here)  # dagster-dbt's metadata threads change folder and may leave it changed


@contextmanager
def parse_environment() -> Iterator[None]:
    """Enough for dbt to read profiles.yml without a home: parsing opens no database."""
    with _environment(
        DBT_ENV_SECRET_WAREHOUSE_KEY="not-used-when-parsing",  # noqa: S106 -- no key, by its own words
        FFP_WAREHOUSE=WAREHOUSE_FILE,
        FFP_DBT_SCRATCH=":memory:",
        FFP_HTTPFS=str(httpfs_extension()),
    ):
        yield


def current_manifest(path: Path) -> Path:
    """`path` of the manifest, written anew by dbt when it is missing or older than the project.

    A fresh clone has none, and an old one would run yesterday's models. Several processes may come at
    once (web server, daemon), so each parses into a folder of its own and the last one wins whole.
    """
    if path.is_file() and path.stat().st_mtime_ns >= _changed_at(DBT_PROJECT):
        return path
    from dbt.cli.main import dbtRunner

    path.parent.mkdir(parents=True, exist_ok=True)
    with parse_environment(), TemporaryDirectory(dir=path.parent) as folder:
        # no log file: dbt would leave it open in a folder that is gone
        words = ["--quiet", "--log-level-file", "none", "parse", "--project-dir", str(DBT_PROJECT)]
        words += ["--profiles-dir", str(DBT_PROJECT), "--target-path", folder]
        parsed = dbtRunner().invoke(words)
        if not parsed.success:
            raise RuntimeError(f"{DBT_PROJECT}: dbt cannot parse the project: {parsed.exception}")
        (Path(folder) / path.name).replace(path)
    return path


def _changed_at(project: Path) -> int:
    """When the newest source file of the project was written, in nanoseconds."""
    folders = ("models", "macros", "seeds", "tests")
    files = [path for folder in folders for path in (project / folder).rglob("*") if path.is_file()]
    return max(path.stat().st_mtime_ns for path in [*project.glob("*.yml"), *files])


def close_dbt_connections(adapter: BaseAdapter | None) -> None:
    """Close what dagster-dbt's metadata queries leave open, or the next writer finds the file in use."""
    if adapter is None:
        return
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    adapter.cleanup_connections()
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def target_path(run: Run) -> Path:
    """Where dbt writes compiled SQL and logs for this home."""
    return run.home.scratch / "dbt" / "target"
