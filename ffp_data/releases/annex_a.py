"""Annex A for an inspection date: filled from the warehouse, released to Ofsted, checks kept by the council.

The folder signed as released holds what inspectors get. The build record and the list of what to
mend go to `council/annex_a/<date>/` of the home, which is never released.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.releases.keeping_back import Nevertheless, why_kept_back
from ffp_data.releases.offered import refuse_what_a_return_cannot_do
from ffp_data.releases.publish import (
    ReleaseOutcome,
    record_failure,
)
from ffp_data.returns import annex_a
from ffp_data.returns.annex_a import Edition, Filled, Particulars, Query, Shared
from ffp_data.warehouse import connect
from governance.files import replacing, replacing_directory
from governance.grants import ReleaseDecision
from governance.release import ReleaseFailedError, ReleaseRefusedError, publish
from governance.xlsx import Sheet, write_workbook

INSPECTORATE = "ofsted"
PURPOSE = "statutory_returns.annex_a"
_OWN_RELATIONS = "annex_a."


class NotKnownYetError(ValueError):
    """An inspection date of which the hub knows nothing yet."""


@dataclass(frozen=True)
class ChoiceToShare:
    """The council's decision, for one inspection, to share its early help collection too."""

    decided_by: str
    reason: str


@dataclass(frozen=True)
class _Build:
    edition: Edition
    lists: Mapping[int, Filled]
    inputs: tuple[str, ...]
    queries: list[Query]


def publish_annex_a(
    run: Run,
    on: date,
    choice: ChoiceToShare | None = None,
    nevertheless: Nevertheless | None = None,
) -> ReleaseOutcome:
    """Write `out/returns/annex_a/<on>/`; without a choice nothing of the early help collection is in it.

    Lists that lack a source are not released unless `nevertheless` says who lets them go and why.

    Raises NotKnownYetError for a date after the run's, LayoutError for one before the first edition,
    and NothingToShareError when the chosen collection can't be shared.
    """
    if on > run.as_at:
        raise NotKnownYetError(
            f"{on} is after {run.as_at}, the day of the last run; run the hub for that day first"
        )
    decision = policy.grants(run).release(INSPECTORATE, PURPOSE)
    with connect(run.home, read_only=True) as con:
        if reason := why_kept_back(run, con, decision, "annex_a", nevertheless):
            return ReleaseOutcome(False, reason)
    shared = _shared(run, on, decision) if choice and decision.allowed else None
    if choice and shared:
        _record(run, on, choice, shared)
    else:
        decision = _lists_only(decision)
    out = run.home.out / "returns" / "annex_a" / on.isoformat()
    builds: list[_Build] = []

    def write(part: Path) -> dict[str, int]:
        refuse_what_a_return_cannot_do(decision)
        builds.append(_build(run, on, decision))
        rows = _write(run, on, decision, builds[0], shared, part)
        _keep(on, builds[0], part, council)
        return rows

    try:
        with replacing_directory(council_folder(run, on)) as council:
            extract = publish(
                decision,
                write,
                as_at=on,
                out=out,
                keys=run.keys,
                ledger=run.ledger,
                keep_list=lambda: _keep_list(run, builds[0], shared),
            )
    except ReleaseRefusedError as refusal:
        return ReleaseOutcome(False, str(refusal))
    except ReleaseFailedError as problem:
        return record_failure(run, decision, problem)
    return ReleaseOutcome(
        True, decision.reason, out, dict(extract.rows), queries=len(builds[0].queries)
    )


def _keep_list(run: Run, build: _Build, shared: Shared | None) -> dict[str, Any]:
    """Whom the lists tell about, and whom the shared collection told about when it was released."""
    people = {
        relation: build.lists[number].children
        for number, each in build.edition.lists.items()
        if (relation := each.relation)
    }
    also = run.subject_lists.of_release(run.ledger, shared.folder) if shared else {}
    return run.subject_lists.keep(people, also)


def council_folder(run: Run, on: date) -> Path:
    """Where the council finds what to mend before an inspection; not released to anybody."""
    return run.home.council / "annex_a" / on.isoformat()


