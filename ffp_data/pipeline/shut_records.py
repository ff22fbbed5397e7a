"""What a run leaves out of people's records: feeds that no agreement lets in any more.

The hub keeps for good which record carried which identifier, so that an identifier always resolves. What a run
makes use of is less: no record of such a feed, and no confidence that rested on one. Confidence is the weakest
pair on the strongest path between a record and the child's others; where such a path may have led through a
record that is shut out, it is worked out anew from the records that are left, as for a new identifier.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from ffp_data.feeds import Contract
from ffp_data.hub.lookup import SCHEMA
from ffp_data.hub.plan import link_confidence
from ffp_data.hub.state import Constraints, Links, Pair, RecordPair
from ffp_data.pipeline.run import Run
from governance.grants import Grants


def feeds_in_force(run: Run, allowed: Grants) -> dict[str, Contract]:
    """The contracts of feeds of which an agreement lets something in; no other feed's rows are made use of."""
    return {
        feed: contract
        for feed, contract in run.contracts.items()
        if any(allowed.ingest(feed, table.name).allowed for table in contract.tables)
    }


def without_feeds(
    membership: pa.Table, pairs: pa.Table, shut: Collection[str], certain: Collection[RecordPair]
) -> pa.Table:
    """``membership`` (its columns, by record_key) without records of the feeds in ``shut``.

    pairs: what this run's linkage scored; certain: pairs of records that a reviewer or a sender called one.
    """
    rows = membership.to_pylist()
    gone = [row for row in rows if _feed(row["record_key"]) in shut]
    if not gone:
        return membership
    left = [row for row in rows if _feed(row["record_key"]) not in shut]
    touched = {row["child_id"] for row in gone}
    anew = _confidences(left, touched, pairs, certain)
    for row in left:
        if row["child_id"] in touched:
            row["link_confidence"] = anew.get(row["record_key"])
    return pa.Table.from_pylist(left, SCHEMA)


def _confidences(
    rows: list[dict[str, str]],
    children: Collection[str],
    pairs: pa.Table,
    certain: Collection[RecordPair],
) -> Mapping[str, float]:
    """Confidence by record of the children named; the least record of each is the one others are tied to."""
    records: dict[str, list[str]] = {}
    for row in rows:
        if row["child_id"] in children:
            records.setdefault(row["child_id"], []).append(row["record_key"])
    child_of = {record: child for child, held in records.items() for record in held}
    inside: dict[str, list[Pair]] = {}
    for pair in Links.from_arrow(_NO_CLUSTERS, pairs).pairs:
        child = child_of.get(pair.left)
        if child and child == child_of.get(pair.right) and not pair.veto:
            inside.setdefault(child, []).append(pair)
    same = Constraints(same=frozenset(certain))
    found: dict[str, float] = {}
    for child, held in records.items():
        found |= link_confidence(held, {held[0]}, inside.get(child, ()), same)
    return found


_NO_CLUSTERS = pa.table(
    {"record_id": pa.array([], pa.string()), "cluster_id": pa.array([], pa.string())}
)


def _feed(record_key: str) -> str:
    return record_key.partition("|")[0]
