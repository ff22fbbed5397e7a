"""What the hub's books say of deliveries and releases: file names, the agreement that let a table in, who received.

The ledger is read once, when the books are opened: each delivery was read in a run, and each run wrote down which
agreement let which table in under which lock. A delivery that was read before the ledger began is told under the lock
of today, and the answer says so by naming no policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

import duckdb

from ffp_data.home.kept_locks import KeptLocks
from ffp_data.lineage.answers import Agreed, Received
from governance.policy.compile import Lock
from governance.subject_lists import SubjectLists, read_list, references_of


class File(NamedTuple):
    """A delivered file."""

    name: str
    received: datetime | None


@dataclass(frozen=True)
class Release:
    """One release as the ledger tells it."""

    facts: Mapping[str, Any]
    at: datetime

    def column(self, relation: str, column: str) -> tuple[str, str] | None:
        """Name and transform under which a column left; None when it did not."""
        for each in self.facts["columns"]:
            if each["relation"] == relation and source_column(each) == column:
                return each["name"], each["transform"]
        return None


OF_BOOKS = ("delivery_loaded", "delivery_replayed", "ingest_decision", "released")
"""Kinds of the ledger's events that the books are made of."""

_SUFFIX = {
    "pseudonymised": "_pseudonym",
    "month": "_month",
    "year": "_year",
    "district": "_district",
    "flag": "_flag",
}


def source_column(released: Mapping[str, str]) -> str:
    """The column of the relation that left under a name."""
    return released["name"].removesuffix(_SUFFIX.get(released["transform"], ""))


@dataclass
class Books:
    """Deliveries, decisions and releases of one home."""

    lists: SubjectLists
    locks: KeptLocks
    lock: Lock
    _files: dict[tuple[str, str, str], File] = field(default_factory=dict)
    _runs: dict[str, str] = field(default_factory=dict)
    _decided: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    _disclosed: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    _kept: dict[str, Lock | None] = field(default_factory=dict)

    def read_deliveries(self, con: duckdb.DuckDBPyConnection) -> None:
        """Take over the names and times of all files."""
        for delivery, feed, table, name, at in con.execute(
            "SELECT delivery_id, feed, table_name, file_name, delivered_at FROM meta.deliveries "
            "WHERE status = 'loaded' ORDER BY received_seq"
        ).fetchall():
            self._files[delivery, feed, table] = File(name, at)

    def read_ledger(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Take over which run read a delivery, what it was allowed, and what was released."""
        for event in events:
            facts = event["facts"]
            match event["kind"]:
                case "delivery_loaded" | "delivery_replayed":
                    self._runs[facts["delivery_id"]] = facts["run_id"]
                case "ingest_decision" if facts["allowed"]:
                    place = (facts["run_id"], facts["feed"], facts["table"])
                    self._decided[place] = (facts["agreement"], facts["policy"])
                case "released":
                    at = datetime.fromisoformat(event["at"].replace("Z", "+00:00"))
                    self.releases.append(Release(facts, at))

    def file(self, delivery_id: str | None, feed: str, table: str) -> File | None:
        """Name and time of a delivered file."""
        return self._files.get((delivery_id or "", feed, table))

    def agreed(
        self, delivery_id: str | None, feed: str, table: str, columns: Iterable[str]
    ) -> Agreed | None:
        """The agreement that let columns of a table in, when the delivery was read."""
        run = self._runs.get(delivery_id or "")
        agreement, policy = self._decided.get((run or "", feed, table)) or self._today(feed, table)
        if agreement is None:
            return None
        lock = self._lock_of(policy) or self.lock
        terms = lock.data["agreements"].get(agreement.partition("@")[0], {}).get("terms", {})
        wanted = set(columns)
        items = [
            f"{item['category']}: {item['why']} ({', '.join(sorted(wanted & {*item['columns']}))})"
            for item in terms.get("items", ())
            if (item.get("feed"), item.get("table")) == (feed, table)
            and wanted & {*item["columns"]}
        ]
        return Agreed(agreement=agreement, policy=policy, items=items)

    def _today(self, feed: str, table: str) -> tuple[str | None, None]:
        for name in sorted({e["agreement"] for e in self._ingest.get((feed, table), ())}):
            return f"{name}@{self.lock.data['agreements'][name]['terms']['version']}", None
        return None, None

    @cached_property
    def _ingest(self) -> Mapping[tuple[str, str], list[Mapping[str, Any]]]:
        found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for each in self.lock.data["ingest"]:
            found.setdefault((each["feed"], each["table"]), []).append(each)
        return found

    @cached_property
    def _policy(self) -> str:
        return self.lock.sha256

    def _lock_of(self, policy: str | None) -> Lock | None:
        if policy is None or policy == self._policy:
            return None
        if policy not in self._kept:
            self._kept[policy] = self.locks.find(policy)
        return self._kept[policy]

    def received(
        self, relation: str, column: str, reference: str | None
    ) -> tuple[list[Received], int]:
        """Releases that held a column of this child, newest first, and of how many nobody can say."""
        told, unknown = [], 0
        for release in reversed(self.releases):
            left = release.column(relation, column)
            if left is None:
                continue
            said = release.facts.get("subject_list")
            if said is None or reference is None:
                unknown += 1
            elif reference in self._of_release(said, relation):
                told.append(_received(release, *left))
        return told, unknown

    def _of_release(self, said: Mapping[str, Any], relation: str) -> frozenset[str]:
        place = (said["sha256"], relation)
        if place not in self._disclosed:
            table = read_list(self.lists.folder, said)
            has = relation in table.column_names
            self._disclosed[place] = frozenset(references_of(table, relation) if has else ())
        return self._disclosed[place]


def _received(release: Release, name: str, transform: str) -> Received:
    facts = release.facts
    return Received(
        recipient=facts["recipient"],
        purpose=facts["purpose"],
        agreement=facts["agreement"],
        as_at=date.fromisoformat(facts["as_at"]),
        released_at=release.at,
        name=name,
        transform=transform,
    )
