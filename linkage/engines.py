"""The engines by name. Spark's packages are an extra, imported only when it is asked for."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa

from linkage import duck
from linkage.engine import Engine
from linkage.errors import LinkageError
from linkage.model import Model

NAMES = ("duckdb", "spark")


def open_engine(
    name: str, records: pa.Table | Path | str, model: Model, threads: int, memory_limit: str | None
) -> AbstractContextManager[Engine]:
    """An engine with the records loaded; raises LinkageError for one that is unknown or missing."""
    if name == "duckdb":
        return duck.open_engine(records, model, threads, memory_limit)
    if name != "spark":
        raise LinkageError(f"no engine '{name}'; there are {' and '.join(NAMES)}")
    try:
        from linkage import spark  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise LinkageError(
            f"the Spark engine needs the package '{(error.name or '').partition('.')[0]}', which is not installed; "
            "install this package with its extra 'spark', or run 'make spark' in a checkout"
        ) from error
    return spark.open_engine(records, model, threads, memory_limit)
