"""What a run did, for the person who started it: read back from the stores, not from memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

import linkage
from ffp_data.home.lacking import lacks_of_returns
from ffp_data.home.run import Run
from ffp_data.identity.live_model import advice, choose_model
from ffp_data.identity.truth import read_truth
from ffp_data.pipeline.explain import CAUSES, explain
from ffp_data.releases.keeping_back import KEPT_BACK
from ffp_data.releases.kept_quarters import COLLECTION as QUARTERLY
from ffp_data.releases.make_return import notes_on
from ffp_data.releases.publish import COLLECTIONS
from ffp_data.returns.versions import read_record
from ffp_data.warehouse import connect
from governance.files import sha256_of_file
from governance.manifest import MANIFEST, read_manifest

FEED_COLUMNS = ("feed", "agreement", "delivered", "loaded", "quarantined", "superseded")
QUALITY_COLUMNS = ("of", "precision", "recall", "F1")
RETURN_COLUMNS = ("return", "year", "children", "errors", "queries", "agreement")

_WIDE = Console(width=1000)

_FEEDS = """
SELECT feed,
       any_value(agreement) AS agreement,
       sum(rows_delivered)::BIGINT AS delivered,
       sum(rows_loaded)::BIGINT AS loaded,
       sum(rows_quarantined)::BIGINT AS quarantined,
       sum(rows_superseded)::BIGINT AS superseded,
       count(*) FILTER (WHERE status IN ('refused', 'not_permitted', 'held')) AS refused
