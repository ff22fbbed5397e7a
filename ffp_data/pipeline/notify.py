"""Tell somebody that a run failed: one line in the ledger and one in the alerts file of the home."""

from __future__ import annotations

import json

from ffp_data.pipeline.run import Run


def run_failed(run: Run, *, job: str, step: list[str | None]) -> None:
    """Record a failed run by its step names alone; error texts may quote data and stay in Dagster."""
    fact = {"run_id": run.run_id, "job": job, "steps": [name for name in step if name]}
    run.ledger.append("run_failed", **fact)
    with (run.home.root / "alerts.jsonl").open("a", encoding="utf-8") as alerts:
        alerts.write(json.dumps(fact, sort_keys=True) + "\n")
