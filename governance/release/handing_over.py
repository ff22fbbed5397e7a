"""A copy that is handed to whoever asks for it and lies nowhere on the hub: one file, made while they wait.

The ledger gets the intention before anything is read, and the fact, with the hash of the file and the list of whom it
is about, before a byte leaves: no copy is out that the ledger does not know of, and one that it knows of may never
have arrived. Who asked, and the number that stands on the copy, are in both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from governance.canonical import sha256_hex
from governance.grants import ReleaseDecision
from governance.ledger import Ledger
from governance.release.errors import ReleaseFailedError, ReleaseRefusedError
from governance.release.telling import about, columns
from governance.subject_lists import SubjectLists


@dataclass(frozen=True)
class Made:
    """A file, and whom each relation of it is about: identifiers of the hub, or record keys."""

    content: bytes
    rows: Mapping[str, int]
    people: Mapping[str, Collection[str]]


def hand_over(
    decision: ReleaseDecision,
    make: Callable[[str], Made],
    *,
    asked: Mapping[str, Any],
    as_at: date,
    ledger: Ledger,
    lists: SubjectLists,
) -> bytes:
    """Return the file that ``make`` makes of an allowed decision, once the ledger knows of it.

    ``make`` gets the ledger's time, which the copy may tell. ``asked``: who asks, in which role, why, and the copy's
    number. Raises ReleaseRefusedError (in the ledger too, also where ``make`` raises it), ReleaseFailedError, and
    CheckpointsStoppedError before anything is read.
    """
    told = {**asked, **about(decision, as_at)}
    try:
        if not decision.allowed:
            raise ReleaseRefusedError(decision.reason)
        if decision.seal_to is not None:
            raise ReleaseRefusedError(
                f"{decision.recipient} gets sealed files alone, which a copy is not"
            )
        ledger.append("copy_begun", **told)
        made = make(ledger.require_fresh().at)
        _require_agreed(decision, made)
    except ReleaseRefusedError as refusal:
        ledger.append("release_refused", **told, reason_refused=str(refusal))
        raise
    released = {
        **{
            name: value for name, value in told.items() if name != "subjects"
        },  # they are in the list
        "manifest": sha256_hex(made.content),
        "rows": dict(made.rows),
        "columns": columns(decision),
        "subject_list": lists.keep(made.people),
        "sealed_to": None,
    }
    ledger.append("released", **released)
    return made.content


def _require_agreed(decision: ReleaseDecision, made: Made) -> None:
    if others := sorted(set(made.rows) - set(decision.relations)):
        raise ReleaseRefusedError(f"{decision.agreement} does not give {', '.join(others)}")
    if not made.content:
        raise ReleaseFailedError("the copy is empty")
