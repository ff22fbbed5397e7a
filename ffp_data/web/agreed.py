"""What the governance pages are made of: the lock of the last run in words, and the lineage of its columns.

Both are of the policy and the project alone; nothing of any person is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from ffp_data import feeds
from ffp_data.home.kept_locks import ASKED, KeptLocks
from ffp_data.lineage.columns import ColumnLineage
from ffp_data.lineage.export import Export
from ffp_data.lineage.graph import current_graph
from ffp_data.serving import store
from ffp_data.serving.view import ROOM
from ffp_data.settings import Home, Partnership
from ffp_data.web.service import Asker, Service
from governance.access import Right
from governance.documents.facts import Facts, Terms, period
from governance.documents.observed import NOTHING
from governance.documents.register import SOON, dpia_words
from governance.keys import KeyStore
from governance.policy.compile import CASE_ONLY, Lock

LOCK = "policy.lock.json"


def require(service: Service, who: Asker, right: Right = Right.EXPLAIN) -> None:
    """Let those pass who answer for the sharing of information; raises AccessDeniedError."""
    service.gate.check(who.principal, right)


@dataclass(frozen=True)
class Standing:
    """One agreement on the day of the lock, in words."""

    id: str
    terms: Terms
    state: str
    colour: str
    due: tuple[str, ...]
    why_not: str | None

    @property
    def versioned(self) -> str:
        return f"{self.id}@{self.terms['version']}"

    @property
    def is_inbound(self) -> bool:
        return bool(self.terms["direction"] == "inbound")

    @property
    def is_in_force(self) -> bool:
        return self.why_not is None or self.why_not == CASE_ONLY


@dataclass(frozen=True)
class Agreed:
    """The agreements of a home as its last run compiled them."""

    lock: Lock
    facts: Facts

    @property
    def as_at(self) -> date:
        return date.fromisoformat(self.facts.as_at)

    def standings(self) -> list[Standing]:
        """Every agreement, in order of its id."""
        return [self._standing(name, entry) for name, entry in self.facts.agreements()]

    def standing(self, agreement: str) -> Standing | None:
        """One agreement; None for one that the lock does not know."""
        entry = self.lock.data["agreements"].get(agreement)
        return self._standing(agreement, entry) if entry else None

    def _standing(self, name: str, entry: Mapping[str, Any]) -> Standing:
        terms, why = entry["terms"], entry["not_in_force"]
        state, colour = _state(terms, why)
        return Standing(name, terms, state, colour, tuple(self._due(name, terms, why)), why)

    def _due(self, name: str, terms: Terms, why: str | None) -> list[str]:
        if why not in (None, CASE_ONLY):
            return []
        soon = (self.as_at + SOON).isoformat()
        return [
            *(["ask its DPIA again"] if name in self.facts.stale else []),
            *([f"ends on {terms['expires']}"] if terms["expires"] <= soon else []),
            *([f"review by {terms['review']}"] if terms["review"] <= soon else []),
        ]

    def dpia(self, standing: Standing) -> tuple[str, ...]:
        """The impact assessment that an agreement rests on."""
        return dpia_words(self.facts, standing.id, standing.terms)

    def crosses(self, standing: Standing) -> dict[str, tuple[int, int]]:
        """How many columns of how many tables it lets cross, by feed or by schema of the hub."""
        found: dict[str, tuple[int, set[str]]] = {}
        for item in standing.terms["items"]:
            place, table = (
                (item["feed"], item["table"]) if "feed" in item else item["relation"].split(".")
            )
            count, tables = found.get(place, (0, set()))
            found[place] = (count + len(item["columns"]), tables | {table})
        return {place: (count, len(tables)) for place, (count, tables) in found.items()}

    def givers(self, standing: Standing) -> list[str]:
        """The organisations that are bound, by name alone."""
        return [self.facts.organisation(each["org"]) for each in standing.terms["parties"]]

    @staticmethod
    def kept_for(standing: Standing) -> str:
        """How long the receiver keeps it."""
        retention = standing.terms["retention"]
        return f"{period(retention['period'])} from {retention['from']}; {retention['disposal']}"


def _state(terms: Terms, why: str | None) -> tuple[str, str]:
    """A word for the state, and the colour of its tag."""
    if why is None:
        return "in force", "green"
    if why == CASE_ONLY:
        return "in force, child by child", "blue"
    if terms["status"] != "live":
        return str(terms["status"]), "red" if terms["status"] in (
            "suspended",
            "withdrawn",
        ) else "grey"
    return "not in force", "grey"


def agreed_in(home: Home) -> Agreed:
    """The agreements of a home; raises LockError where no run has compiled them."""
    return _read(home, _stamp(home.root / LOCK), _stamp(home.locks / ASKED))


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=2)
def _read(home: Home, _lock: int, _asked: int) -> Agreed:
    kept = KeptLocks(home, KeyStore(home.keys_dir))
    lock = Lock.read(home.root / LOCK, kept.keys.trusted)
    name = Partnership.of(home).name
    stale = kept.stale_dpias(lock)
    return Agreed(
        lock, Facts(name, lock.data, lock.sha256, {}, lock.data["gateways"], NOTHING, stale)
    )


def lineage_of(service: Service) -> ColumnLineage:
    """The lineage of the columns, worked out again after each run and kept in between."""
    return _lineage(service.home.contracts, last_run(service.home))


@lru_cache(maxsize=2)
def _lineage(contracts: Path, _run_id: str) -> ColumnLineage:
    return ColumnLineage(current_graph(), feeds.load_contracts(feeds.PACKAGED, contracts))


def export_of(service: Service, agreed: Agreed) -> Export:
    """Published tables with their sources, agreements and grants."""
    run_id = last_run(service.home)
    return Export(lineage_of(service), agreed.lock.data, run_id, agreed.facts.as_at)


def last_run(home: Home) -> str:
    """The run whose view counts, by the name of what it published; empty before the first."""
    published = store.current(home, ROOM)
    return published.stem if published else ""
