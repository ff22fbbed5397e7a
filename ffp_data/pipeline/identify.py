"""From person records to identifiers: assemble the records, link them, let the hub assign.

Links and membership are kept in the warehouse, where dbt and the pages read them; the hub stays the
register of record. What a reviewer decided comes from the hub into the linkage as constraints.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb

import linkage
from ffp_data import feeds
from ffp_data.fence import token_of
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.home.shut_records import feeds_in_force, without_feeds
from ffp_data.hub import Hub, RunSummary
from ffp_data.identity.kinds import KINDS
from ffp_data.identity.link_reasons import keep_reasons
from ffp_data.identity.live_model import advice, choose_model, hub_rules, keep_first_fit
from ffp_data.identity.record_facts import keep_facts, read_facts, records_to_link
from ffp_data.sealing.sieve import spent_key
from ffp_data.warehouse import connect
from governance.subjects import KEK_LABEL

DRIFT_LIMIT = 0.02
"""Change in records per person, as a share, that a person should look at before trusting a run."""

_RECORD_RUNS = """
CREATE TABLE IF NOT EXISTS meta.linkage_runs (
    run_id VARCHAR PRIMARY KEY, as_at DATE, model VARCHAR, records BIGINT, people BIGINT, pairs BIGINT
)
"""


@dataclass(frozen=True)
class Check:
    """A check of a step: passed or not, and why, in words."""

    passed: bool
    words: str


@dataclass(frozen=True)
class LinkOutcome:
    """What linking found; `records_per_person_before` is that of the last run with this model.

    model: the model's name, version and digest; advice: what somebody should do about it, or empty.
    """

    report: dict[str, Any]
    model: str
    records_per_person_before: float | None
    advice: str = ""

    @cached_property
    def records_per_person(self) -> float:
        return float(self.report["records"] / max(1, self.report["clusters"]["count"]))

    def figures(self) -> dict[str, Any]:
        report = self.report
        return {
            "person records": report["records"],
            "people": report["clusters"]["count"],
            "pairs compared": report["pairs"].get("compared", 0),
            "records per person": round(self.records_per_person, 4),
            "model": self.model,
            "rules": report["rules"],
            "parameters": report["parameters"],
            "warnings": report["warnings"],
        }

    def checks(self) -> dict[str, Check]:
        failed = [f["rule"] for f in self.report["training"] if not f["converged"]]
        words = f"rules that did not converge: {', '.join(failed)}" if failed else "every rule"
        return {
            "estimation_converged": Check(not failed, words),
            "no_linkage_drift": self._drift(),
            "live_model_is_up_to_date": Check(not self.advice, self.advice or self.model),
        }

    def _drift(self) -> Check:
        before, now = self.records_per_person_before, self.records_per_person
        if before is None:
            return Check(True, "first run of this model")
        words = f"records per person {before:.4f} before, {now:.4f} now"
        return Check(abs(now / before - 1) <= DRIFT_LIMIT, words)


@dataclass(frozen=True)
class IdentifierOutcome:
    """What the hub did, and how many identifiers of each kind are in use."""

    summary: RunSummary
    kind_counts: dict[str, int]
    unidentified: int

    @property
    def is_complete(self) -> bool:
        return self.unidentified == 0

    def figures(self) -> dict[str, Any]:
        return {
            **self.summary.counts(),
            "records without identifier": self.unidentified,
        }

    def kinds(self) -> dict[str, Any]:
        return dict(self.kind_counts)


def assemble(run: Run) -> dict[str, dict[str, Any]]:
    """Write identity.person_records, relationships and person_identifiers; figures by table.

    Records of feeds that no agreement lets in are none: they neither link others nor stand anywhere.
    """
    with connect(run.home) as con:
        feeds.create_empty_raw_tables(con, run.contracts)
        feeds.assemble_identity(
            con,
            feeds_in_force(run, policy.grants(run)),
            allow_test_numbers=run.partnership.is_synthetic,
        )
        return {
            table: {"rows": _scalar(con, f"SELECT count(*) FROM identity.{table}")}
            for table in ("person_records", "relationships", "person_identifiers")
        }


def link_records(run: Run) -> LinkOutcome:
    """Link all person records by the live model; write identity.clusters, link_pairs and why they are so."""
    chosen = choose_model(run)
    with Hub.open(run.home.hub_url) as hub:
        must_link, cannot_link = hub.constraints()
    with connect(run.home) as con:
        records = con.execute(records_to_link()).to_arrow_table()
        result = linkage.link(records, chosen.model, must_link, cannot_link, fitted=chosen.fitted)
        version = chosen.version or keep_first_fit(run, chosen.model, result.fitted)
        clusters, pairs = result.clusters, result.pairs  # noqa: F841 -- read by name
        con.execute("CREATE OR REPLACE TABLE identity.clusters AS SELECT * FROM clusters")
        con.execute("CREATE OR REPLACE TABLE identity.link_pairs AS SELECT * FROM pairs")
        keep_reasons(con, result)
        before = _remember(con, run, version, result.report, pairs.num_rows)
    return LinkOutcome(result.report, version, before, advice(chosen, result.report["records"]))


def assign_identifiers(run: Run) -> IdentifierOutcome:
    """Let the hub assign; write identity.child_membership and identity.children."""
    model = choose_model(run).model
    with connect(run.home) as con:
        clusters = con.execute("SELECT * FROM identity.clusters").to_arrow_table()
        pairs = con.execute("SELECT * FROM identity.link_pairs").to_arrow_table()
        version = _scalar(con, "SELECT model FROM meta.linkage_runs ORDER BY rowid DESC LIMIT 1")
        with Hub.open(
            run.home.hub_url,
            token=token_of(run.home),
            spent_key=spent_key(run.keys),
            kek=run.keys.key(KEK_LABEL),
        ) as hub:
            facts = read_facts(con, run.run_id, hub.last_run())
            if run.allow_large_change:
                run.ledger.append("large_change_allowed", run_id=run.run_id, by=getpass.getuser())
            summary = hub.apply_run(
                run.run_id,
                run.as_at,
                version,
                clusters,
                pairs,
                rules=hub_rules(model),
                allow_large_change=run.allow_large_change,
                facts=facts,
            )
            keep_facts(con)
            shut = run.contracts.keys() - feeds_in_force(run, policy.grants(run)).keys()
            certain = {*hub.constraints()[0], *facts.merged}
            membership = without_feeds(  # noqa: F841 -- read by name below
                hub.membership(), shut, set(clusters["record_id"].to_pylist()), pairs, certain
            )
        con.execute("CREATE OR REPLACE TABLE identity.child_membership AS SELECT * FROM membership")
        con.execute(_CHILDREN, {"as_at": run.as_at})
        kinds = con.execute(
            "SELECT kind, count(*) FROM identity.children GROUP BY kind ORDER BY kind"
        )
        kind_counts = dict(kinds.fetchall())
        unidentified = _scalar(con, _UNIDENTIFIED)
    run.ledger.append("identifiers_assigned", run_id=run.run_id, model=version, **summary.counts())
    return IdentifierOutcome(summary, kind_counts, unidentified)


_CHILDREN = (
    f"CREATE OR REPLACE TABLE identity.children AS {KINDS.format('identity.child_membership')}"
)

_UNIDENTIFIED = """
SELECT count(*) FROM identity.person_records p
WHERE (SELECT count(*) FROM identity.child_membership m WHERE m.record_key = p.record_key) <> 1
"""


def _remember(
    con: duckdb.DuckDBPyConnection, run: Run, model: str, report: dict[str, Any], pairs: int
) -> float | None:
    """Keep the run's figures; return records per person of the last run with the same model."""
    con.execute(_RECORD_RUNS)
    before = con.execute(
        "SELECT records / people FROM meta.linkage_runs WHERE model = ? AND people > 0 "
        "ORDER BY rowid DESC LIMIT 1",
        [model],
    ).fetchone()
    con.execute(
        "INSERT OR REPLACE INTO meta.linkage_runs VALUES (?, ?, ?, ?, ?, ?)",
        [run.run_id, run.as_at, model, report["records"], report["clusters"]["count"], pairs],
    )
    return None if before is None else float(before[0])


def _scalar(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = con.execute(sql).fetchone()
    assert row is not None, "an aggregate always gives a row"
    return row[0]
