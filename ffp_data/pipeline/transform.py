"""What dbt needs around it: the warehouse, its key for this process only, and the run's dates."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ffp_data.pipeline.run import Run
from ffp_data.settings import WAREHOUSE_FILE
from ffp_data.warehouse import httpfs_extension, warehouse_key


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
    with _environment(
        DBT_ENV_SECRET_WAREHOUSE_KEY=warehouse_key(run.home),
        FFP_WAREHOUSE=str(run.home.warehouse),
        FFP_DBT_SCRATCH=str(scratch / "scratch.duckdb"),
        FFP_HTTPFS=str(httpfs_extension()),
    ):
        yield


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


def close_dbt_connections() -> None:
    """Close what dagster-dbt's metadata queries leave open, or the next writer finds a locked file."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


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
