"""The tables of the returns for another collection year than the run's, for as long as it is built.

The returns of a year are made and sent after it has ended, when runs already speak for the next one.
The models of the census and the returns are built again for the year asked for, and afterwards for
the year they held before, so that nothing else that reads them meets the wrong year.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path

from ffp_data.home.run import Run
from ffp_data.marts.transform import build, current_manifest
from ffp_data.paths import DBT_PROJECT
from ffp_data.releases.make_return import tables_hold
from ffp_data.returns import LayoutError
from ffp_data.warehouse import connect

_FOLDERS = (["intermediate", "census"], ["marts", "returns"])


@contextmanager
def tables_of_year(run: Run) -> Iterator[None]:
    """Let the tables of the returns hold the year of `run` inside the block.

    Raises LayoutError when no run was made or dbt cannot build them.
    """
    with connect(run.home, read_only=True) as con:
        held, _ = tables_hold(con)
    if held == run.collection_year:
        yield
        return
    try:
        _build(run)
        yield
    finally:
        _build(replace(run, stated_year=held))


def _build(run: Run) -> None:
    manifest = current_manifest(DBT_PROJECT / "target" / "manifest.json")
    with redirect_stdout(
        io.StringIO()
    ):  # dbt tells its progress, where a command prints its answer
        built = build(run, manifest, only=_models(manifest))
    if not built.succeeded:
        raise LayoutError("; ".join(built.problems()))


def _models(manifest: Path) -> list[str]:
    """Unique ids of the models that depend on the collection year, with their tests."""
    nodes = json.loads(manifest.read_bytes())["nodes"]
    return [
        unique_id
        for unique_id, node in nodes.items()
        if node["resource_type"] == "model" and node["fqn"][1:3] in _FOLDERS
    ]
