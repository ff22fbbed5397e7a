"""What every step of one run needs: the hub's home, where deliveries land, and as at which day."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from ffp_data import feeds, fence
from ffp_data.feeds import Contract
from ffp_data.feeds.guard import MOST_AHEAD
from ffp_data.home.subjects import lists_of
from ffp_data.hub import lease
from ffp_data.settings import Home, Partnership
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.subject_lists import SubjectLists

_DELIVERED_AT = re.compile(r"(?<!\d)(20\d{2})(\d{2})(\d{2})(?!\d)")


@dataclass(frozen=True)
class Run:
    """One run. Every step reads the as-at date from here, never from the clock."""

    run_id: str
    home: Home
    landing: Path
    stated_as_at: date | None = None
    allow_large_change: bool = False
    """Somebody has looked, and lets this run change more identifiers than the hub's limit."""
    stated_year: str | None = None
    """The collection year of the returns, such as 2025-26, where it is not that of the as-at date."""

    @classmethod
    def at(
        cls,
        *,
        run_id: str,
        home: Path | str | None = None,
        landing: Path | str | None = None,
        as_at: date | None = None,
        allow_large_change: bool = False,
    ) -> Run:
        """A run with fallbacks: FFP_HOME, FFP_LANDING, FFP_AS_AT, then the day of the newest delivery."""
        place = Home.at(home).prepare()
        folder = Path(landing or os.environ.get("FFP_LANDING") or place.landing).resolve()
        day = as_at or _as_at_from_environment()
        return cls(run_id, place, folder, day, allow_large_change)

    @cached_property
    def as_at(self) -> date:
        """The day the run speaks for: as stated, else that of the lock, else of the newest delivery.

        The lock comes first, so that a file that lands while a run works can't part its steps.
        """
        return self.stated_as_at or self._compiled_for() or newest_delivery(self.landing)

    def with_day_fixed(self) -> Run:
        """This run for the day as stated, else of the newest delivery: how a run begins."""
        return replace(self, stated_as_at=self.stated_as_at or newest_delivery(self.landing))

    @cached_property
    def partnership(self) -> Partnership:
        return Partnership.of(self.home)

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        """The packaged contracts and the partnership's own, by feed; raises FeedError."""
        return feeds.load_contracts(feeds.PACKAGED, self.home.contracts)

    @cached_property
    def keys(self) -> KeyStore:
        return KeyStore(self.home.keys_dir)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.home.ledger_dir, self.keys)

    @cached_property
    def subject_lists(self) -> SubjectLists:
        """Where releases keep whom they disclosed."""
        return lists_of(self.home, self.keys)

    @property
    def lock_file(self) -> Path:
        """The compiled, signed grants: the only policy that a run reads."""
        return self.home.lock_file

    @property
    def census_year(self) -> tuple[date, date]:
        """First and last day of the collection year, the stated one or that of the as-at date."""
        if self.stated_year:
            first = int(self.stated_year[:4])
            return date(first, 4, 1), date(first + 1, 3, 31)
        started = (
            self.as_at.year if self.as_at >= date(self.as_at.year, 4, 1) else self.as_at.year - 1
        )
        return date(started, 4, 1), date(started + 1, 3, 31)

    @property
    def collection_year(self) -> str:
        """The year as DfE writes it, such as 2025-26."""
        first, last = self.census_year
        return f"{first.year}-{last.year % 100:02d}"

    def _compiled_for(self) -> date | None:
        """The day of the last compiled lock; its signature is checked where a decision is asked for."""
        if not self.lock_file.is_file():
            return None
        return date.fromisoformat(json.loads(self.lock_file.read_bytes())["lock"]["as_at"])


class NoDayError(ValueError):
    """Nothing says as at which day to run."""


def sole_run(home: Home, on_wait: Callable[[], None]) -> AbstractContextManager[None]:
    """Hold the home for one command, as a run does; while a run holds it, call `on_wait` once and wait."""
    return leased(home, f"command-{uuid4().hex[:12]}", on_wait=lambda _holder: on_wait())


@contextmanager
def leased(
    home: Home,
    run_id: str,
    *,
    wait: float = lease.WAIT,
    on_wait: Callable[[str], None] = lambda _holder: None,
) -> Iterator[None]:
    """Hold the lease of the home's hub for a run; errors and waiting as for `lease.hold`.

    Steps open and close the warehouse one by one, so DuckDB's own lock would let two runs mix their
    steps. Within a process the first holder counts; several processes of one run share its lease.
    """
    if fence.token_of(home) is not None:
        yield
        return
    with lease.hold(home.hub_url, run_id, wait=wait, on_wait=on_wait) as held:
        if held.overtook:
            keys = KeyStore(home.keys_dir)
            Ledger(home.ledger_dir, keys).append(
                "lease_taken_over", run_id=run_id, token=held.token, overtook=held.overtook
            )
        with fence.carrying(home, fence.Pass(held.token, held.require_newest)):
            yield


def newest_delivery(landing: Path) -> date:
    """The latest day in the names of delivered files and folders; raises NoDayError if there is none.

    A day more than a year after every other is a slip of the pen (2062 for 2026), on which every child
    would be grown up: it is asked about, never taken.
    """
    named = (_DELIVERED_AT.finditer(path.name) for path in landing.rglob("*"))
    days = sorted({day for matches in named for m in matches if (day := _day(*m.groups()))})
    if not days:
        raise NoDayError(
            f"{landing}: no delivery carries a date in its name, so there is no as-at date; give --as-at"
        )
    if len(days) > 1 and days[-1] - days[-2] > MOST_AHEAD:
        raise NoDayError(
            f"{landing}: a name tells {days[-1]}, every other {days[-2]} or before; correct that name, or"
            " give --as-at"
        )
    return days[-1]


def _day(year: str, month: str, day: str) -> date | None:
    """The date of eight digits, None where they are another number."""
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _as_at_from_environment() -> date | None:
    text = os.environ.get("FFP_AS_AT")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NoDayError(f"FFP_AS_AT={text}: not a date; write it as 2026-03-31") from None
