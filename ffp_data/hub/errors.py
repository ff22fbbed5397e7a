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
            "written. Look at what this run brought: ffp feeds list (a delivery that is not what it "
            "was?), ffp model list (another model?). If the change is right, somebody who answers for "
            "it runs: ffp run --allow-large-change, which the ledger keeps with their name"
        )


@dataclass(eq=False)
class LeaseHeldError(HubError):
    """Another run is at work; ``holder`` says which, where and since when."""

    holder: str

    def __str__(self) -> str:
        return (
            f"{self.holder} holds the hub; nothing was done. Wait for it, or end its process: the "
            "lease is then free at once on that host, and within two minutes on another"
        )


@dataclass(eq=False)
class LeaseLostError(HubError):
    """A run that was overtaken while it was paused or cut off, and comes back."""

    run_id: str
    holder: str

    def __str__(self) -> str:
        return (
            f"run {self.run_id} was overtaken: {self.holder}, took the hub over when no sign of life "
            f"came from {self.run_id}. It writes nothing more. Let the other run end; it has read "
            "what this one left. Then start a new run if deliveries still wait"
        )


class StorageError(HubError):
    """The hub's database can't be written: disk full, folder read-only, server gone."""
