"""The identifier hub: one identifier for each person, for good.

``Hub.open(url)`` opens it; ``hub.apply_run(...)`` takes what linkage found in a run and
gives every person record its ``child_id``. The rules are in docs/decisions/005-identifier-rules.md.
"""

from __future__ import annotations

from ffp_data.hub.errors import (
    HubChangeLimit,
    HubError,
    InvalidIdentifierError,
    InvalidInputError,
    LeaseHeldError,
    LeaseLostError,
    RunConflictError,
    StorageError,
    UnknownIdentifierError,
    UnknownRecordError,
)
from ffp_data.hub.events import EventKind, PastEvent
from ffp_data.hub.hub import Hub
from ffp_data.hub.quarterly_models import QuarterlyEntry
from ffp_data.hub.review import PastDecision, Verdict
from ffp_data.hub.review_items import ReviewError
from ffp_data.hub.runs import Preview, RunSummary
from ffp_data.hub.safety import Clash
from ffp_data.hub.state import Facts, Rules
from ffp_data.hub.subject_keys import HubKeys, open_subject_keys

__all__ = [
    "Clash",
    "EventKind",
    "Facts",
    "Hub",
    "HubChangeLimit",
    "HubError",
    "HubKeys",
    "InvalidIdentifierError",
    "InvalidInputError",
    "LeaseHeldError",
    "LeaseLostError",
    "PastDecision",
    "PastEvent",
    "Preview",
    "QuarterlyEntry",
    "ReviewError",
    "Rules",
    "RunConflictError",
    "RunSummary",
    "StorageError",
    "UnknownIdentifierError",
    "UnknownRecordError",
    "Verdict",
    "open_subject_keys",
]
