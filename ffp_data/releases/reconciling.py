"""Reconcile a return while it is built, and keep what the analyst answers for the next load.

The files lie beside the findings in the council's folder and are made anew with every build; reasons
lie in `council/reasons/<collection>/<year>.json` and outlast builds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ffp_data.home.run import Run
from ffp_data.releases.make_return import profile_of
from ffp_data.returns import reconcile
from ffp_data.returns.layout import end_year, year_label
from ffp_data.returns.reconcile import Basis, Change, NotAQueriesFileError
from ffp_data.returns.reconcile.queries import load_reasons, merged, save_reasons
from ffp_data.returns.versions import Version, kept, version_id

QUERIES = "queries.xlsx"


@dataclass(frozen=True)
class Imported:
    """What an import came to: reasons now kept for the return, and how many the workbook gave or took back."""

    collection: str
    year: str
    kept: int
    given: int
    taken_back: int


def reconcile_build(con: duckdb.DuckDBPyConnection, run: Run, collection: str, build: Path) -> int:
    """Write reconciliation and queries of the build in folder `build` into it; count what is unexplained."""
    profile = profile_of(run, collection)
    starts, ends = run.census_year
    basis = Basis(collection, starts, ends)
    if profile is not None:
        cohort = profile.cohort
        basis = Basis(
            collection, starts, ends, cohort.requires_plan, cohort.requires_lead_practitioner
        )
    found = reconcile.reconcile(con, basis, build / "reconciliation.csv")
    compared = _compared(run, collection, build)
    title = f"{collection.upper()} {run.collection_year}: reconciliation"
    reconcile.write_reconciliation(found, compared, build, title)
    findings = json.loads((build / "report.json").read_text("utf-8"))
    reconcile.write_queries(
        build / QUERIES,
        reconcile.queries_of(findings, found, compared),
        load_reasons(_reasons_file(run, collection, run.collection_year)),
        {"Collection": collection, "Year": run.collection_year, "As at": run.as_at.isoformat()},
    )
    return found.unexplained


def import_reasons(run: Run, workbook: Path) -> Imported:
    """Keep the reasons written in a queries workbook. The ledger gets how many, never what they say.

    Raises NotAQueriesFileError for a file that is none, or of a return that was not built here.
    """
    about, given = reconcile.read_queries(workbook)
    collection, year = about.get("Collection", ""), about.get("Year", "")
    if not (run.home.council / "versions" / collection / year).is_dir():
        raise NotAQueriesFileError(f"{workbook}: of {collection} {year}, which was not built here")
    path = _reasons_file(run, collection, year)
    before = load_reasons(path)
    after = merged(before, given)
    save_reasons(path, after)
    result = Imported(
        collection,
        year,
        kept=len(after),
        given=sum(after[key] != before.get(key) for key in after),
        taken_back=len(before.keys() - after.keys()),
    )
    run.ledger.append("return_reasons_kept", **vars(result))
    return result


def _compared(run: Run, collection: str, build: Path) -> list[Change]:
    """This build beside the last version of the year before, and beside the version before of its own."""
    this = Version(0, version_id(build), build)
    versions = run.home.council / "versions" / collection
    year_before = year_label(end_year(run.collection_year) - 1)
    others = [v for v in kept(versions / run.collection_year) if v.id != this.id]
    found = [*kept(versions / year_before)[-1:], *others[-1:]]
    return [change for before in found for change in reconcile.changes(this, before)]


def _reasons_file(run: Run, collection: str, year: str) -> Path:
    return run.home.council / "reasons" / collection / f"{year}.json"
