"""The decision functions. They read the compiled lock and nothing else, and deny by default."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from governance.keys import Verifier
from governance.policy.compile import Lock, LockError
from governance.policy.model import is_below


@dataclass(frozen=True)
class IngestDecision:
    """Whether a table of a feed may enter, and which of its columns."""

    feed: str
    table: str
    allowed: bool
    agreement: str | None
    columns: tuple[str, ...]
    dropped: tuple[str, ...]
    policy: str
    reason: str


@dataclass(frozen=True)
class ReleaseItem:
    """One column that may leave: where it is read, what it is called, how it is changed."""

    relation: str
    column: str
    name: str
    transform: str
    category: str
    is_place: bool = False
    """It tells where somebody is or may be found: empty for whoever must not be located."""


@dataclass(frozen=True)
class Cohort:
    """Which rows may leave: ``members`` is a SELECT of ``key``; None means every row."""

    id: str
    title: str
    key: str
    members: str | None


@dataclass(frozen=True)
class ReleaseDecision:
    """Whether a recipient may have an extract for a purpose, and exactly what is in it."""

    recipient: str
    purpose: str
    allowed: bool
    agreement: str | None
    items: tuple[ReleaseItem, ...]
    cohort: Cohort | None
    terms: Mapping[str, Any]
    policy: str
    reason: str
    seal_to: str | None = None
    """The recipient's registered public key, to which the extract is sealed; None: none is registered."""

    def of_one(self, child_id: str) -> ReleaseDecision:
        """The decision on the rows of one child alone, if it is of the cohort; `child_id` is checked by the caller."""
        return self.of_those([child_id])

    def of_those(self, child_ids: Collection[str]) -> ReleaseDecision:
        """The decision on the rows of some children alone, as far as they are of the cohort."""
        if self.cohort is None or self.cohort.key != "child_id":
            raise ValueError("one child is told by the identifier of the hub alone")
        if not child_ids or not all(each.isalnum() for each in child_ids):
            raise ValueError("identifiers of the hub are letters and digits")
        rows = self.cohort.members or "SELECT child_id FROM single_view.children"
        listed = ", ".join(f"'{each}'" for each in sorted(child_ids))
        members = f"SELECT child_id FROM ({rows}) WHERE child_id IN ({listed})"
        return replace(self, cohort=replace(self.cohort, members=members))

    def with_columns(self, wanted: Collection[str]) -> ReleaseDecision:
        """The decision on named columns alone, as "relation.column"."""
        items = tuple(each for each in self.items if f"{each.relation}.{each.column}" in wanted)
        return replace(self, items=items)

    @property
    def transforms(self) -> dict[str, str]:
        """Return the transform of each 'relation.name' that leaves."""
        return {f"{each.relation}.{each.name}": each.transform for each in self.items}

    @property
    def relations(self) -> tuple[str, ...]:
        """Return the tables that leave, in the order of the agreement."""
        return tuple(dict.fromkeys(each.relation for each in self.items))


