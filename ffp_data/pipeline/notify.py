"""Tell somebody: one line in the ledger and one in the alerts file of the home."""

from __future__ import annotations

import json
from typing import Any

from ffp_data.home.run import Run


def run_failed(run: Run, *, job: str, step: list[str | None]) -> None:
    """Record a failed run by its step names alone; error texts may quote data and stay in Dagster."""
    tell(run, "run_failed", job=job, steps=[name for name in step if name])


def tell(run: Run, kind: str, **facts: Any) -> None:
    """Write an alert of a kind, such as `feed_late`, with plain facts and no person's data."""
    facts = {"run_id": run.run_id, **facts}
    run.ledger.append(kind, **facts)
    with (run.home.root / "alerts.jsonl").open("a", encoding="utf-8") as alerts:
        alerts.write(json.dumps({"kind": kind, **facts}, sort_keys=True) + "\n")
