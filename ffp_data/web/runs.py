"""How the newest runs ended, read from Dagster's own history in the home.

Dagster keeps it in SQLite (`assets/dagster.yaml`); its tables are read, never written, and only what tells of no
person: names of jobs, steps, assets and checks. What a failed step says may quote data and stays in Dagster.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ffp_data.settings import Home

ENDED_WELL = "SUCCESS"
_WORDS = {
    ENDED_WELL: "ended well",
    "FAILURE": "failed",
    "STARTED": "began, and has not ended",
    "STARTING": "is starting",
    "QUEUED": "waits",
    "NOT_STARTED": "waits",
    "CANCELING": "is being stopped",
    "CANCELED": "was stopped",
}


@dataclass(frozen=True)
class RunSeen:
    """A run; `seconds` is None until it ends."""

    run_id: str
    job: str
    status: str
    began: datetime | None
    seconds: int | None

    @property
    def words(self) -> str:
        """How it ended."""
        return _WORDS.get(self.status, self.status.lower())


@dataclass(frozen=True)
class CheckFailed:
    """A check of an asset that did not pass; only an error stops what follows."""

    asset: str
    check: str
    is_error: bool


def newest_runs(home: Home, most: int = 10) -> list[RunSeen]:
    """The runs that began last, the newest first; none before the first."""
    query = """
        SELECT run_id, pipeline_name, status, start_time, end_time FROM runs ORDER BY id DESC LIMIT ?
    """
    rows = _rows(home.dagster_home / "history" / "runs.db", query, [most])
    return [
        RunSeen(
            run_id,
            job,
            status,
            datetime.fromtimestamp(began, UTC) if began else None,
            round(ended - began) if began and ended else None,
        )
        for run_id, job, status, began, ended in rows
    ]


def failed_checks(home: Home, run_id: str) -> list[CheckFailed]:
    """The checks of a run that did not pass, errors first."""
    query = """
        SELECT asset_key, check_name, evaluation_event FROM asset_check_executions
        WHERE run_id = ? AND execution_status = 'FAILED' ORDER BY asset_key, check_name
    """
    rows = _rows(home.dagster_home / "history" / "runs" / "index.db", query, [run_id])
    found = [CheckFailed("/".join(json.loads(a)), c, _is_error(event)) for a, c, event in rows]
    return sorted(found, key=lambda each: not each.is_error)


def failed_steps(home: Home, run_id: str) -> list[str]:
    """The steps of a run that failed."""
    folder = home.dagster_home / "history" / "runs"
    query = "SELECT DISTINCT step_key FROM event_logs WHERE dagster_event_type = 'STEP_FAILURE' ORDER BY id"
    return [step.replace("__", "/") for (step,) in _rows(folder / f"{Path(run_id).name}.db", query)]


def _is_error(event: str | None) -> bool:
    """Whether a failed check is of severity ERROR; one whose step broke off has no severity."""
    if event is None:
        return True
    said = json.loads(event)["dagster_event"]["event_specific_data"]
    return str(said["severity"]["__enum__"]).endswith(".ERROR")


def _rows(file: Path, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    if not file.is_file():
        return []
    with _reading(file) as connection:
        return connection.execute(query, parameters).fetchall()


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    address = f"file:{quote(str(file))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=5)) as connection:
        yield connection
