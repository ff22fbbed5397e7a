"""What the review's pure functions start from, read from warehouse and hub at the end of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import duckdb
import sqlalchemy as sa

from ffp_data.feeds import Contract
from ffp_data.home.protected import MUST_NOT_BE_LOCATED
from ffp_data.hub import review, review_items
from ffp_data.hub.safety import Clash
from ffp_data.hub.state import Pair
from ffp_data.review.found import Decided, Join, Known
from ffp_data.review.rules import ReviewRules

_MEMBERS = """
SELECT record_key, child_id FROM identity.child_membership
SEMI JOIN identity.person_records USING (record_key)
"""
# Pairs across two identifiers, and those inside one that linkage no longer joins.
_PAIRS = """
SELECT record_id_l, record_id_r, match_weight, match_probability, coalesce(veto, '')
FROM identity.link_pairs
JOIN identity.child_membership l ON l.record_key = record_id_l
JOIN identity.child_membership r ON r.record_key = record_id_r
JOIN identity.clusters cl ON cl.record_id = record_id_l
JOIN identity.clusters cr ON cr.record_id = record_id_r
WHERE l.child_id <> r.child_id OR cl.cluster_id <> cr.cluster_id
ORDER BY record_id_l, record_id_r
"""
_JOINS = """
SELECT record_id_l, record_id_r, mean_weight, reason = 'must_link' FROM identity.link_joins
WHERE mean_weight < ? ORDER BY ALL
"""
_MERGES = """
SELECT p.record_key, s.record_key
FROM identity.person_records p JOIN identity.person_records s ON p.replaced_by = s.record_key
ORDER BY ALL
"""
# Facts of a person by the names of the rules; work with the person as on the run's day.
_FACTS = f"""
SELECT child_id, CASE level WHEN 'child_protection' THEN 'protection_plan' ELSE level END AS fact
FROM intermediate.int_persons__open_work WHERE level IN ('child_protection', 'looked_after')
UNION
SELECT child_id, 'protected' FROM ({MUST_NOT_BE_LOCATED})
UNION
SELECT child_id, 'unborn_or_infant' FROM identity.children WHERE kind = 'unborn'
UNION
SELECT child_id, 'unborn_or_infant' FROM identity.children
JOIN identity.child_membership USING (child_id) JOIN identity.person_records USING (record_key)
WHERE kind = 'child' AND date_of_birth > $born_after
"""
_FAMILY = """
SELECT DISTINCT adults.child_id, children.child_id
FROM identity.children AS adults
JOIN (
    SELECT child_id, related_child_id FROM intermediate.int_families__members WHERE related_child_id IS NOT NULL
    UNION
    SELECT related_child_id, child_id FROM intermediate.int_families__members WHERE related_child_id IS NOT NULL
) AS related ON related.child_id = adults.child_id
JOIN identity.children AS children ON children.child_id = related.related_child_id
WHERE adults.kind = 'adult' AND children.kind <> 'adult'
"""


def read_known(
    con: duckdb.DuckDBPyConnection,
    hub: sa.Connection,
    thresholds: Mapping[str, float],
    rules: ReviewRules,
) -> Known:
    """Everything that `found.find` asks for."""
    weak = (
        rules.reasons["weak_bridge"].mean_weight_below if "weak_bridge" in rules.reasons else None
    )
    cuts = con.execute("SELECT record_id_l, record_id_r, reason::VARCHAR FROM identity.link_cuts")
    return Known(
        cuts={(left, right): reason for left, right, reason in cuts.fetchall()},
        child_of=dict(con.execute(_MEMBERS).fetchall()),
        cluster_of=dict(
            con.execute("SELECT record_id, cluster_id FROM identity.clusters").fetchall()
        ),
        pairs=[Pair(*row) for row in con.execute(_PAIRS).fetchall()],
        joins=[Join(*row) for row in con.execute(_JOINS, [weak]).fetchall()] if weak else [],
        sender_merges=con.execute(_MERGES).fetchall(),
        spoken_against=con.execute(
            "SELECT record_id_l, record_id_r FROM identity.link_clashes"
        ).fetchall(),
        clashes=[Clash(*each) for each in review_items.clashes_of_last_run(hub)],
        asked=review_items.asked(hub),
        decisions=decisions_in_force(hub),
        thresholds=thresholds,
    )


def decisions_in_force(hub: sa.Connection) -> list[Decided]:
    """Decisions that bind the next run, or rest as "can't tell"; with what could be seen."""
    seen = review_items.evidence_of_decisions(hub)
    return [
        Decided(d.left_record, d.right_record, d.verdict, d.decision_id, seen.get(d.decision_id))
        for d in review.load_decisions(hub)
        if d.is_in_force
    ]


def facts_of_people(
    con: duckdb.DuckDBPyConnection, as_at: date, infant_under_days: int
) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """(own facts, facts of an adult's children) by identifier."""
    born_after = as_at - timedelta(days=infant_under_days)
    own = _grouped(con.execute(_FACTS, {"born_after": born_after}).fetchall())
    family: dict[str, set[str]] = defaultdict(set)
    for adult, child in con.execute(_FAMILY).fetchall():
        family[adult] |= own.get(child, frozenset())
    return own, {adult: frozenset(facts) for adult, facts in family.items() if facts}


def _grouped(rows: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    grouped: dict[str, set[str]] = defaultdict(set)
    for name, value in rows:
        grouped[name].add(value)
    return {name: frozenset(values) for name, values in grouped.items()}


def read_people(
    con: duckdb.DuckDBPyConnection, children: Iterable[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, tuple[str, ...]]]:
    """(person record by record key, record keys by identifier) of some identifiers."""
    query = """
        SELECT m.child_id, p.* FROM identity.person_records p JOIN identity.child_membership m USING (record_key)
        WHERE m.child_id IN (SELECT unnest($children)) ORDER BY p.record_key
    """
    rows = con.execute(query, {"children": sorted(children)}).to_arrow_table().to_pylist()
    members: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        members[row["child_id"]].append(row["record_key"])
    records = {row["record_key"]: row for row in rows}
    return records, {child: tuple(keys) for child, keys in members.items()}


def read_scores(
    con: duckdb.DuckDBPyConnection, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, Any]]:
    """The model's row of each pair that it kept."""
    query = """
        SELECT * FROM identity.link_pairs
        WHERE (record_id_l, record_id_r) IN (SELECT unnest(?), unnest(?))
    """
    left, right = [p[0] for p in pairs], [p[1] for p in pairs]
    rows = con.execute(query, [left, right]).to_arrow_table().to_pylist()
    return {(row["record_id_l"], row["record_id_r"]): row for row in rows}


def read_edges(
    con: duckdb.DuckDBPyConnection, children: Iterable[str]
) -> list[tuple[str, str, float, str | None]]:
    """(record, record, weight in bits, veto) of each pair that the model kept among records of some identifiers."""
    query = """
        WITH wanted AS (
            SELECT record_key FROM identity.child_membership WHERE child_id IN (SELECT unnest($children))
        )
        SELECT record_id_l, record_id_r, match_weight, veto FROM identity.link_pairs
        WHERE record_id_l IN (FROM wanted) AND record_id_r IN (FROM wanted)
        ORDER BY record_id_l, record_id_r
    """
    return con.execute(query, {"children": sorted(children)}).fetchall()


def read_joins(con: duckdb.DuckDBPyConnection, children: Iterable[str]) -> dict[str, list[Join]]:
    """How some identifiers' clusters came together, by identifier."""
    query = """
        SELECT m.child_id, j.record_id_l, j.record_id_r, j.mean_weight, j.reason = 'must_link'
        FROM identity.link_joins j JOIN identity.child_membership m ON m.record_key = j.record_id_l
        WHERE m.child_id IN (SELECT unnest($children)) ORDER BY j.cluster_id, j.step
    """
    joins: dict[str, list[Join]] = defaultdict(list)
    for child, *join in con.execute(query, {"children": sorted(children)}).fetchall():
        joins[child].append(Join(*join))
    return dict(joins)


def service_of_feeds(contracts: Mapping[str, Contract]) -> dict[str, str]:
    """The service that each feed speaks for; its own name where the contract says none."""
    return {
        feed: contract.hub.service.name if contract.hub.service else feed
        for feed, contract in contracts.items()
    }
