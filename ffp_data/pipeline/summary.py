"""What a run did, for the person who started it: read back from the stores, not from memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
from rich.console import Console
from rich.table import Table

import linkage
from ffp_data.pipeline.run import Run
from ffp_data.warehouse import connect
from governance.manifest import MANIFEST, read_manifest

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

# Of which source records the child of a finding is made: a fault may stand in a duplicate record.
_RECORDS_OF_LA_CHILD = """
SELECT c.la_child_id, m.record_key
FROM (SELECT child_key, la_child_id FROM returns.cin_children
      UNION SELECT child_key, la_child_id FROM returns.tehadc_children) c
JOIN identity.child_membership m ON m.child_id = c.child_key
"""


def summarise(run: Run, seconds: Mapping[str, float], truth: Path | None) -> dict[str, Any]:
    """Everything the closing table says, as plain data; with `truth`, quality and explanations too."""
    with connect(run.home, read_only=True) as con:
        return {
            "as_at": run.as_at.isoformat(),
            "feeds": _rows(con, _FEEDS),
            "people": dict(_pairs(con, "SELECT kind, count(*) FROM identity.children GROUP BY kind")),
            "person_records": _pairs(con, "SELECT 'n', count(*) FROM identity.person_records")[0][1],
            "linkage": _quality(con, truth) if truth else None,
            "returns": [_return(con, run, path, truth) for path in _manifests(run, "returns")],
            "extracts": [_extract(run, path) for path in _manifests(run, "extracts")],
            "refused": _refused(con),
            "seconds": {stage: round(spent, 2) for stage, spent in seconds.items()},
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
    console = Console()
    columns = ("feed", "agreement", "delivered", "loaded", "quarantined", "superseded", "refused")
    console.print(_table("Feeds (rows)", columns, summary["feeds"]))
    console.print(_table("People", ("what", "count"), _people(summary)))
    if summary["linkage"]:
        columns = ("of", "precision", "recall", "F1")
        console.print(_table("Linkage against the known truth", columns, summary["linkage"]))
    columns = ("return", "year", "children", "errors", "queries", "explained by planted faults", "agreement")
    console.print(_table("Returns", columns, summary["returns"]))
    console.print(_table("Extracts", ("for", "agreement", "rows", "where"), summary["extracts"]))
    spent = [{"stage": k, "seconds": v} for k, v in summary["seconds"].items()]
    console.print(_table("Time", ("stage", "seconds"), spent))
    places = [{"what": k, "where": v} for k, v in summary["places"].items()]
    console.print(_table(f"Where everything lies (as at {summary['as_at']})", ("what", "where"), places))
    for line in summary["refused"]:
        console.print(f"refused: {line}", markup=False, style="red", soft_wrap=True)


def _people(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    counts = {"person records": summary["person_records"], **summary["people"]}
    return [{"what": what, "count": count} for what, count in counts.items()]


def _quality(con: duckdb.DuckDBPyConnection, truth: Path) -> list[dict[str, Any]]:
    known = _csv(truth / "record_person.csv").rename_columns({"record_key": "record_id"})
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
        "children": manifest["rows"][f"returns.{collection}_children"],
        "errors": severities["error"],
        "queries": severities["query"],
        "explained by planted faults": _explained(con, findings, truth) if truth else None,
        "agreement": manifest["agreement"],
        "by_rule": dict(sorted(Counter(f["rule"] for f in findings).items())),
    }


def _explained(con: duckdb.DuckDBPyConnection, findings: list[dict[str, Any]], truth: Path) -> str:
    """How many findings a planted fault explains: the same child and a rule that the fault names."""
    unexplained = unexplained_findings(con, findings, truth)
    return f"{len(findings) - len(unexplained)} of {len(findings)}"


def unexplained_findings(
    con: duckdb.DuckDBPyConnection, findings: list[dict[str, Any]], truth: Path
) -> list[dict[str, Any]]:
    """Findings that no planted fault of `truth` accounts for."""
    records: dict[str, set[str]] = {}
    for la_child_id, record_key in con.execute(_RECORDS_OF_LA_CHILD).fetchall():
        records.setdefault(la_child_id, set()).add(record_key)
    faults: dict[str, set[str]] = {}
    everywhere: set[str] = set()
    for fault in _csv(truth / "planted_faults.csv").to_pylist():
        rules = set((fault["explains"] or "").split())
        everywhere |= rules
        faults.setdefault(fault["source_person_id"] or "", set()).update(rules)

    def is_explained(finding: dict[str, Any]) -> bool:
        if finding["child"] is None:
            return finding["rule"] in everywhere
        keys = records.get(finding["child"], set())
        return any(finding["rule"] in faults.get(k.rpartition("|")[2], ()) for k in keys)

    return [finding for finding in findings if not is_explained(finding)]


def _extract(run: Run, folder: Path) -> dict[str, Any]:
    manifest = read_manifest(folder, run.keys.public_key)
    return {
        "for": manifest["recipient"],
        "agreement": manifest["agreement"],
        "rows": sum(manifest["rows"].values()),
        "where": str(folder.relative_to(run.home.root)),
    }


def _refused(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = "SELECT DISTINCT reason FROM meta.deliveries WHERE status <> 'loaded' ORDER BY reason"
    return [str(reason) for (reason,) in con.execute(query).fetchall()]


def _csv(path: Path) -> pa.Table:
    """All columns as text: an identifier is never a number."""
    with path.open("rb") as handle:
        names = handle.readline().decode("utf-8").strip().split(",")
    convert = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    return pyarrow.csv.read_csv(path, convert_options=convert)


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = con.execute(sql).to_arrow_table().to_pylist()
    return rows


def _pairs(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()


def _table(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        is_number = bool(rows) and isinstance(rows[0][name], int | float)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4f}" if value <= 1 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
