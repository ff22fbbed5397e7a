"""The quarterly collection: counted, told, released to the department, and kept whole for the council.

What is released are counts and words under an agreement of its own; whose they are stays in
`council/ffp_quarterly/<quarter>/` and the kept versions. A later run that knows more about an earlier quarter says so:
what was kept of it is compared with what is counted now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.quarterly.checks import run_checks
from ffp_data.quarterly.counting import Counted, NotBuiltError, count_quarter
from ffp_data.quarterly.figures import make_figures
from ffp_data.quarterly.items import Items, Settings, load_items, load_settings
from ffp_data.quarterly.quarters import Quarter
from ffp_data.quarterly.report import Report, make_report, told
from ffp_data.quarterly.writing import write_files
from ffp_data.releases.keeping_back import Nevertheless, why_kept_back
from ffp_data.releases.kept_quarters import CHECKED, COLLECTION, LINES, RECORDED, KeptQuarters
from ffp_data.releases.offered import refuse_what_a_return_cannot_do
from ffp_data.releases.publish import (
    DEPARTMENT,
    ReleaseOutcome,
    record_failure,
)
from ffp_data.releases.quarterly_entries import EntryBook
from ffp_data.returns import versions
from ffp_data.returns.versions import RECORD, TABLES
from ffp_data.warehouse import connect
from governance.files import replacing, replacing_directory
from governance.grants import ReleaseDecision
from governance.release import ReleaseFailedError, ReleaseRefusedError, publish

PURPOSE = "statutory_returns.ffp_quarterly"
SETTINGS = "quarterly.yaml"
_EARLIER = 4
"""Earlier quarters that are counted again to see what became known since: a year."""

_ITEMS = {"offer": "FN-1.2", "meeting": "FN-1.3", "plan": "FN-1.4", "package": "FN-2.2"}


class NotYetError(ValueError):
    """A quarter of which the hub knows nothing yet."""


@dataclass(frozen=True)
class Build:
    """A quarter as built: what is told, the lines behind it, and how earlier quarters stand now."""

    report: Report
    counted: Counted
    recorded: list[dict[str, Any]]
    restated: list[dict[str, Any]]
    inputs: list[str]


@dataclass(frozen=True)
class QuarterOutcome:
    """A release that was made or refused."""

    release: ReleaseOutcome
    restated: list[dict[str, Any]] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        told = self.release.figures()
        told.pop("validation errors")
        return {**told, "earlier figures that changed": len(self.restated)}


def publish_quarter(
    run: Run, quarter: Quarter, nevertheless: Nevertheless | None = None
) -> QuarterOutcome:
    """Write `out/returns/ffp_quarterly/<quarter>/`, or say why not; the build is kept as a version.

    A quarter that lacks a source is not released unless `nevertheless` says who lets it go and why.

    Raises NotYetError for a quarter that begins after the run's day, NotBuiltError before a run with this version, and
    pydantic.ValidationError for definitions of the home that are none.
    """
    if quarter.first > run.as_at:
        raise NotYetError(
            f"{quarter.name} begins on {quarter.first}, after {run.as_at}, the day of the last run"
        )
    decision = policy.grants(run).release(DEPARTMENT, PURPOSE)
    with connect(run.home, read_only=True) as con:
        if reason := why_kept_back(run, con, decision, COLLECTION, nevertheless):
            return QuarterOutcome(ReleaseOutcome(False, reason))
    kept_quarters, builds = KeptQuarters(run.home), list[Build]()

    def write(part: Path) -> dict[str, int]:
        refuse_what_a_return_cannot_do(decision)
        builds.append(build_quarter(run, quarter))
        rows = write_files(part, builds[0].report, _authority(run))
        _keep(council, run, decision, builds[0], part)
        return rows

    own = run.home.council / COLLECTION / quarter.name
    try:
        with replacing_directory(own) as council:
            extract = publish(
                decision,
                write,
                as_at=run.as_at,
                out=kept_quarters.released(quarter),
                keys=run.keys,
                ledger=run.ledger,
            )
    except ReleaseRefusedError as refusal:
        return QuarterOutcome(ReleaseOutcome(False, str(refusal)))
    except ReleaseFailedError as problem:
        return QuarterOutcome(record_failure(run, decision, problem))
    version = versions.keep(own, kept_quarters.folder(quarter))
    build = builds[0]
    open_checks = sum(not check.holds for check in build.report.checks)
    outcome = ReleaseOutcome(
        True, decision.reason, extract.directory, dict(extract.rows), queries=open_checks, council=own,
        version=version.folder.name, notes=tuple(_notes(run, build)),
    )  # fmt: skip
    return QuarterOutcome(outcome, build.restated)


def due_quarter(as_at: date) -> Quarter:
    """The newest quarter that has ended on a day."""
    current = Quarter.of(as_at)
    return current if as_at == current.last else current.before


def build_quarter(run: Run, quarter: Quarter) -> Build:
    """Count and rate a quarter as the warehouse and the book of entries now have it."""
    items, settings = load_items(), load_settings(run.home.root / SETTINGS)
    with EntryBook.open(run.home) as book:
        entries, entries_before = book.newest(quarter), book.newest(quarter.before)
    with connect(run.home, read_only=True) as con:
        inputs = [row[0] for row in con.execute(_INPUTS).fetchall()]
        before = count_quarter(con, quarter.before, settings, for_figures=True)
        baseline = (
            count_quarter(con, items.first, settings, for_figures=True)
            if items.first < quarter
            else None
        )
        restated = _restated(con, run, quarter, items, settings)
        counted = count_quarter(con, quarter, settings)
        report = make_report(items, settings, counted, before, baseline, entries, entries_before)
        checks = run_checks(con, items, counted, report.figures, run.as_at)
        recorded = _recorded(con)
    return Build(replace(report, checks=checks), counted, recorded, restated, inputs)


_INPUTS = """
SELECT DISTINCT d.delivery_id FROM meta.deliveries AS d
INNER JOIN intermediate.int_feeds__states AS f USING (feed)
WHERE d.status = 'loaded' AND d.rows_loaded > 0 AND f.is_for_returns ORDER BY d.delivery_id
"""


def _authority(run: Run) -> str:
    return f"{run.partnership.name}, LA {run.partnership.la_code}"


def _recorded(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """When the case system recorded each event that it dates; of `staged`, as counted last."""
    rows = con.execute(
        "SELECT kind, child_id, on_date::VARCHAR, max(recorded_date)::VARCHAR FROM staged "
        "WHERE recorded_date IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [
        {"item": _ITEMS[kind], "child_id": child, "on_date": day, "recorded": told}
        for kind, child, day, told in rows
    ]


def _restated(
    con: duckdb.DuckDBPyConnection, run: Run, quarter: Quarter, items: Items, settings: Settings
) -> list[dict[str, Any]]:
    """Figures of earlier kept quarters that come to something else now."""
    kept_quarters, found = KeptQuarters(run.home), list[dict[str, Any]]()
    for earlier in [each for each in kept_quarters.quarters() if each < quarter][:_EARLIER]:
        then = kept_quarters.newest(earlier).record["told"]["items"]
        now = make_figures(items, settings, count_quarter(con, earlier, settings, for_figures=True))
        for item in then:
            if item["figure"] and item["figure"]["value"] != now[item["id"]].value:
                found.append(
                    {"quarter": earlier.name, "item": item["id"], "was": item["figure"]["value"],
                     "is": now[item["id"]].value}
                )  # fmt: skip
    return found


def _keep(council: Path, run: Run, decision: ReleaseDecision, build: Build, released: Path) -> None:
    """Put the build record and the lines behind the figures into the council's folder."""
    (council / TABLES).mkdir()
    checked = [{"check": check.name, **row} for check in build.report.checks for row in check.rows]
    hashes = {
        name: write_rows(council / TABLES / name, rows)
        for name, rows in (
            (LINES, build.counted.lines),
            (CHECKED, checked),
            (RECORDED, build.recorded),
        )
    }
    with replacing(council / RECORD) as handle:
        handle.write(
            (json.dumps(_record(run, decision, build, hashes, released), indent=1) + "\n").encode()
        )


