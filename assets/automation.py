"""When the graph runs by itself: new files in the landing folder, once a day, and a word when it fails."""

import dagster as dg

from assets.resources import HubResource
from ffp_data.pipeline import ingest, notify

whole_graph = dg.define_asset_job(
    "whole_graph",
    selection=dg.AssetSelection.all(),
    description="From agency files to one view, the returns and the extracts.",
)

daily = dg.ScheduleDefinition(
    name="daily",
    job=whole_graph,
    cron_schedule="30 5 * * *",
    execution_timezone="Europe/London",
    description="Every morning before the front door opens.",
)


@dg.sensor(
    job=whole_graph,
    minimum_interval_seconds=300,
    description="Runs the graph when a file that has never been seen lies in the landing folder.",
)
def landing_folder(context: dg.SensorEvaluationContext, hub: HubResource) -> dg.SensorResult:
    seen = ingest.landing_fingerprint(hub.run("landing-sensor"))
    if seen in ("", context.cursor):
        return dg.SensorResult(skip_reason="nothing new in the landing folder")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=seen)], cursor=seen)


@dg.run_failure_sensor(
    description="Writes a failed run to the ledger and to the alerts file of the home.",
)
def failed_run(context: dg.RunFailureSensorContext, hub: HubResource) -> None:
    notify.run_failed(
        hub.run(context.dagster_run.run_id),
        job=context.dagster_run.job_name,
        step=[event.step_key for event in context.get_step_failure_events()],
    )
