"""Run the whole graph once in this process, on the Dagster instance of the home."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from ffp_data.feeds import PACKAGED, load_contracts
from ffp_data.home.run import Run
from ffp_data.settings import Home

OnStep = Callable[[int, int, str], None]

# How a step's key begins -> the stage a person knows it by.
STAGES = {
    "policy": "agreements compiled",
    "raw": "feeds loaded",
    "meta": "feeds loaded",
    "declared": "feeds loaded",
    "person_records": "records linked, identifiers assigned",
    "identity": "records linked, identifiers assigned",
    "identifiers": "records linked, identifiers assigned",
    "dbt_models": "single view and return tables built (dbt)",
    "review": "queue for reviewers",
    "serving": "snapshot for look-ups published",
    "out": "returns and extracts released",
}


@dataclass(frozen=True)
class GraphOutcome:
    """How a run of the graph ended: seconds by stage, and each failed step with its error."""

    run: Run
    succeeded: bool
    seconds: dict[str, float]
    failures: list[tuple[str, str]]


def run_whole_graph(
    home: Path,
    landing: Path | None,
    as_at: date | None,
    on_step: OnStep,
    *,
    allow_large_change: bool = False,
    run_id: str | None = None,
) -> GraphOutcome:
    """Materialise every asset with its checks, recorded in Dagster like a run from its pages."""
    from assets.definitions import defs  # parses dbt on a fresh clone, so not before it is needed

    _refuse_another_home(home)
    hub = {
        "home": str(home),
        "landing": str(landing.resolve()) if landing else "",
        "as_at": as_at.isoformat() if as_at else "",
        "allow_large_change": allow_large_change,
    }
    job = defs.resolve_job_def("whole_graph")
    _listen(on_step, steps=len(job.graph.nodes))
    # dbt's own words go to a file: standard output is for the summary alone.
    with (
        (home / "scratch" / "run.log").open("w", encoding="utf-8") as log,
        redirect_stdout(log),
        dg.DagsterInstance.get() as instance,
    ):
        result = job.execute_in_process(
            instance=instance,
            run_config={"resources": {"hub": {"config": hub}}, "loggers": {"steps": {}}},
            raise_on_error=False,
            run_id=run_id,
        )
    return GraphOutcome(
        run=Run.at(run_id=result.run_id, home=home, landing=landing, as_at=as_at),
        succeeded=result.success,
        seconds=_seconds_by_stage(result.all_events),
        failures=_failures(result.all_events),
    )


def _refuse_another_home(home: Path) -> None:
    """The graph of a process is that of the home at import; feeds of another would be left out unseen."""
    from assets.feeds import FEEDS

    own = set(load_contracts(PACKAGED, Home.at(home).contracts))
    if own != set(FEEDS):
        other = ", ".join(sorted(own ^ set(FEEDS)))
        raise RuntimeError(f"{home}: other feeds than at start ({other}); begin a new process")


def _failures(events: Sequence[dg.DagsterEvent]) -> list[tuple[str, str]]:
    """Each failed step with why; the run itself when it failed outside its steps."""
    problems = _problems(events)
    steps = [
        (str(event.step_key), words)
        for event in events
        if event.is_step_failure
        for words in problems.get(event.step_key) or [_cause(event)]
    ]
    whole = [("run", str(event.message)) for event in events if event.is_run_failure]
    return steps or whole


def _problems(events: Sequence[dg.DagsterEvent]) -> dict[str | None, list[str]]:
    """What failed checks list as problems, by step: file, line and remedy, which Dagster leaves out."""
    listed: dict[str | None, list[str]] = defaultdict(list)
    for event in events:
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed and "problems" in check.metadata:
                value = check.metadata["problems"].value
                listed[event.step_key] += value if isinstance(value, list) else [str(value)]
    return listed


def _cause(event: dg.DagsterEvent) -> str:
    """The innermost error of a failed step, without its stack."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error else "failed without an error; see Dagster's log"


def stage_of(step_key: str) -> str:
    """The stage of a step; a step of no known stage names itself."""
    return next((words for start, words in STAGES.items() if step_key.startswith(start)), step_key)


class _StepHandler(logging.Handler):
    """Passes on each step start that Dagster logs."""

    def __init__(self, on_step: OnStep, steps: int) -> None:
        super().__init__()
        self._on_step, self._steps, self._begun = on_step, steps, 0

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", None) or {}
        event = meta.get("dagster_event")
        if event is not None and event.is_step_start:
            self._on_step(self._begun, self._steps, stage_of(event.step_key))
            self._begun += 1


_STEPS = logging.getLogger("ffp.steps")
_STEPS.propagate = False


def _steps(_context: dg.InitLoggerContext) -> logging.Logger:
    return _STEPS


steps_logger = dg.LoggerDefinition(
    _steps, description="Tells the command line which step runs; prints nothing itself."
)


def _listen(on_step: OnStep, steps: int) -> None:
    _STEPS.setLevel(logging.DEBUG)
    _STEPS.handlers = [_StepHandler(on_step, steps)]


def _seconds_by_stage(events: Iterable[dg.DagsterEvent]) -> dict[str, float]:
    seconds: dict[str, float] = defaultdict(float)
    for event in events:
        if event.is_step_success:
            seconds[stage_of(str(event.step_key))] += event.step_success_data.duration_ms / 1000
    return dict(seconds)