class Grants:
    """Answers from one lock; every answer names the agreement, or says why there is none."""

    def __init__(self, lock: Lock) -> None:
        """Take a lock that was just compiled; `Grants.read` verifies one from disk."""
        self._lock = lock.data
        self.policy = lock.sha256

    @staticmethod
    def read(path: Path, public_key: Verifier, as_at: date) -> Grants:
        """Read a signed lock for a day; LockError when altered or compiled for another time."""
        lock = Lock.read(path, public_key)
        begins, ends = lock.data["as_at"], lock.data["valid_until"]
        if not begins <= as_at.isoformat() < ends:
            raise LockError(f"{path}: holds from {begins} until {ends}, not on {as_at}; compile it")
        return Grants(lock)

    def ingest(
        self, feed: str, table: str, delivered: Sequence[str] | None = None
    ) -> IngestDecision:
        """Decide on a table of a feed.

        With ``delivered`` (the header as sent) ``columns`` are those of it that may enter and
        ``dropped`` all others; without, they are what the agreement grants and excludes.
        """
        granted = self._granted_columns.get((feed, table), {})
        if not granted:
            reason = f"no: {self._why_no_feed(feed, table)}"
            dropped = tuple(delivered or ())
            return IngestDecision(feed, table, False, None, (), dropped, self.policy, reason)
        agreement = next(iter(granted.values()))
        known = list(granted) if delivered is None else list(delivered)
        excluded = self._excluded(agreement, feed, table) if delivered is None else known
        columns = tuple(each for each in known if each in granted)
        dropped = tuple(each for each in excluded if each not in granted)
        reason = f"yes: {self._cite(agreement)} lets {len(columns)} columns in"
        if dropped:
            reason += f" and keeps {len(dropped)} out"
        return IngestDecision(
            feed, table, True, self._versioned(agreement), columns, dropped, self.policy, reason
        )

    def ended(self, feed: str) -> str | None:
        """Say which agreement on a feed was withdrawn, where all that name it were; None otherwise.

        An agreement that is suspended, expired or still a draft may come back: it has not ended.
        """
        naming = [
            name
            for name, entry in self._lock["agreements"].items()
            if any(item.get("feed") == feed for item in entry["terms"]["items"])
        ]
        states = {self._lock["agreements"][name]["terms"]["status"] for name in naming}
        return (
            ", ".join(self._versioned(name) for name in naming) if states == {"withdrawn"} else None
        )

    def release(self, recipient: str, purpose: str) -> ReleaseDecision:
        """Decide on an extract for a recipient and purpose; a narrower purpose is covered."""
        grants = [
            each
            for each in self._lock["release"]
            if each["recipient"] == recipient
            and any(is_below(purpose, agreed) for agreed in each["purposes"])
        ]
        if not grants:
            reason = f"no: {self._why_no_release(recipient, purpose)}"
            return ReleaseDecision(
                recipient, purpose, False, None, (), None, {}, self.policy, reason
            )
        return self._allowed(recipient, purpose, grants)

    def case(self, agreement: str) -> ReleaseDecision:
        """Decide on sharing about one child under an agreement that gives nothing in bulk.

        What is allowed still needs a recorded decision on the child, and `ReleaseDecision.of_one`.
        """
        grants = [each for each in self._lock["cases"] if each["agreement"] == agreement]
        terms = self.terms(agreement) or {}
        recipient = str(terms.get("recipient", ""))
        purpose = terms["purposes"][0] if terms else ""
        if not grants:
            entry = self._lock["agreements"].get(agreement, {})
            why = entry.get("not_in_force") or "it gives in bulk, and needs no decision on a child"
            reason = f"no: {self._cite(agreement)}: {why}" if entry else f"no: no {agreement}"
            return ReleaseDecision(
                recipient, purpose, False, None, (), None, {}, self.policy, reason
            )
        return self._allowed(recipient, purpose, grants)

    def cases(self, purpose: str) -> list[str]:
        """Return the agreements that give about one child at a time for a purpose, in force or not, in order."""
        return sorted(
            name
            for name, entry in self._lock["agreements"].items()
            if entry["terms"]["rows"]["decision"] == "case"
            and any(is_below(purpose, agreed) for agreed in entry["terms"]["purposes"])
        )

    def terms(self, agreement: str) -> Mapping[str, Any] | None:
        """Return the terms of an agreement, in force or not; None for one that the policy lacks."""
        entry = self._lock["agreements"].get(agreement)
        return entry["terms"] if entry else None

    @property
    def flows(self) -> frozenset[tuple[str, str]]:
        """Return (recipient, agreed purpose) of every outbound agreement, in bulk or by case."""
        terms = [entry["terms"] for entry in self._lock["agreements"].values()]
        return frozenset(
            (str(each["recipient"]), str(purpose))
            for each in terms
            if each.get("recipient")
            for purpose in each["purposes"]
        )

    @property
    def givers(self) -> frozenset[str]:
        """Return every organisation that gives under an inbound agreement in force."""
        entries = self._lock["agreements"].values()
        return frozenset(
            str(party["org"])
            for entry in entries
            if entry["not_in_force"] is None and entry["terms"]["direction"] == "inbound"
            for party in entry["terms"]["parties"]
            if party.get("gives")
        )

    @property
    def retention(self) -> Mapping[str, Any]:
        """Return the register of retention as it was written: `limit_percent`, and the classes under `retention`."""
        found: Mapping[str, Any] = self._lock["retention"]
        return found

    @property
    def gateways(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the legal gateways by id, with the dates on which they are law."""
        found: Mapping[str, Mapping[str, Any]] = self._lock["gateways"]
        return found

    @property
    def purposes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the purposes by id."""
        found: Mapping[str, Mapping[str, Any]] = self._lock["purposes"]
        return found

    def _allowed(
        self, recipient: str, purpose: str, grants: list[dict[str, Any]]
    ) -> ReleaseDecision:
        agreement = self._only_agreement(grants)
        terms = self._lock["agreements"][agreement]["terms"]
        cohort = self._lock["cohorts"][terms["rows"]["cohort"]]
        items = tuple(
            ReleaseItem(**{name: each[name] for name in ReleaseItem.__dataclass_fields__})
            for each in grants
        )
        reason = f"yes: {self._cite(agreement)} gives {len(items)} columns to {recipient}"
        return ReleaseDecision(
            recipient,
            purpose,
            True,
            self._versioned(agreement),
            items,
            Cohort(**cohort),
            terms,
            self.policy,
            reason,
            self._seal_to(recipient),
        )

    def suppression(self, publication: str) -> Mapping[str, Any] | None:
        """Return the entry of the register `suppression` for a publication; None when it has none."""
        found: Mapping[str, Any] | None = self._lock["suppression"].get(publication)
        return found

    def recipients(self, purpose: str) -> list[tuple[str, str]]:
        """Return (recipient, agreed purpose) of every bulk agreement at or below a purpose, sorted.

        Agreements that are not in force are named too: asking for them gives the reason.
        """
        return sorted(
            {
                (str(entry["terms"]["recipient"]), str(agreed))
                for entry in self._lock["agreements"].values()
                if entry["terms"].get("recipient") and entry["terms"]["rows"]["decision"] == "bulk"
                for agreed in entry["terms"]["purposes"]
                if is_below(agreed, purpose)
            }
        )

    def _seal_to(self, recipient: str) -> str | None:
        """The key of the team or organisation that receives; a team's own goes before."""
        for each in self._lock["organisations"].values():
            teams = {team["id"]: team for team in each.get("teams", ())}
            if recipient in teams:
                key = teams[recipient].get("seal_to", each.get("seal_to"))
                return str(key) if key else None
            if recipient == each["id"]:
                return str(each["seal_to"]) if "seal_to" in each else None
        return None

    @cached_property
    def _granted_columns(self) -> dict[tuple[str, str], dict[str, str]]:
        """The agreement of each granted column, by (feed, table)."""
        granted: dict[tuple[str, str], dict[str, str]] = {}
        for each in self._lock["ingest"]:
            columns = granted.setdefault((each["feed"], each["table"]), {})
            columns[each["column"]] = each["agreement"]
        return granted

    def _excluded(self, agreement: str, feed: str, table: str) -> list[str]:
        terms = self._lock["agreements"][agreement]["terms"]
        return [
            column
            for each in terms.get("excluded", ())
            if (each["feed"], each["table"]) == (feed, table)
            for column in each["columns"]
        ]

    def _only_agreement(self, grants: list[dict[str, Any]]) -> str:
        agreements = sorted({str(each["agreement"]) for each in grants})
        if len(agreements) > 1:
            raise LockError(f"{' and '.join(agreements)} answer alike; ask for a narrower purpose")
        return agreements[0]

    def _why_no_feed(self, feed: str, table: str) -> str:
        lapsed = self._lapsed(lambda item: (item.get("feed"), item.get("table")) == (feed, table))
        return lapsed or f"no agreement covers {feed}.{table}"

    def _why_no_release(self, recipient: str, purpose: str) -> str:
        for name, entry in self._lock["agreements"].items():
            terms = entry["terms"]
            if terms.get("recipient") == recipient and any(
                is_below(purpose, agreed) for agreed in terms["purposes"]
            ):
                return f"{self._cite(name)} would cover this, but {entry['not_in_force']}"
        return f"no agreement gives anything to {recipient} for {purpose}"

    def _lapsed(self, covers: Callable[[Mapping[str, Any]], bool]) -> str | None:
        for name, entry in self._lock["agreements"].items():
            if any(covers(item) for item in entry["terms"]["items"]):
                return f"{self._cite(name)} would cover this, but {entry['not_in_force']}"
        return None

    def _versioned(self, agreement: str) -> str:
        return f"{agreement}@{self._lock['agreements'][agreement]['terms']['version']}"

    def _cite(self, agreement: str) -> str:
        title = self._lock["agreements"][agreement]["terms"]["title"]
        return f"{self._versioned(agreement)} ({title})"
