"""What the hub refuses. Messages name runs, decisions and record keys, never a person's data."""

from __future__ import annotations

from dataclasses import dataclass


class HubError(Exception):
    """Base of all refusals of the hub."""


class InvalidIdentifierError(HubError):
    """A text that can't be an identifier of this hub: wrong length, letter or check symbol."""


class UnknownIdentifierError(HubError):
    """A well-formed identifier that this hub never issued."""


class UnknownRecordError(HubError):
    """A record key that no run has brought."""


class InvalidInputError(HubError):
    """Clusters, pairs or a decision that break their contract."""


class RunConflictError(HubError):
    """A run that can't be applied: its id is taken, or it looks back behind the last run."""


@dataclass(eq=False)
class HubChangeLimit(HubError):  # noqa: N818 - a limit, and the name callers know
    """A run that would change more existing identifiers than one run may."""

    run_id: str
    changed: int
    existing: int
    limit: int
    retired: int

    def __str__(self) -> str:
        return (
            f"run {self.run_id} would change {self.changed} of {self.existing} identifiers "
            f"({self.retired} of them retired by merges); the limit is {self.limit}. Nothing was "
            "written. Look at the deliveries and the linkage model of this run; if the change is "
            "right, apply it with allow_large_change"
        )
