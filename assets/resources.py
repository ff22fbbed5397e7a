"""The one resource of the graph: which hub a run works for, where deliveries land, and as at which day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import dagster as dg

from ffp_data.home.run import Run, leased
from ffp_data.hub import lease


class HubResource(dg.ConfigurableResource[None]):
    """Empty values fall back to FFP_HOME, FFP_LANDING and FFP_AS_AT, then to the packaged defaults.

    Without an as-at date the day of the newest delivery is used, so that no output depends on the clock.
    """

    home: str = ""
    landing: str = ""
    as_at: str = ""
    allow_large_change: bool = False
    wait: float = lease.WAIT
    """Seconds to wait for another run on the home; 0 refuses at once."""

    @contextmanager  # Dagster's types say that such a resource yields None; it yields itself.
    def yield_for_execution(  # type: ignore[override]
        self, context: dg.InitResourceContext
    ) -> Iterator["HubResource"]:
        """Runs take turns on a home, whoever started them; sensors only look and never wait."""
        if context.run is None:
            yield self
            return
        log = dg.get_dagster_logger()
        run = self.run(context.run.run_id)
        with leased(
            run.home,
            run.run_id,
            wait=self.wait,
            on_wait=lambda who: log.info("waiting for %s", who),
        ):
            _clear_away(context.instance, run.run_id)
            yield self

    def run(self, run_id: str) -> Run:
        """What every step of one run needs to know."""
        return Run.at(
            run_id=run_id,
            home=self.home or None,
            landing=self.landing or None,
            as_at=date.fromisoformat(self.as_at) if self.as_at else None,
            allow_large_change=self.allow_large_change,
        )


def _clear_away(instance: dg.DagsterInstance | None, run_id: str) -> None:
    """End in Dagster what runs left there that were killed in a step: else its pool waits for them for ever.

    Only a run that held the lease is in a step, and now this one holds it.
    """
    if instance is None:
        return
    storage = instance.event_log_storage
    held = [storage.get_concurrency_info(pool) for pool in storage.get_concurrency_keys()]
    for left in {slot.run_id for pool in held for slot in pool.claimed_slots} - {run_id}:
        storage.free_concurrency_slots_for_run(left)
        dead = instance.get_run_by_id(left)
        if dead is not None and not dead.is_finished:
            instance.report_run_failed(dead, "its process ended in the middle of a step")
