"""Tables of a run: clusters, pairs, and names of clusters, all by whole columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from linkage.arrays import coded
from linkage.assemble import Assembled
from linkage.engine import Ints
from linkage.estimate import veto_names
from linkage.model import Model
from linkage.packing import Packing

PREFIX = b"cluster-"
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)


def cluster_ids(ids: pa.StringArray, labels: Ints) -> pa.StringArray:
    """The cluster's name for each record; ``labels`` are the clusters' lowest records.

    A name that nobody takes for a record's: a hash of the cluster's lowest record id.
    """
    first = np.flatnonzero(labels == np.arange(len(labels)))
    number = np.zeros(len(labels), np.int64)
    number[first] = np.arange(len(first))
    return hashed(ids.take(pa.array(first))).take(pa.array(number[labels]))


def hashed(texts: pa.StringArray) -> pa.StringArray:
    """``cluster-`` and 16 hexadecimal digits of each text: a 64-bit mixer over eight bytes each."""
    texts = pa.concat_arrays([texts])  # offsets from 0
    count = len(texts)
    _, offsets, content = texts.buffers()
    ends = np.frombuffer(offsets, np.int32, count + 1).astype(np.int64)
    letters = np.frombuffer(content, np.uint8) if content else np.empty(0, np.uint8)
    lengths = np.diff(ends)
    state = _mix(lengths.astype(np.uint64))
    width = -(-int(lengths.max(initial=1)) // 8) * 8
    padded = np.zeros((count, width), np.uint8)
    padded[np.arange(width) < lengths[:, None]] = letters[: ends[-1]]
    for place, eight in enumerate(padded.view("<u8").T):
        mixed = _mix(state ^ eight) + np.uint64(0x9E3779B97F4A7C15)
        state = np.where(lengths > 8 * place, mixed, state)
    digits = _HEX[_mix(state).astype(">u8").view(np.uint8)].view(np.uint8)
    width = len(PREFIX) + 16
    names = np.empty((count, width), np.uint8)
    names[:, : len(PREFIX)] = np.frombuffer(PREFIX, np.uint8)
    names[:, len(PREFIX) :] = digits.reshape(count, 16)
    places = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(places), pa.py_buffer(names))


def _mix(state: Any) -> Any:
    """The finishing steps of splitmix64: every bit of the input moves every bit of the output."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def clusters_table(ids: pa.StringArray, names: pa.StringArray) -> pa.Table:
    """record_id, cluster_id."""
    return pa.table({"record_id": ids, "cluster_id": names})


def pairs_table(ids: pa.StringArray, found: Assembled) -> pa.Table:
    """Pairs at or above the review threshold and all pairs inside a cluster."""
    model, packing, scored = found.model, found.packing, found.scored
    together = found.labels[scored.left] == found.labels[scored.right]
    kept = scored.take(together | scored.at_least(model.thresholds.review))
    patterns, row = coded(kept.pattern)
    levels = packing.unpack(patterns)
    other = kept.other
    columns: dict[str, Any] = {
        "record_id_l": ids.take(pa.array(kept.left)),
        "record_id_r": ids.take(pa.array(kept.right)),
        "match_weight": kept.weight,
        "match_probability": kept.probability,
        "p_same_household": other * kept.household,
        "p_stranger": other * (1 - kept.household),
        "veto": _vetoes(model, packing, levels, row),
    }
    for index, comparison in enumerate(packing.comparisons):
        codes = pa.array(levels[:, index].astype(np.int8)[row])
        named = pa.DictionaryArray.from_arrays(codes, list(comparison.level_names))
        columns[f"level_{comparison.name}"] = named
    return pa.table(columns)


def _vetoes(model: Model, packing: Packing, levels: Ints, row: Ints) -> pa.Array:
    """Name of the first veto that applies to each pair, or null; levels of patterns, pairs' rows."""
    names = [v.name for v in model.vetoes]
    first = np.full(len(levels), -1, np.int64)
    for position, (_, applies) in reversed(list(enumerate(veto_names(model, packing, levels)))):
        first[applies] = position
    codes = first.astype(np.int8)[row]
    named = pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes < 0), pa.array(names, pa.string())
    )
    return named.cast(pa.string())
