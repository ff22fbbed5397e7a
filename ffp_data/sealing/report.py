"""What a seal says it did: counts by place, what stays and why, who must be told; it names nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffp_data.home.run import Run
from ffp_data.sealing import sweep
from ffp_data.sealing.others import KEPT, Place
from ffp_data.sealing.search import Wanted, search
from ffp_data.sealing.subject import Subject
from ffp_data.settings import Home
from ffp_data.warehouse import connect

Counts = dict[str, int]

_WHY_KEPT = {
    "kept build of a return": "the statutory record of what was signed and told",
    "released files": "the files that were signed and told; the next release takes their place",
    "ledger": "append-only",
}


@dataclass(frozen=True)
class Report:
    """What a seal did, or would do: counts by place, and what stays. It names nobody.

    exceptions: what stays, with the reason; recipients: who was given releases while the identity was
    in the hub and must be told by the custodian; by_name: places where a name still stands by its birth date.
    """

    reference: str
    counts: dict[str, Counts]
    exceptions: dict[str, str]
    recipients: Counts
    by_name: Counts
    shared_numbers: int
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "notes": list(self.notes)}


def make_report(
    run: Run,
    subject: Subject,
    state: Mapping[str, Any],
    counts: dict[str, Counts],
    places: list[Place],
) -> Report:
    """The report of a seal in `state`, its journal's content; of a simulation where that is empty."""
    root = run.home.root
    kept = [place for place in places if place.fate == KEPT]
    return Report(
        reference=state.get("reference", "simulated"),
        counts=counts,
        exceptions={str(p.path.relative_to(root)): _WHY_KEPT.get(p.kind, p.kind) for p in kept},
        recipients=_recipients(run),
        by_name=_by_name(run.home, subject) if state else {},
        shared_numbers=subject.shared,
        notes=tuple(state.get("notes", ())),
    )


def _recipients(run: Run) -> Counts:
    """Whom the hub released anything to so far, with the number of releases."""
    events = run.ledger.events("released", "dataflow_batch_accepted")
    return dict(Counter(f"{e['facts'].get('recipient', 'dfe')}" for e in events))


def _by_name(home: Home, subject: Subject) -> Counts:
    """Where a name still stands beside the birth date, for the custodian to look at."""

    def is_apart(path: Path) -> bool:
        parts = path.relative_to(home.root).parts
        apart = parts[0] in ("keys", "vault") or path.suffix == ".duckdb_extension"
        return apart or path == home.warehouse

    with connect(home, read_only=True) as con:
        found = Counter(sweep.count_people(con, subject.people))
    return dict(found + search(home, Wanted((), subject.people), is_apart))