def _shared(run: Run, on: date, decision: ReleaseDecision) -> Shared:
    folder = run.home.out / "returns" / "tehadc"
    return annex_a.find_shared(folder, on, run.keys.trusted, _agreed(decision))


def _record(run: Run, on: date, choice: ChoiceToShare, shared: Shared) -> None:
    run.ledger.append(
        "tehadc_sharing_decided",
        run_id=run.run_id,
        recipient=INSPECTORATE,
        purpose=PURPOSE,
        inspection_date=on.isoformat(),
        collection_year=shared.year,
        decided_by=choice.decided_by,
        reason=choice.reason,
    )


def _lists_only(decision: ReleaseDecision) -> ReleaseDecision:
    """The decision without the early help collection, so that the release itself would refuse it."""
    items = tuple(each for each in decision.items if each.relation.startswith(_OWN_RELATIONS))
    return replace(decision, items=items)


def _agreed(decision: ReleaseDecision) -> dict[str, set[str]]:
    agreed: dict[str, set[str]] = {}
    for item in decision.items:
        agreed.setdefault(item.relation, set()).add(item.column)
    return agreed


def _build(run: Run, on: date, decision: ReleaseDecision) -> _Build:
    edition = annex_a.edition_on(on)
    try:
        with connect(run.home, read_only=True) as con:
            lists = annex_a.fill_lists(con, edition, on, _agreed(decision))
            inputs = _inputs(con)
    except (duckdb.CatalogException, duckdb.BinderException):
        message = "the warehouse lacks what the lists read; run the hub with this version first"
        raise ReleaseFailedError(message) from None
    return _Build(edition, lists, inputs, annex_a.check_lists(edition, lists, on))


def _inputs(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Deliveries whose rows the warehouse holds, of the feeds that serve the returns."""
    found = con.execute(
        "SELECT DISTINCT d.delivery_id FROM meta.deliveries AS d "
        "INNER JOIN intermediate.int_feeds__states AS f USING (feed) "
        "WHERE d.status = 'loaded' AND d.rows_loaded > 0 AND f.is_for_returns ORDER BY d.delivery_id"
    )
    return tuple(row[0] for row in found.fetchall())


def _write(
    run: Run, on: date, decision: ReleaseDecision, build: _Build, shared: Shared | None, part: Path
) -> dict[str, int]:
    """Fill the folder to be released; rows by relation come back."""
    about = Particulars(
        authority=f"{run.partnership.name}, LA {run.partnership.la_code}",
        on=on,
        agreement=str(decision.agreement),
        inputs_sha256=hashlib.sha256("\n".join(build.inputs).encode()).hexdigest(),
        shared=shared.in_words if shared else "not shared",
    )
    name = f"annex-a-{on.isoformat()}-{run.partnership.la_code}.xlsx"
    annex_a.write_annex_a(part / name, build.edition, build.lists, about)
    if shared:
        annex_a.write_shared(part / f"list-teh-optional-{shared.year}.xlsx", shared)
    rows = {
        relation: len(build.lists[number].rows)
        for number, each in build.edition.lists.items()
        if (relation := each.relation)
    }
    return rows | dict(shared.rows if shared else {})


def _keep(on: date, build: _Build, released: Path, council: Path) -> None:
    """Put the record of the build and the queries into the folder that the council keeps."""
    facts: dict[str, Any] = {
        "inspection_date": on.isoformat(),
        "edition": build.edition.edition,
        "rules_sha256": annex_a.rules_version(build.edition),
        "inputs": list(build.inputs),
        "rows": {f"list {number}": len(each.rows) for number, each in build.lists.items()},
        "queries": len(build.queries),
        "files": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(released.iterdir())
        },
    }
    with replacing(council / "build.json") as handle:
        handle.write((json.dumps(facts, indent=1) + "\n").encode())
    rows = [(each.number, each.child, each.header, each.message) for each in build.queries]
    header = ("List", "Child Unique ID", "Column", "What to look at")
    sheet = Sheet("Before the inspection", header, rows, (8, 20, 50, 60))
    write_workbook(council / "queries.xlsx", [sheet], f"Annex A {on.isoformat()}: queries")
