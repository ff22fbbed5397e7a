"""What every step of one run needs: the hub's home, where deliveries land, and as at which day."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from ffp_data.settings import Home, Partnership
from governance.keys import KeyStore
from governance.ledger import Ledger

_DELIVERED_AT = re.compile(r"(?<!\d)(20\d{2})(\d{2})(\d{2})(?!\d)")


@dataclass(frozen=True)
class Run:
    """One run. Every step reads the as-at date from here, never from the clock."""

    run_id: str
    home: Home
    landing: Path
    stated_as_at: date | None = None

    @classmethod
    def at(
        cls,
        *,
        run_id: str,
        home: Path | str | None = None,
        landing: Path | str | None = None,
        as_at: date | None = None,
    ) -> Run:
        """A run with fallbacks: FFP_HOME, FFP_LANDING, FFP_AS_AT, then the day of the newest delivery."""
        place = Home.at(home).prepare()
        folder = Path(landing or os.environ.get("FFP_LANDING") or place.landing).resolve()
        return cls(run_id, place, folder, as_at or _as_at_from_environment())

    @cached_property
    def as_at(self) -> date:
        """The day the run speaks for; ValueError when none was stated and nothing was delivered."""
        return self.stated_as_at or newest_delivery(self.landing)

    @cached_property
    def partnership(self) -> Partnership:
        return Partnership.of(self.home)

    @cached_property
    def keys(self) -> KeyStore:
        return KeyStore(self.home.keys_dir)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.home.ledger_dir, self.keys.signing_key)

    @property
    def lock_file(self) -> Path:
        """The compiled, signed grants: the only policy that a run reads."""
        return self.home.root / "policy.lock.json"

    @property
    def census_year(self) -> tuple[date, date]:
        """First and last day of the collection year of the as-at date: 1 April to 31 March."""
        started = (
            self.as_at.year if self.as_at >= date(self.as_at.year, 4, 1) else self.as_at.year - 1
        )
        return date(started, 4, 1), date(started + 1, 3, 31)

    @property
    def collection_year(self) -> str:
        """The year as DfE writes it, such as 2025-26."""
        first, last = self.census_year
        return f"{first.year}-{last.year % 100:02d}"


def newest_delivery(landing: Path) -> date:
    """The latest day in the names of delivered files and folders; raises ValueError if there is none."""
    found = {
        match.groups()
        for path in sorted(landing.rglob("*"))
        for match in _DELIVERED_AT.finditer(path.name)
    }
    if not found:
        raise ValueError(
            f"{landing}: no delivery carries a date in its name, so there is no as-at date; give --as-at"
        )
    year, month, day = max(found)
    return date(int(year), int(month), int(day))


def _as_at_from_environment() -> date | None:
    text = os.environ.get("FFP_AS_AT")
    return date.fromisoformat(text) if text else None