def _record(
    run: Run, decision: ReleaseDecision, build: Build, hashes: Mapping[str, str], released: Path
) -> dict[str, Any]:
    report = build.report
    return {
        "collection": COLLECTION,
        "year": report.quarter.name,
        "about": {"as_at": run.as_at.isoformat(), "agreement": decision.agreement, "policy": decision.policy},
        "inputs": build.inputs,
        "told": told(report),
        "checks": [{**asdict(check), "rows": len(check.rows)} for check in report.checks],
        "entries": {
            item: {"version": each.version, "author": each.author, "role": each.role,
                   "made_at": each.made_at.isoformat(timespec="seconds")}
            for item, each in sorted(report.entries.items())
        },
        "restated": build.restated,
        "tables": dict(hashes),
        "files": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(released.iterdir())},
    }  # fmt: skip


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> str:
    """Write one JSON object a line; its SHA-256 comes back."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    content = "".join(f"{encode(row)}\n" for row in rows).encode()
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _notes(run: Run, build: Build) -> list[str]:
    quarter, notes = build.report.quarter, build.report.notes
    if run.as_at < quarter.last:
        notes.append(
            f"The quarter ends on {quarter.last}; this is how things stood on {run.as_at}."
        )
    for each in build.restated:
        notes.append(f"{each['quarter']} {each['item']} was {each['was']} and is {each['is']} now.")
    return notes


__all__ = [
    "Build",
    "NotBuiltError",
    "NotYetError",
    "QuarterOutcome",
    "build_quarter",
    "due_quarter",
    "publish_quarter",
]
