"""dbt on the warehouse: parsed once for all runs, built in this process, with the key in it alone.

A process of its own would load dbt a second and a third time, parse the project again and hand its
results over as log lines; that took longer than the build itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ffp_data.error_words import told
from ffp_data.fence import token_of
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.home.shut_records import feeds_in_force
from ffp_data.paths import DBT_PROJECT
from ffp_data.rights import stored
from ffp_data.settings import WAREHOUSE_FILE
from ffp_data.warehouse import httpfs_extension, warehouse_key

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@dataclass(frozen=True)
class BuiltNode:
    """What became of one seed, model or test; `status` is dbt's own word, `sql` as it was compiled."""

    unique_id: str
    status: str
    seconds: float
    failures: int | None
    message: str | None
    sql: str | None


@dataclass(frozen=True)
class Build:
    """One call of dbt: its id, its nodes in the order in which they ended, and whether all went well."""

    invocation_id: str
    nodes: tuple[BuiltNode, ...]
    succeeded: bool

    def problems(self) -> list[str]:
        """One line for each node that failed; those skipped because of it are not repeated."""
        return [
            f"{node.unique_id}: {told(node.message or '')}"
            for node in self.nodes
            if node.status in ("error", "fail", "runtime error")
        ]


def build(run: Run, manifest: Path, only: Collection[str] = ()) -> Build:
    """Build and test every model, or the nodes of these unique ids, in the warehouse of `run`.

    Raises what dbt raises when it cannot begin, such as duckdb.IOException on a file in use.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt_common.invocation import get_invocation_id

    stored.write(run)
    parsed = parsed_project(manifest)
    # Unit tests prove the models on made rows; they belong to `make test`, not to every run.
    # dbt's own words stay untold: what it says of a failed model quotes values.
    words = ["--no-write-json", "--log-level", "none", "build"]
    words += ["--exclude-resource-type", "unit_test"]
    words += ["--vars", build_vars(run)]
    if only:
        names = [".".join(parsed.nodes[each].fqn) for each in sorted(only)]
        words += ["--indirect-selection", "empty", "--select", *names]
    with dbt_environment(run):
        try:
            ended = dbtRunner(manifest=parsed).invoke([*words, *_places(run)])
        finally:  # or the next writer of this process finds the file in use
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if ended.exception is not None:
        raise ended.exception
    results: Any = ended.result  # of a build, among the many that dbt can give
    nodes = tuple(map(_built, results.results))
    return Build(get_invocation_id(), nodes, ended.success)


def _built(result: Any) -> BuiltNode:
    return BuiltNode(
        unique_id=result.node.unique_id,
        status=str(result.status),
        seconds=result.execution_time,
        failures=result.failures,
        message=result.message,
        sql=getattr(result.node, "compiled_code", None),  # a seed has none
    )


def _places(run: Run) -> list[str]:
    """Compiled SQL and what dbt logs lie in the scratch folder of the home."""
    target = run.home.scratch / "dbt" / "target"
    words = ["--project-dir", DBT_PROJECT, "--profiles-dir", DBT_PROJECT, "--target-path", target]
    return [str(word) for word in [*words, "--log-path", target]]


def build_vars(run: Run) -> str:
    """`dbt_vars` with the feeds that this run's lock lets nothing in of: macro `source` gives no row of them."""
    shut = run.contracts.keys() - feeds_in_force(run, policy.grants(run)).keys()
    return json.dumps({**json.loads(dbt_vars(run)), "shut_feeds": sorted(shut)})


def dbt_vars(run: Run) -> str:
    """The run's dates as dbt variables, in JSON."""
    first, last = run.census_year
    return json.dumps(
        {
            "as_at": run.as_at.isoformat(),
            "period_start": first.isoformat(),
            "period_end": last.isoformat(),
            "collection_year": run.collection_year,
            "fence": token_of(run.home),
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
        # dbt tells its debug log even what each connection does; who needs it sets this to "debug"
        DBT_LOG_LEVEL_FILE=os.environ.get("DBT_LOG_LEVEL_FILE", "none"),
    ):
        try:
            yield
        finally:
            os.chdir(here)  # dbt works in the project's folder


@contextmanager
def parse_environment(folder: Path = Path("not-used-when-parsing")) -> Iterator[None]:
    """Enough for dbt to read profiles.yml without a home.

    Parsing opens no database; compiling makes an empty one of no use in `folder`.
    """
    with _environment(
        DBT_ENV_SECRET_WAREHOUSE_KEY="of-a-database-without-rows",  # noqa: S106 -- no key, by its own words
        FFP_WAREHOUSE=str(folder / WAREHOUSE_FILE),
        FFP_DBT_SCRATCH=str(folder / "scratch.duckdb"),
        FFP_HTTPFS=str(httpfs_extension()),
    ):
        yield


def current_manifest(path: Path) -> Path:
    """`path` of the manifest, written anew by dbt when it is missing or older than the project.

    A fresh clone has none, and an old one would run yesterday's models. Several processes may come at
    once (web server, daemon), so each parses into a folder of its own and the last one wins whole.
    What dbt parsed is kept beside it in dbt's own form, for `build`.
    """
    if _is_current(path):
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
        (Path(folder) / "partial_parse.msgpack").replace(parsed_form(path))
        (Path(folder) / path.name).replace(path)
    return path


def parsed_project(manifest: Path) -> Manifest:
    """The project as dbt parsed it when it wrote `manifest`; read anew, since a run of dbt changes it."""
    from dbt.contracts.graph.manifest import Manifest

    return Manifest.from_msgpack(parsed_form(manifest).read_bytes())


def parsed_form(manifest: Path) -> Path:
    """The parsed project beside its manifest; another version of dbt could not read it."""
    return manifest.with_name(f"parsed-{version('dbt-core')}.msgpack")


def _is_current(manifest: Path) -> bool:
    files = (manifest, parsed_form(manifest))
    changed = _changed_at(DBT_PROJECT)
    return all(file.is_file() and file.stat().st_mtime_ns >= changed for file in files)


def _changed_at(project: Path) -> int:
    """When the newest source file of the project was written, in nanoseconds."""
    folders = ("models", "macros", "seeds", "tests")
    files = [path for folder in folders for path in (project / folder).rglob("*") if path.is_file()]
    return max(path.stat().st_mtime_ns for path in [*project.glob("*.yml"), *files])


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
