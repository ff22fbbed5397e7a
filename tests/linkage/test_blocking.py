"""Blocks: sizes told beforehand, chunks of bounded size, each pair once."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from linkage import Model, blocking
from linkage.blocking import Blocks, make_blocks
from linkage.records import load


def _blocks(table: pa.Table, model: Model) -> Blocks:
    with duckdb.connect(":memory:") as con:
        records = load(con, table, model)
    return make_blocks(model, records.codes, records.spaces, records.loaded.count)


def _table(count: int, seed: int) -> pa.Table:
    rng = random.Random(seed)
    names = ["ann", "bob", "cy", "di", None]
    return pa.table(
        {
            "id": [f"r{i:04d}" for i in range(count)],
            "source": ["s"] * count,
            "given": pa.array(rng.choices(names, k=count), pa.string()),
            "surname": pa.array(rng.choices(names, k=count), pa.string()),
            "born": pa.array(rng.choices(["2001-01-01", "2002-02-02", None], k=count), pa.string()),
            "number": pa.array([rng.choice([str(i), None]) for i in range(count)], pa.string()),
        }
    )


@pytest.mark.parametrize("pairs_in_a_chunk", [1, 7, 1 << 18])
def test_the_size_of_the_chunks_changes_nothing(
    pairs_in_a_chunk: int, small: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "PAIRS", pairs_in_a_chunk)
    model = Model.from_dict(small)
    table = _table(60, 1)
    blocks = _blocks(table, model)
    found: dict[tuple[int, int], int] = {}
    chunks = list(blocks.chunks())
    for chunk in chunks:
        for pair in zip(*(a.tolist() for a in blocks.proposed(chunk)), strict=True):
            left, right, mask = pair
            assert left < right
            assert (left, right) not in found
            assert mask & -mask == 1 << chunk.rule  # the first rule that proposes it
            found[left, right] = mask
    rows = table.to_pylist()
    masks = {(i, j): _mask(rows[i], rows[j]) for j in range(60) for i in range(j)}
    assert found == {pair: mask for pair, mask in masks.items() if mask}
    largest = max(s.largest_block for s in blocks.sizes(model))
    assert all(len(c.pairs()[0]) < pairs_in_a_chunk + largest for c in chunks)


def _mask(a: dict[str, Any], b: dict[str, Any]) -> int:
    def equal(*names: str) -> bool:
        return all(a[n] is not None and a[n] == b[n] for n in names)

    known = a["given"] and a["surname"]
    crossed = known and (a["given"], a["surname"]) == (b["surname"], b["given"])
    rules = (("number",), ("surname", "born"), ("given", "born"), ("given", "surname"))
    fires = [*(equal(*rule) for rule in rules), bool(crossed)]
    return sum(1 << i for i, fired in enumerate(fires) if fired)


def test_sizes_are_those_of_the_proposals_before_rules_share_them(small: dict[str, Any]) -> None:
    model = Model.from_dict(small)
    rows = _table(80, 2).to_pylist()
    sizes = {s.name: s for s in _blocks(_table(80, 2), model).sizes(model)}
    same = [
        sum(1 for j in range(80) for i in range(j) if _mask(rows[i], rows[j]) >> rule & 1)
        for rule in range(4)
    ]
    assert [s.pairs for s in sizes.values()][:4] == same
    names = [(r["given"], r["surname"]) for r in rows]
    counts = [0 if None in n else names.count(n) for n in names]
    assert sizes["given+surname"].largest_block == max(counts)
    assert sizes["given+surname"].member == counts.index(max(counts))


def test_many_long_components_neither_overflow_nor_collide(small: dict[str, Any]) -> None:
    """Ten components of 997 values would need a hundred bits: the keys that occur are numbered."""
    columns = [f"c{i}" for i in range(10)]
    rng = np.random.default_rng(3)
    values = rng.integers(0, 997, (997, 10)).astype(str)
    twice = np.concatenate([values, values[:5]])
    table = pa.table(
        {"id": [f"{i:05d}" for i in range(len(twice))]}
        | {c: list(twice[:, i]) for i, c in enumerate(columns)}
    )
    content = {
        "name": "long", "version": "1", "record_id": "id", "columns": {c: {} for c in columns},
        "blocking": [{"name": "all", "equal": columns}],
        "comparisons": [{"name": "c0", "levels": [{"exact": "c0"}]}],
    }  # fmt: skip
    blocks = _blocks(table, Model.from_dict(content))
    (chunk,) = blocks.chunks()
    left, right, _ = blocks.proposed(chunk)
    assert sorted(zip(left.tolist(), right.tolist(), strict=True)) == [
        (i, 997 + i) for i in range(5)
    ]
