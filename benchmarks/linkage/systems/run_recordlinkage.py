"""recordlinkage 0.16 on one set, in the peers' environment: `run_recordlinkage.py - SET RECORDS OUT`.

As its documentation shows: candidate pairs by blocking, several rules joined (guide "Indexing"),
Jaro-Winkler with a threshold for names and exact comparison for the rest ("Data deduplication").
febrl: for data without labels the ECM classifier ("Classification algorithms"). Partnership: there
that classifier learns the wrong class (cluster F1 0.28 at 100,000 records), so the other rule of the
documentation is used, more than three agreements (0.96). It makes no clusters: connected components
are taken, as with the others.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import recordlinkage as rl
from recordlinkage.preprocessing import clean
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from stopwatch import stop

FEBRL_BLOCKS = [["given_name"], ["surname"], ["date_of_birth"], ["soc_sec_id"], ["postcode"]]
BLOCKS = [
    ["nhs_number"], ["upn"], ["given_name", "surname"], ["surname", "date_of_birth"],
    ["given_name", "date_of_birth"], ["postcode", "given_name"], ["postcode", "surname"],
    ["postcode", "date_of_birth"],
]  # fmt: skip
SIMILAR = {"given_name", "surname", "middle_names", "address_1"}
FEBRL_COLUMNS = "given_name surname date_of_birth suburb state address_1 postcode soc_sec_id"
COLUMNS = "given_name surname middle_names date_of_birth sex postcode nhs_number upn"


def pairs(frame: pd.DataFrame, blocks: list[list[str]]) -> pd.MultiIndex:
    """Pairs that any rule proposes; records without a value are in no block."""
    found = None
    for columns in blocks:
        indexer = rl.Index()
        indexer.block(columns)
        new = indexer.index(frame.dropna(subset=columns))
        found = new if found is None else found.union(new)
    return found


def main() -> None:
    name, records, out = sys.argv[2], sys.argv[3], Path(sys.argv[4])
    febrl = name.startswith("febrl")
    key = "rec_id" if febrl else "record_id"
    frame = pd.read_parquet(records).set_index(key)
    for column in ("given_name", "surname", "middle_names"):
        if column in frame:
            frame[column] = clean(frame[column], strip_accents="unicode")
            frame[column] = frame[column].replace("", None)
    candidates = pairs(frame, FEBRL_BLOCKS if febrl else BLOCKS)
    compare = rl.Compare()
    for column in (FEBRL_COLUMNS if febrl else COLUMNS).split():
        if column in SIMILAR:
            compare.string(column, column, method="jarowinkler", threshold=0.85, label=column)
        else:
            compare.exact(column, column, label=column)
    vectors = compare.compute(candidates, frame)
    several = vectors.index[vectors.sum(axis=1) > 3]
    matches = rl.ECMClassifier(binarize=0.5).fit_predict(vectors) if febrl else several
    ends = [frame.index.get_indexer(matches.get_level_values(i)) for i in (0, 1)]
    size = len(frame)
    graph = coo_matrix(([1] * len(matches), ends), shape=(size, size))
    labels = connected_components(graph, directed=False)[1]
    clusters = pd.DataFrame({"record_id": frame.index, "cluster_id": labels})
    clusters.to_parquet(out / "clusters.parquet", index=False)
    stop(out, pairs=len(candidates))


main()
