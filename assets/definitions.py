"""The code location: every asset, check, job, sensor and schedule of the hub."""

import dagster as dg

from assets import automation
from assets.dbt import dbt_models
from assets.documents import governance_documents
from assets.execute import steps_logger
from assets.feeds import feed_assets
from assets.identity import (
    bank_holidays,
    declared_facts,
    feed_state,
    identifiers,
    links,
    person_records,
)
from assets.outputs import output_assets
from assets.policy import policy_lock
from assets.resources import HubResource
from assets.review import review_queue
from assets.serving import programme_profile, published_view, serving_snapshot

defs = dg.Definitions(
    assets=[
        policy_lock,
        *feed_assets,
        bank_holidays,
        feed_state,
        declared_facts,
        person_records,
        links,
        identifiers,
        dbt_models,
        review_queue,
        serving_snapshot,
        published_view,
        programme_profile,
        *output_assets,
        governance_documents,
    ],
    jobs=[automation.whole_graph],
    schedules=[automation.daily],
    sensors=[automation.landing_folder, automation.failed_run],
    resources={"hub": HubResource()},
    loggers={"console": dg.colored_console_logger, "steps": steps_logger},
    # One writer at a time: DuckDB lets one process hold the warehouse file.
    executor=dg.in_process_executor,
)
