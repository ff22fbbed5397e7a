"""What a run did, for the person who started it: read back from the stores, not from memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

import linkage
from ffp_data.pipeline.explain import CAUSES, explain, read_truth
from ffp_data.pipeline.run import Run
from ffp_data.warehouse import connect
from governance.manifest import MANIFEST, read_manifest

FEED_COLUMNS = ("feed", "agreement", "delivered", "loaded", "quarantined", "superseded")
QUALITY_COLUMNS = ("of", "precision", "recall", "F1")
RETURN_COLUMNS = ("return", "year", "children", "errors", "queries", "agreement")

_FEEDS = """
SELECT feed,
       any_value(agreement) AS agreement,
       sum(rows_delivered)::BIGINT AS delivered,
       sum(rows_loaded)::BIGINT AS loaded,
       sum(rows_quarantined)::BIGINT AS quarantined,
       sum(rows_superseded)::BIGINT AS superseded,
       count(*) FILTER (WHERE status <> 'loaded') AS refused
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
            "returns": [_return(con, run, path, truth) for path in _manifests(run, "returns")],
            "extracts": [_extract(run, path) for path in _manifests(run, "extracts")],
            "refused": [*_refused(con), *_not_released(run)],
            "seconds": {stage: round(spent, 1) for stage, spent in seconds.items()},
            "places": {
                "returns and extracts": str(run.home.out),
                "warehouse (encrypted)": str(run.home.warehouse),
                "identifier hub": run.home.hub_url.rpartition("@")[2],
                "ledger": str(run.home.ledger_dir),
                "Dagster": str(run.home.dagster_home),
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
        ("Seconds", ("stage", "seconds"), _listed(summary["seconds"], "stage", "seconds")),
        (f"Files, as at {summary['as_at']}", ("what", "where"), _listed(summary["places"])),
    ]
    console = Console()
    for title, columns, rows in tables:
        if rows:
            console.print(f"\n[bold]{title}[/bold]")
            console.print(_table(columns, rows))
    for line in summary["refused"]:
        console.print(f"refused: {line}", markup=False, style="red", soft_wrap=True)


def _counts(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    counts = {"person records": summary["person_records"], **summary["people"]}
    return _listed(counts, "what", "count")


def _listed(
    facts: Mapping[str, Any], name: str = "what", value: str = "where"
) -> list[dict[str, Any]]:
    return [{name: key, value: fact} for key, fact in facts.items()]


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


def _manifests(run: Run, kind: str) -> list[Path]:
    return sorted(p.parent for p in (run.home.out / kind).rglob(MANIFEST))


def _return(
    con: duckdb.DuckDBPyConnection, run: Run, folder: Path, truth: Path | None
) -> dict[str, Any]:
    manifest = read_manifest(folder, run.keys.public_key)
    findings = json.loads((folder / "report.json").read_text("utf-8"))
    severities = Counter(finding["severity"] for finding in findings)
    collection, year = folder.parent.name, folder.name
    return {
        "return": collection,
        "year": year,
        "children": _released_rows(manifest)[f"returns.{collection}_children"],
        "errors": severities["error"],
        "queries": severities["query"],
        **(explain(con, findings, truth) if truth else {}),
        "agreement": manifest["agreement"],
        "by_rule": dict(sorted(Counter(f["rule"] for f in findings).items())),
    }


def _extract(run: Run, folder: Path) -> dict[str, Any]:
    manifest = read_manifest(folder, run.keys.public_key)
    return {
        "for": manifest["recipient"],
        "agreement": manifest["agreement"],
        "rows": sum(_released_rows(manifest).values()),
        "where": str(folder.relative_to(run.home.root)),
    }


def _released_rows(manifest: dict[str, Any]) -> dict[str, int]:
    return {table["relation"]: int(table["rows"]) for table in manifest["tables"]}


def _refused(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = "SELECT DISTINCT reason FROM meta.deliveries WHERE status <> 'loaded' ORDER BY reason"
    return [str(reason) for (reason,) in con.execute(query).fetchall()]


def _not_released(run: Run) -> list[str]:
    """Releases that were refused or failed since the run compiled its policy, with the reason."""
    lines: list[str] = []
    for event in run.ledger.events():
        if event["kind"] == "policy_compiled":
            lines = []
        if event["kind"] in ("release_refused", "release_failed"):
            facts = event["facts"]
            lines.append(f"{facts['recipient']} {facts['purpose']}: {facts['reason']}")
    return lines


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
        table.add_row(*(_cell(row[name]) for name in columns))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4f}" if value <= 1 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
