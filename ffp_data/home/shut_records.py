"""What a run leaves out of people's records: feeds that no agreement lets in any more.

The hub keeps for good which record carried which identifier, so that an identifier always resolves. What a run
makes use of is less: no record of such a feed, and no confidence that rested on one. Confidence is the weakest
pair on the strongest path between a record and the child's others; where such a path may have led through a
record that is shut out, it is worked out anew from the records that are left, as for a new identifier.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from ffp_data.feeds import Contract
from ffp_data.home.run import Run
from ffp_data.hub.lookup import SCHEMA
from ffp_data.hub.plan import link_confidence
from ffp_data.hub.state import Constraints, Links, Pair, RecordPair
from governance.grants import Grants


def feeds_in_force(run: Run, allowed: Grants) -> dict[str, Contract]:
    """The contracts of feeds of which an agreement lets something in; no other feed's rows are made use of."""
    return {
        feed: contract
        for feed, contract in run.contracts.items()
        if any(allowed.ingest(feed, table.name).allowed for table in contract.tables)
    }


def without_feeds(
    membership: pa.Table,
    shut: Collection[str],
    present: Collection[str],
    pairs: pa.Table,
    certain: Collection[RecordPair],
) -> pa.Table:
    """``membership`` (its columns, by record_key) without records of the feeds in ``shut``.

    present, pairs: records and scored pairs of this run's linkage; certain: pairs of records that a
    reviewer or a sender called one.
    """
    rows = membership.to_pylist()
    gone = [row for row in rows if _feed(row["record_key"]) in shut]
    if not gone:
        return membership
    left = [row for row in rows if _feed(row["record_key"]) not in shut]
    held: dict[str, list[str]] = {row["child_id"]: [] for row in gone}
    for row in left:
        if row["child_id"] in held and row["record_key"] in present:
            held[row["child_id"]].append(row["record_key"])
    anew = confidences(
        {child: records for child, records in held.items() if records}, pairs, certain
    )
    for row in left:
        if row["record_key"] in held.get(row["child_id"], ()):
            row["link_confidence"] = anew.get(row["record_key"])
    return pa.Table.from_pylist(left, SCHEMA)


def confidences(
    held: Mapping[str, Sequence[str]], pairs: pa.Table, certain: Collection[RecordPair]
) -> dict[str, float]:
    """Link confidence by record, as of new identifiers; `held`: the records of each child.

    The least record of a child is the one that the others are tied to; it has none.
    """
    child_of = {record: child for child, records in held.items() for record in records}
    inside: dict[str, list[Pair]] = {}
    for pair in Links.from_arrow(_NO_CLUSTERS, pairs).pairs if held else ():
        child = child_of.get(pair.left)
        if child and child == child_of.get(pair.right) and not pair.veto:
            inside.setdefault(child, []).append(pair)
    same = Constraints(same=frozenset(certain))
    found: dict[str, float] = {}
    for child, records in held.items():
        found |= link_confidence(records, {min(records)}, inside.get(child, ()), same)
    return found


_CLUSTERS = pa.schema([("record_id", pa.string()), ("cluster_id", pa.string())])
# Of no batches: empty arrays would import pandas, for half a second, wherever this module is read.
_NO_CLUSTERS = pa.Table.from_batches([], _CLUSTERS)


def _feed(record_key: str) -> str:
    return record_key.partition("|")[0]
