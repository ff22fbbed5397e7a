"""What an agreement's records hold together: links and identifiers with and without them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

import linkage
from ffp_data.home.run import Run
from ffp_data.home.shut_records import confidences
from ffp_data.hub import Hub
from ffp_data.hub.lookup import SCHEMA
from ffp_data.hub.runs import Preview
from ffp_data.identity.kinds import kinds_of
from ffp_data.identity.live_model import choose_model, hub_rules
from ffp_data.identity.record_facts import link_facts, records_to_link


@dataclass(frozen=True)
class LinkEffects:
    """Identifiers and links that rest on the records of an agreement, as counts.

    losing: identifiers that have records of it and others; alone: with no other record; parting: whose other
    records it alone held together; pairs: scored pairs with a record of it.
    """

    records: int
    losing: int
    alone: int
    parting: int
    pairs: int

    def as_json(self) -> dict[str, int]:
        return dict(vars(self))


def relink(con: duckdb.DuckDBPyConnection, run: Run) -> tuple[Preview, pa.Table]:
    """Link the person records of the scratch as a run would, and what the hub would make of it; with the pairs."""
    chosen = choose_model(run)
    with Hub.open(run.home.hub_url) as hub:
        same, apart = hub.constraints()
        records = con.execute(records_to_link()).to_arrow_table()
        found = linkage.link(records, chosen.model, same, apart, fitted=chosen.fitted)
        preview = hub.preview(
            found.clusters, found.pairs, rules=hub_rules(chosen.model), facts=link_facts(con)
        )
    return preview, found.pairs


def write_membership(
    con: duckdb.DuckDBPyConnection, run: Run, preview: Preview, pairs: pa.Table
) -> None:
    """Make identity.child_membership and identity.children of the scratch as that run would leave them."""
    before = {row["record_key"]: row for row in _home_membership(con)}
    former: dict[str, set[str]] = {}
    for record, child in preview.state.members.items():
        former.setdefault(child, set()).add(record)
    groups = {
        group.child_id or f"new-{number}": group.records
        for number, group in enumerate(preview.assignment.groups)
    }
    changed = {c: r for c, r in groups.items() if former.get(c, set()) != set(r)}
    with Hub.open(run.home.hub_url) as hub:
        certain = {*hub.constraints()[0], *link_facts(con).merged}
    anew = confidences(changed, pairs, certain)
    rows = [
        {
            "record_key": record,
            "child_id": child,
            "linked_since": before.get(record, {}).get("linked_since") or run.as_at,
            "link_confidence": anew.get(record)
            if child in changed
            else before[record]["link_confidence"],
        }
        for child, records in groups.items()
        for record in records
    ]
    membership = pa.Table.from_pylist(rows, SCHEMA)
    children = pa.Table.from_pylist(
        [{"child_id": c, "kind": k} for c, k in kinds_of(con, membership, run.as_at)],
        pa.schema([("child_id", pa.string()), ("kind", pa.string())]),
    )
    for name, table in (("child_membership", membership), ("children", children)):
        con.register("rows_in", table)
        con.execute(f"DROP VIEW IF EXISTS identity.{name}")
        con.execute(f"CREATE OR REPLACE TABLE identity.{name} AS SELECT * FROM rows_in")
        con.unregister("rows_in")


def _home_membership(con: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = (
        con.execute("SELECT * FROM home.identity.child_membership").to_arrow_table().to_pylist()
    )
    return rows


def effects(con: duckdb.DuckDBPyConnection, preview: Preview, gone: Collection[str]) -> LinkEffects:
    """What the hub would change; `gone`: record keys of the home that the scratch lacks."""
    group_of: Mapping[str, int] = preview.assignment.group_of
    lost = set(gone)
    kept: dict[str, set[int]] = {}
    losing: set[str] = set()
    for record, child in preview.state.members.items():
        if record in lost:
            losing.add(child)
        elif record in group_of:
            kept.setdefault(child, set()).add(group_of[record])
    (pairs,) = con.execute(_PAIRS_LOST).fetchone() or (0,)
    return LinkEffects(
        records=len(lost),
        losing=len(losing & kept.keys()),
        alone=len(losing - kept.keys()),
        parting=sum(len(kept.get(child, ())) > 1 for child in losing),
        pairs=int(pairs),
    )


_PAIRS_LOST = """
SELECT count(*) FROM home.identity.link_pairs AS p
WHERE NOT EXISTS (SELECT 1 FROM identity.person_records AS r WHERE r.record_key = p.record_id_l)
    OR NOT EXISTS (SELECT 1 FROM identity.person_records AS r WHERE r.record_key = p.record_id_r)
"""
