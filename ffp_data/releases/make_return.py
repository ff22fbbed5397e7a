"""Make a return out of the tables that an agreement offers, with all that a later rebuild needs to know."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from ffp_data import returns
from ffp_data.home.run import Run
from ffp_data.paths import DBT_PROJECT
from ffp_data.releases.offered import OFFERED
from ffp_data.returns import Header, LayoutError, ReturnResult, tehadc
from ffp_data.returns.tehadc.profile import Profile, load_profile
from governance.grants import ReleaseDecision


def make_return(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    collection: str,
    decision: ReleaseDecision,
    part: Path,
) -> ReturnResult:
    """Build the return of the run's year out of the tables offered, into `part`.

    Raises LayoutError when the year is not held or the tables are of another layout.
    """
    # The time stamp of a return is that of what it knows, so that a rebuild gives the same bytes.
    written_at = datetime.combine(run.as_at, time(), UTC)
    header = Header.for_year(
        collection.upper(), run.collection_year, run.partnership.la_code, written_at
    )
    return returns.build_return(
        con,
        part,
        header,
        schema=OFFERED,
        delivery_ids=[row[0] for row in con.execute(_INPUTS).fetchall()],
        profile=profile_of(run, collection),
        about={
            "as_at": run.as_at.isoformat(),
            "agreement": decision.agreement,
            "policy": decision.policy,
            "marts_sha256": marts_version(),
        },
        keep=True,
    )


_INPUTS = """
SELECT DISTINCT d.delivery_id FROM meta.deliveries AS d
INNER JOIN intermediate.int_feeds__states AS f USING (feed)
WHERE d.status = 'loaded' AND d.rows_loaded > 0 AND f.is_for_returns ORDER BY d.delivery_id
"""


def profile_of(run: Run, collection: str) -> Profile | None:
    """The TEHADC profile: the partnership's own for the year, else the packaged one."""
    if collection != tehadc.COLLECTION.lower():
        return None
    own = run.home.profiles / f"{collection}-{run.collection_year}.yaml"
    if not own.is_file():
        return tehadc.profile(run.collection_year)
    profile = load_profile(own)
    if profile.year != run.collection_year:
        raise LayoutError(f"{own}: is a profile of {profile.year}")
    return profile


@cache
def marts_version() -> str:
    """SHA-256 of the dbt models that fill the tables of the returns."""
    running = hashlib.sha256()
    folders = ("macros", "models/staging", "models/intermediate", "models/marts/returns")
    for path in sorted(p for f in folders for p in (DBT_PROJECT / f).rglob("*.sql")):
        name = path.relative_to(DBT_PROJECT).as_posix()
        running.update(f"{name}\0".encode() + path.read_bytes())
    return running.hexdigest()


def tables_hold(con: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """Collection year and as-at date of the tables of the returns. Raises LayoutError before any run."""
    try:
        row = con.execute(
            "SELECT collection_year, as_at::VARCHAR FROM intermediate.int_census__period"
        ).fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise LayoutError(
            "the warehouse has no tables of returns by this version; run the hub first"
        )
    return str(row[0]), str(row[1])


def require_tables_of(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """A return of one year must not be made of the tables of another, nor as at another day."""
    year, as_at = tables_hold(con)
    if (year, as_at) != (run.collection_year, run.as_at.isoformat()):
        raise LayoutError(
            f"the tables of the returns hold {year} as at {as_at}, not {run.collection_year} as at "
            f"{run.as_at}; run the hub for that day first"
        )


def notes_on(record: dict[str, Any]) -> list[str]:
    """What whoever uses the return of a build record must know."""
    notes = []
    if record["provisional"]:
        notes.append(
            f"{record['collection']} {record['year']} is PROVISIONAL: {record['provisional']}"
        )
    as_at, ends = record["about"]["as_at"], record["header"]["reference_date"]
    if as_at < ends:
        notes.append(f"The year ends on {ends}; this is how things stood on {as_at}.")
    return notes