FROM meta.deliveries LEFT JOIN meta.feed_state USING (feed)
GROUP BY feed ORDER BY feed
"""

_PEOPLE = "SELECT kind, count(*) FROM identity.children GROUP BY kind ORDER BY kind"


def summarise(run: Run, seconds: Mapping[str, float], truth: Path | None) -> dict[str, Any]:
    """Everything the closing table says, as plain data; with `truth`, quality and explanations too."""
    with connect(run.home, read_only=True) as con:
        return {
            "as_at": run.as_at.isoformat(),
            "feeds": _rows(con, _FEEDS),
            "people": dict(_pairs(con, _PEOPLE)),
            "person_records": _pairs(con, "SELECT 'n', count(*) FROM identity.person_records")[0][
                1
            ],
            "linkage": _quality(con, truth) if truth else None,
            "returns": [
                _return(con, run, path, truth)
                for path in _released(run, "returns")
                if path.parent.name in COLLECTIONS
            ],
            "extracts": [
                _extract(run, path)
                for kind in ("extracts", "lists")
                for path in _released(run, kind)
            ],
            "quarterly": [_extract(run, path) for path in _released(run, f"returns/{QUARTERLY}")],
            "refused": [
                *_reasons(con, run, "delivery_refused", "delivery_not_permitted"),
                *_not_released(run),
            ],
            "held": _reasons(con, run, "delivery_held"),
            "returns_lack": _returns_lack(con, run),
            "not_read": _not_read(con, run),
            "withdrawn": _withdrawn(run),
            "model_waits": _model_waits(con, run),
            "seconds": {stage: round(spent, 1) for stage, spent in seconds.items()},
            "places": {
                "returns and extracts": str(run.home.out),
                "findings, for the council": str(run.home.council),
                "warehouse (encrypted)": str(run.home.warehouse),
                "identifier hub": run.home.hub_url.partition("?")[0].rpartition("@")[2],
                "ledger": str(run.home.ledger_dir),
                "Dagster": str(run.home.dagster_home),
                "pages": f"ffp serve --home {run.home.root}",
            },
        }


def print_summary(summary: Mapping[str, Any]) -> None:
    """Print the closing tables."""
    known = bool(summary["linkage"])
    tables = [
        ("Feeds (rows)", FEED_COLUMNS, summary["feeds"]),
        ("People", ("what", "count"), _counts(summary)),
        ("Linkage against the known truth", QUALITY_COLUMNS, summary["linkage"] or []),
        ("Returns and their validators' findings", RETURN_COLUMNS, summary["returns"]),
        ("Findings by cause", ("return", *CAUSES), summary["returns"] if known else []),
        ("Extracts", ("agreement", "rows", "where"), summary["extracts"]),
        (
            "Seconds",
            ("stage", "seconds"),
            _listed(_rounded(summary["seconds"]), "stage", "seconds"),
        ),
        (f"Files, as at {summary['as_at']}", ("what", "where"), _listed(summary["places"])),
    ]
    console = Console()
    for title, columns, rows in tables:
        if rows:
            table = _table(columns, rows)
            console.print(f"\n[bold]{title}[/bold]")
            # As wide as it must be: a path that is cut leads nowhere.
            width = Measurement.get(_WIDE, _WIDE.options, table).maximum
            Console(width=width).print(table)
    for note in (note for row in summary["returns"] for note in row["notes"]):
        console.print(note, markup=False, style="yellow", soft_wrap=True)
    for kind in ("refused", "held", "returns_lack", "withdrawn", "not_read", "model_waits"):
        for line in summary[kind]:
            word = kind.replace("_", " ")
            console.print(f"{word}: {line}", markup=False, style="red", soft_wrap=True)


def _model_waits(con: duckdb.DuckDBPyConnection, run: Run) -> list[str]:
    """What somebody should do about the live person model; mostly nothing."""
    records = _pairs(con, "SELECT 'n', count(*) FROM identity.person_records")[0][1]
    words = advice(choose_model(run), records)
    return [words] if words else []


def _counts(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    counts = {"person records": summary["person_records"], **summary["people"]}
    return _listed(counts, "what", "count")


def _listed(
    facts: Mapping[str, Any], name: str = "what", value: str = "where"
) -> list[dict[str, Any]]:
    return [{name: key, value: fact} for key, fact in facts.items()]


def _rounded(seconds: Mapping[str, float]) -> dict[str, int]:
    return {stage: round(spent) for stage, spent in seconds.items()}


def _quality(con: duckdb.DuckDBPyConnection, truth: Path) -> list[dict[str, Any]]:
    known = read_truth(truth / "record_person.csv").rename_columns({"record_key": "record_id"})
    clusters = con.execute(
        "SELECT record_key AS record_id, child_id AS cluster_id FROM identity.child_membership"
    ).to_arrow_table()
    result = linkage.evaluate(clusters, known)
    return [
        {"of": words, "precision": r["precision"], "recall": r["recall"], "F1": r["f1"]}
        for words, r in (
            ("pairs of records", result["pairwise"]),
            ("records (B-cubed)", result["b_cubed"]),
        )
    ]


def _released(run: Run, kind: str) -> list[Path]:
    """Folders that this run released: their manifests are those that the ledger names."""
    told = {event["facts"]["manifest"] for event in _events(run) if event["kind"] == "released"}
    manifests = (run.home.out / kind).rglob(MANIFEST)
    return sorted(path.parent for path in manifests if sha256_of_file(path) in told)


def _return(
    con: duckdb.DuckDBPyConnection, run: Run, folder: Path, truth: Path | None
) -> dict[str, Any]:
    manifest = read_manifest(folder, run.keys.trusted)
    collection, year = folder.parent.name, folder.name
    council = run.home.council / collection / year
    findings = json.loads((council / "report.json").read_text("utf-8"))
    severities = Counter(finding["severity"] for finding in findings)
    return {
        "return": collection,
        "year": year,
        "children": _released_rows(manifest)[f"returns.{collection}_children"],
        "errors": severities["error"],
        "queries": severities["query"],
        **(explain(con, findings, truth) if truth else {}),
        "agreement": manifest["agreement"],
        "by_rule": dict(sorted(Counter(f["rule"] for f in findings).items())),
        "notes": notes_on(read_record(council)),
    }


def _extract(run: Run, folder: Path) -> dict[str, Any]:
    manifest = read_manifest(folder, run.keys.trusted)
    return {
        "for": manifest["recipient"],
        "agreement": manifest["agreement"],
        "rows": sum(_released_rows(manifest).values()),
        "where": str(folder.relative_to(run.home.root)),
    }


def _released_rows(manifest: dict[str, Any]) -> dict[str, int]:
    return {table["relation"]: int(table["rows"]) for table in manifest["tables"]}


def _reasons(con: duckdb.DuckDBPyConnection, run: Run, *kinds: str) -> list[str]:
    """Why this run refused or held deliveries; what was mended since is not told again."""
    told = _told(run, *kinds)
    known = _pairs(
        con, "SELECT feed, delivery_id, file_name, reason FROM meta.deliveries ORDER BY reason"
    )
    return [str(reason) for *delivery, reason in known if tuple(delivery) in told]


def _told(run: Run, *kinds: str) -> set[tuple[str, str, str]]:
    """Feed, id and file of the deliveries of which this run's events of these kinds tell.

    A file that lies in two feeds' folders has one id: what became of it differs by feed.
    """
    facts = ("feed", "delivery_id", "file")
    return {
        tuple(event["facts"][name] for name in facts)
        for event in _events(run)
        if event["kind"] in kinds
    }


def _returns_lack(con: duckdb.DuckDBPyConnection, run: Run) -> list[str]:
    """What returns that this run did not release would have been made without, each with what to do."""
    names = sorted({e["facts"]["collection"] for e in _events(run) if e["kind"] == KEPT_BACK})
    lacks = lacks_of_returns(run, con) if names else []
    return [
        f"{lack.words} Not released without it: {', '.join(names)}; what was released before stands."
        for lack in lacks
    ]


def _not_read(con: duckdb.DuckDBPyConnection, run: Run) -> list[str]:
    """Columns in this run's new files that no contract knows: the sender has changed something."""
    loaded = [e["facts"]["delivery_id"] for e in _events(run) if e["kind"] == "delivery_loaded"]
    query = (
        "SELECT file_name, notes FROM meta.deliveries WHERE delivery_id IN (SELECT unnest(?))"
        " AND contains(notes, 'unknown columns') ORDER BY file_name"
    )
    return [f"{file}: {notes}" for file, notes in con.execute(query, [loaded]).fetchall()]


def _not_released(run: Run) -> list[str]:
    """Releases that this run refused or could not make, with the reason."""
    return [
        "{recipient} {purpose}: {reason}".format(**event["facts"])
        for event in _events(run)
        if event["kind"] in ("release_refused", "release_failed")
    ]


def _withdrawn(run: Run) -> list[str]:
    """Releases of earlier runs that this one took out of `out/`, with the reason."""
    return [
        "{recipient} {purpose}, as at {as_at}: {reason}".format(**event["facts"])
        for event in _events(run)
        if event["kind"] == "release_withdrawn"
    ]


def _events(run: Run) -> list[dict[str, Any]]:
    """What the ledger tells since the run began, which is when it compiled its policy."""
    events = list(run.ledger.events())
    begun = max((i for i, e in enumerate(events) if e["kind"] == "policy_compiled"), default=0)
    return events[begun:]


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = con.execute(sql).to_arrow_table().to_pylist()
    return rows


def _pairs(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()


def _table(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for name in columns:
        is_number = bool(rows) and isinstance(rows[0][name], int | float)
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(_cell(row[name])) for name in columns))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4f}" if value <= 1 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
