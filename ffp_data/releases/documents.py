"""Documents of information governance, made at the end of each run from what was agreed and what was done.

They go to `out/governance/`, and tell of agreements, columns and counts, never of a person. What is
stored is told by the names of columns of raw tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.home import policy
from ffp_data.home.kept_locks import KeptLocks
from ffp_data.home.run import Run
from ffp_data.lineage.export import FOLDER as LINEAGE
from ffp_data.lineage.export import write_lineage
from ffp_data.rights import hold
from ffp_data.warehouse import connect
from governance.documents import Facts, HoldDue, Observed, observe, write_documents
from governance.documents.register import SOON
from governance.policy import Lock, load
from governance.release import publish_documents
from governance.syntax import quoted

FOLDER = "governance"
_OF_LINEAGE = (
    f"{LINEAGE}/columns.html",
    "Where every column comes from",
    "Each column of each published table: its sources, their agreements, who may have it.",
)
LOOK_BACK = timedelta(days=366)

# What loading adds is no payload: the record's key, and what begins with an underscore.
_STORED = """
SELECT table_name, column_name
FROM duckdb_columns()
WHERE database_name = current_catalog() AND schema_name = 'raw' AND contains(table_name, '__')
    AND column_name <> 'record_key' AND NOT starts_with(column_name, '_')
ORDER BY table_name, column_index
"""


@dataclass(frozen=True)
class DocumentsOutcome:
    """What was written where, and what was found that nobody agreed to (which should be nothing)."""

    folder: Path
    documents: list[str]
    undeclared: int
    stale_dpias: list[str]

    def figures(self) -> dict[str, Any]:
        """What Dagster shows."""
        return {
            "folder": str(self.folder),
            "documents": len(self.documents),
            "done and not declared": self.undeclared,
            "DPIAs to ask again": self.stale_dpias,
        }


def publish_governance(run: Run) -> DocumentsOutcome:
    """Write the documents of the day to `out/governance/`, signed, in place of those before."""
    facts = gather(run)
    written: list[str] = []
    out = run.home.out / FOLDER

    def write(part: Path) -> None:
        written.extend(write_documents(facts, part, [_OF_LINEAGE]))
        written.extend(write_lineage(run, facts.lock, part / LINEAGE))

    publish_documents(
        write, title=FOLDER, as_at=run.as_at, out=out, keys=run.keys, ledger=run.ledger
    )
    return DocumentsOutcome(out, written, len(facts.observed.undeclared), sorted(facts.stale))


def gather(run: Run) -> Facts:
    """Everything that the documents of a home are made of; raises LockError where it has no lock."""
    lock = Lock.read(run.lock_file, run.keys.trusted)
    agreed = load(policy.policy_folder(run.home))
    kept = KeptLocks(run.home, run.keys)
    return Facts(
        partnership=run.partnership.name,
        lock=lock.data,
        policy=lock.sha256,
        categories=agreed.entries("categories"),
        gateways=agreed.entries("gateways"),
        observed=_observed(run, lock, kept),
        stale=kept.stale_dpias(lock),
        holds=_holds(run),
    )


def _holds(run: Run) -> list[HoldDue]:
    found = hold.to_review(run.home, run.as_at + SOON)
    return [HoldDue(each.number, each.reaches, each.review.isoformat()) for each in found]


def _observed(run: Run, lock: Lock, kept: KeptLocks) -> Observed:
    def read_lock(digest: str) -> Mapping[str, Any] | None:
        found = lock if digest == lock.sha256 else kept.find(digest)
        return found.data if found else None

    since = (run.as_at - LOOK_BACK).isoformat()
    return observe(run.ledger, _stored(run, lock), lock.data, read_lock, since)


def _stored(run: Run, lock: Lock) -> frozenset[tuple[str, str, str]]:
    """(feed, table, column) of stored payload.

    A raw table has every column of its contract; one that is not agreed counts where it holds a value.
    """
    if not run.home.warehouse.is_file():
        return frozenset()
    agreed = {(each["feed"], each["table"], each["column"]) for each in lock.data["ingest"]}
    with connect(run.home, read_only=True) as con:
        found: dict[str, list[str]] = {}
        for table, column in con.execute(_STORED).fetchall():
            found.setdefault(table, []).append(column)
        return frozenset(
            place for name, columns in found.items() for place in _held(con, name, columns, agreed)
        )


def _held(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: list[str],
    agreed: set[tuple[str, str, str]],
) -> Iterator[tuple[str, str, str]]:
    feed, _, table = name.partition("__")
    places = [(feed, table, column) for column in columns]
    yield from (each for each in places if each in agreed)
    others = [each for each in places if each not in agreed]
    if others:
        asked = ", ".join(f"bool_or({quoted(column)} IS NOT NULL)" for *_, column in others)
        held = con.execute(f"SELECT {asked} FROM raw.{quoted(name)}").fetchone() or ()
        yield from (each for each, is_held in zip(others, held, strict=True) if is_held)
