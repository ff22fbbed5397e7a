"""The kinds of change that the hub writes down, and the form of an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

Evidence = Mapping[str, Any]


class EventKind(StrEnum):
    """Kinds of change. `sealed` and `erased` have no row in `hub_event`: theirs is in `hub_seal`, and names nobody."""

    ISSUED = "issued"  # a new identifier, with the records it was issued on
    JOINED = "joined"  # a record that was not known before came to an identifier
    SPLIT = "split"  # records left an identifier for one newly issued or restored
    MOVED = "moved"  # records left an identifier for another that lived before
    MERGED = "merged"  # an identifier retired: all its records went to another
    RETIRED = "retired"  # an identifier retired: its records went to several others
    RESTORED = "restored"  # a retired identifier is in use again
    REDIRECTED = "redirected"  # a retired identifier now leads to another than before
    CORRECTED = "corrected"  # a record's sender changed identifying facts; it stayed where it was
    SEALED = "sealed"  # the identity left the hub by a seal; nothing tells what it was
    ERASED = "erased"  # an identity was destroyed, likewise
    DECIDED = "decided"  # a reviewer's decision on two records
    UNDONE = "undone"  # a decision was taken back


OF_A_RUN = tuple(
    kind
    for kind in EventKind
    if kind not in {EventKind.SEALED, EventKind.ERASED, EventKind.DECIDED, EventKind.UNDONE}
)


class Reason(StrEnum):
    LINKAGE = "linkage"
    DECISION = "decision"
    SENDER = "sender"  # the agency that sent the record said so


@dataclass(frozen=True)
class Event:
    """One change of one identifier; ``other_child_id`` is where records went, or the successor."""

    kind: EventKind
    child_id: str
    other_child_id: str | None = None
    reason: str = Reason.LINKAGE
    evidence: Evidence = field(default_factory=dict)

    @property
    def records(self) -> tuple[str, ...]:
        """The records that came, left or were there; empty for an act about identifiers."""
        return tuple(self.evidence.get("records", ()))

    @property
    def record_key(self) -> str | None:
        """The record, where the event is about one."""
        return self.records[0] if len(self.records) == 1 else None


@dataclass(frozen=True)
class PastEvent(Event):
    """An event as it was written: by which run and model, or by whose act at what time."""

    run_id: str | None = None
    as_at: date | None = None
    model_version: str | None = None
    at: datetime | None = None
