"""The one resource of the graph: which hub a run works for, where deliveries land, and as at which day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import dagster as dg

from ffp_data.hub import lease
from ffp_data.pipeline.run import Run, leased


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
