"""Match, ask, answer: the three steps after the partners have tokenised.

The hub matches token files and learns which keyed ids are one person. It asks a partner for the
records of that partner that were matched with another's, and for no others; the partner finds them
by making the ids again with the secret, and answers with those records alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from linkage.errors import LinkageError
from linkage.linker import link_engine
from linkage.private.engine import SOURCE, TokenEngine
from linkage.private.secret import Secret
from linkage.private.settings import Discovery
from linkage.private.tokenise import Keys, quietly, read_records
from linkage.private.tokens import ID

CLUSTER = "cluster_id"


@dataclass(frozen=True)
class Matched:
    """``clusters``: token_id, source, cluster_id. ``pairs`` and ``report`` as of clear records."""

    clusters: pa.Table
    pairs: pa.Table
    report: dict[str, Any]


def match(tables: list[pa.Table], discovery: Discovery) -> Matched:
    """Link partners' token tables; raises LinkageError where they do not belong together."""
    engine = TokenEngine(tables, discovery)
    result = link_engine(engine, discovery.linkage)
    sources = engine.identities().sources.cast(pa.string())
    clusters = pa.table({ID: result.clusters["record_id"], SOURCE: sources})
    clusters = clusters.append_column(CLUSTER, result.clusters[CLUSTER])
    report = result.report | {
        "epoch": discovery.settings.epoch,
        "parameters_fingerprint": discovery.fingerprint,
        "sources": _matched_of_each(clusters),
    }
    return Matched(clusters, result.pairs, report)


def ask(clusters: pa.Table, source: str) -> pa.Table:
    """token_id and cluster_id of a source's records that are one person with another source's."""
    if not {ID, SOURCE, CLUSTER} <= set(clusters.column_names):
        raise LinkageError("not the clusters of 'ffp private match'")
    known = sorted(s for s in pc.unique(clusters[SOURCE]).to_pylist())
    if source not in known:
        raise LinkageError(f"no tokens of '{source}' were matched; there are: {', '.join(known)}")
    sources = clusters.group_by(CLUSTER).aggregate([(SOURCE, "count_distinct")])
    shared = sources.filter(pc.greater(sources[f"{SOURCE}_count_distinct"], 1))[CLUSTER]
    chosen = pc.and_(
        pc.equal(clusters[SOURCE], source), pc.is_in(clusters[CLUSTER], shared.combine_chunks())
    )
    return clusters.filter(chosen).select([ID, CLUSTER]).sort_by(ID)


def answer(
    records: pa.Table | Path | str,
    discovery: Discovery,
    secret: Secret,
    source: str,
    asked: pa.Table,
) -> pa.Table:
    """The asked records, clear, as they came in, with ``token_id`` before their own columns.

    Raises LinkageError if an asked id is none of these records': then the records are not those
    that were tokenised, and nothing should leave.
    """
    if ID not in asked.column_names:
        raise LinkageError(f"the list of asked ids has no column {ID}")
    wanted = set(asked[ID].to_pylist())
    with quietly(), duckdb.connect(":memory:", config={"temp_file_encryption": "true"}) as con:
        read_records(con, records, discovery.linkage)
        table = con.execute("SELECT * FROM input").to_arrow_table()
    ids = Keys(secret, discovery).record_ids(
        source, table[discovery.linkage.record_id].cast(pa.string()).to_pylist()
    )
    if unknown := len(wanted - set(ids)):
        raise LinkageError(
            f"{unknown} of {len(wanted)} asked ids are of no record here: use the records, source "
            "name, parameters and secret that were used to tokenise"
        )
    clear = table.add_column(0, ID, pa.array(ids, pa.string()))
    return clear.filter(pc.is_in(clear[ID], pa.array(sorted(wanted), pa.string()))).sort_by(ID)


def _matched_of_each(clusters: pa.Table) -> dict[str, dict[str, int]]:
    """For each source its records, and how many of them the hub may ask for."""
    sizes = clusters.group_by(SOURCE).aggregate([(ID, "count")]).to_pylist()
    return {
        row[SOURCE]: {
            "records": row[f"{ID}_count"],
            "matched": ask(clusters, row[SOURCE]).num_rows,
        }
        for row in sorted(sizes, key=lambda r: str(r[SOURCE]))
    }
