"""What leaves the hub: returns and extracts, released under an agreement and written to the ledger.

`governance.release` is the only writer under `out/`. What it refuses is not written; the refusal goes
to the ledger with its reason, and the step says so instead of failing, so that one withdrawn agreement
does not stop what others permit. What an earlier run released and the agreements of this one would not
is taken out of `out/` before anything else is done.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.home import policy
from ffp_data.home.release_zone import ZONE
from ffp_data.home.run import Run
from ffp_data.releases.keeping_back import Nevertheless, why_kept_back
from ffp_data.releases.make_return import make_return, notes_on, require_tables_of
from ffp_data.releases.offered import offer
from ffp_data.releases.reconciling import reconcile_build
from ffp_data.returns import LayoutError, ReturnResult, cin, versions
from ffp_data.returns.validate import rule_book
from ffp_data.rights import share_release, shield_review
from ffp_data.take_away.dictionary import dictionary
from ffp_data.warehouse import connect
from governance.files import replacing_directory
from governance.grants import ReleaseDecision
from governance.manifest import MANIFEST, read_manifest
from governance.release import (
    ReleaseFailedError,
    ReleaseRefusedError,
    publish,
    settle_all,
    why_withdrawn,
    withdraw,
    write_extract,
)

DEPARTMENT = "dfe"
EXTRACT_PURPOSE = "single_view"
LIST_PURPOSE = "single_view.early_warning"
NEWEST_YEAR = cin.years()[-1]
EXTRACT_TABLES = ("children", "involvements", "flags")


@dataclass(frozen=True)
class Collection:
    """A return: its short name, the purpose it is released for, and where its files go."""

    name: str
    purpose: str
    description: str
    kinds: tuple[str, ...]

    def tables(self) -> tuple[str, ...]:
        """Tables of schema `returns` that the return is made of."""
        return tuple(table.name for table in rule_book(self.name, NEWEST_YEAR).layout.tables)


COLLECTIONS = {
    collection.name: collection
    for collection in (
        Collection(
            "cin",
            "statutory_returns.cin_census",
            "CIN census of the collection year: XML in the schema's order; findings go to the council.",
            ("xml", "excel"),
        ),
        Collection(
            "tehadc",
            "statutory_returns.tehadc",
            "Targeted early help collection from its profile file; findings and workbook go to the council.",
            ("xml", "csv", "excel"),
        ),
    )
}


@dataclass(frozen=True)
class ReleaseOutcome:
    """A release that was made or refused; `reason` is the decision's own words.

    `notes` say what a reader must know of what was made, such as that a year's layout is provisional.
    """

    permitted: bool
    reason: str
    folder: Path | None = None
    rows: dict[str, int] = field(default_factory=dict)
    by_rule: dict[str, int] = field(default_factory=dict)
    errors: int = 0
    queries: int = 0
    council: Path | None = None
    version: str | None = None
    notes: tuple[str, ...] = ()

    def figures(self) -> dict[str, Any]:
        return {
            "permitted": self.permitted,
            "decision": self.reason,
            "folder": str(self.folder or "nothing written"),
            **({"for the council": str(self.council)} if self.council else {}),
            **({"version": self.version} if self.version else {}),
            **({"notes": " ".join(self.notes)} if self.notes else {}),
            "rows": self.rows,
            "validation errors": self.errors,
            "validation queries": self.queries,
        }


@dataclass(frozen=True)
class ExtractsOutcome:
    """The extracts of one run, by recipient."""

    by_recipient: dict[str, ReleaseOutcome]

    def figures(self) -> dict[str, Any]:
        return {recipient: outcome.figures() for recipient, outcome in self.by_recipient.items()}


def publish_return(
    run: Run, collection: Collection, nevertheless: Nevertheless | None = None
) -> ReleaseOutcome:
    """Build, validate and release one return under `out/returns/<name>/<year>/`.

    What the department does not get lies in `council/<name>/<year>/` of the home: findings, the build
    record, what became of each row of its feed, the queries to answer, and the workbook and pre-match
    of the TEHADC. Each build that differs from those before is kept as a version, with the tables that
    it was made of, below `council/versions/`. A return that lacks a source is not released, and what
    was made of it before stands, unless `nevertheless` says who lets it go and why.
    """
    decision = policy.grants(run).release(DEPARTMENT, collection.purpose)
    out = run.home.out / "returns" / collection.name / run.collection_year
    built: list[ReturnResult] = []
    unexplained: list[int] = []
    with connect(run.home) as con:
        if reason := why_kept_back(run, con, decision, collection.name, nevertheless):
            return ReleaseOutcome(False, reason)

        def write(part: Path) -> dict[str, int]:
            require_tables_of(con, run)
            offer(con, decision)
            built.append(make_return(con, run, collection.name, decision, part))
            for path in built[0].for_council:
                shutil.move(path, council)
            unexplained.append(reconcile_build(con, run, collection.name, council))
            return {f"returns.{table}": rows for table, rows in built[0].counts.items()}

        try:
            with replacing_directory(council_folder(run, collection.name)) as council:
                extract = publish(
                    decision,
                    write,
                    as_at=run.as_at,
                    out=out,
                    keys=run.keys,
                    ledger=run.ledger,
                    keep_list=lambda: run.subject_lists.keep(_children(built[0])),
                )
        except ReleaseRefusedError as refusal:
            return ReleaseOutcome(False, str(refusal))
        except (LayoutError, ReleaseFailedError) as problem:
            # a year that is not held yet, marts of another layout, or terms that no return can keep
            return record_failure(run, decision, problem)
    own = council_folder(run, collection.name)
    version = versions.keep(own, versions_folder(run, collection.name))
    return ReleaseOutcome(
        permitted=True,
        reason=decision.reason,
        folder=out,
        council=own,
        version=version.folder.name,
        notes=(*notes_on(version.record), *_unexplained(collection, unexplained[0])),
        rows=dict(extract.rows),
        by_rule=dict(built[0].findings_by_rule),
        errors=built[0].errors,
        queries=built[0].queries,
    )


def _children(built: ReturnResult) -> dict[str, frozenset[str]]:
    """The children of each relation of a return."""
    return {f"returns.{table}": children for table, children in built.children.items()}


def _unexplained(collection: Collection, number: int) -> list[str]:
    if not number:
        return []
    return [f"{number} differences of {collection.name} to feed or single view are unexplained."]


def council_folder(run: Run, collection: str) -> Path:
    """Where the council finds what to mend in a return of this year; not released to anybody."""
    return run.home.council / collection / run.collection_year


def versions_folder(run: Run, collection: str) -> Path:
    """Where the versions of a return of this year are kept."""
    return run.home.council / "versions" / collection / run.collection_year


def withdraw_unpermitted(run: Run) -> dict[str, str]:
    """Take out of `out/` what the agreements would not release today; folder -> reason of each.

    A folder whose manifest this hub did not sign is not its release: it stays and is named too.
    """
    settle_all(run.home.out, run.ledger)
    grants = policy.grants(run)
    told = {}
    for folder in sorted(path.parent for path in run.home.out.rglob(MANIFEST)):
        try:
            manifest = read_manifest(folder, run.keys.trusted)
        except ValueError as problem:
            told[str(folder.relative_to(run.home.root))] = f"left where it is: {problem}"
            continue
        if manifest["recipient"] is None:
            continue  # documents, which tell of no person and go to nobody by agreement
        decision = share_release.of_folder(run, folder)
        decision = decision or grants.release(manifest["recipient"], manifest["purpose"])
        if reason := why_withdrawn(manifest, decision):
            withdraw(folder, reason, keys=run.keys, ledger=run.ledger)
            told[str(folder.relative_to(run.home.root))] = reason
    return told


def publish_extracts(run: Run) -> ExtractsOutcome:
    """Write the single-view extract of every recipient that an agreement names for that purpose."""
    every, lists = (policy.grants(run).recipients(p) for p in (EXTRACT_PURPOSE, LIST_PURPOSE))
    return _write_extracts(run, "extracts", [each for each in every if each not in lists])


def publish_lists(run: Run) -> ExtractsOutcome:
    """Write the early-warning lists of every recipient that an agreement names for that purpose."""
    return _write_extracts(run, "lists", policy.grants(run).recipients(LIST_PURPOSE))


def _write_extracts(
    run: Run, folder: str, recipients: Sequence[tuple[str, str]]
) -> ExtractsOutcome:
    grants, outcomes = policy.grants(run), {}
    if refusal := shield_review.refusal(run):
        return ExtractsOutcome({who: ReleaseOutcome(False, refusal) for who, _ in recipients})
    with connect(run.home, read_only=run.home.warehouse.is_file()) as con:
        for recipient, purpose in recipients:
            decision = grants.release(recipient, purpose)
            out = run.home.out / folder / recipient / run.as_at.isoformat()
            outcomes[recipient] = _extract(con, run, decision, out)
    return ExtractsOutcome(outcomes)


def _extract(
    con: duckdb.DuckDBPyConnection, run: Run, decision: ReleaseDecision, out: Path
) -> ReleaseOutcome:
    try:
        extract = write_extract(
            con,
            decision,
            zone=ZONE,
            as_at=run.as_at,
            out=out,
            keys=run.keys,
            ledger=run.ledger,
            lists=run.subject_lists,
            guides=lambda tables: dictionary(decision, tables, run.contracts),
        )
    except ReleaseRefusedError as refusal:
        return ReleaseOutcome(False, str(refusal))
    except ReleaseFailedError as problem:  # the other recipients still get theirs
        return record_failure(run, decision, problem)
    return ReleaseOutcome(True, decision.reason, out, dict(extract.rows))


def record_failure(run: Run, decision: ReleaseDecision, problem: Exception) -> ReleaseOutcome:
    """Write down a release that was permitted and could not be made."""
    run.ledger.append(
        "release_failed",
        run_id=run.run_id,
        recipient=decision.recipient,
        purpose=decision.purpose,
        reason=str(problem),
    )
    return ReleaseOutcome(False, str(problem))
