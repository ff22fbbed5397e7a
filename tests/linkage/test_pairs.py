"""Pairs are counted and kept by pattern, in memory or in DuckDB, with one result."""

from __future__ import annotations

import time

import duckdb
import numpy as np
import pytest

from linkage.pairs import PairStore, group, side_by_side


@pytest.mark.parametrize("limit", [0, 700, 1 << 20])
def test_what_is_kept_does_not_depend_on_where_it_is_kept(limit: int) -> None:
    rng = np.random.default_rng(4)
    left, right = (side.astype(np.int32) for side in np.triu_indices(60, 1))
    pattern = rng.choice([3, 1 << 61, 77, 5], len(left))
    mask = rng.choice([1, 2, 1 << 29], len(left)).astype(np.uint32)
    with duckdb.connect(":memory:") as con:
        store = PairStore(con, limit)
        for part in np.array_split(rng.permutation(len(left)), 9):
            store.add(group(left[part], right[part], mask[part], pattern[part]))
        grouped = store.tally.grouped()
        found = store.with_patterns(np.array([77, 1 << 61, 77, 12345]))
        none = store.with_patterns(np.array([], np.int64))
    wanted = np.isin(pattern, [77, 1 << 61])
    for side, expected in zip(found, (left, right, pattern), strict=True):
        assert side.tolist() == expected[wanted].tolist()
    assert [len(side) for side in none] == [0, 0, 0]
    rows = np.stack([pattern, mask.astype(np.int64)], axis=1)
    keys, counts = np.unique(rows, axis=0, return_counts=True)
    assert np.stack([grouped.pattern, grouped.mask], axis=1).tolist() == keys.tolist()
    assert grouped.count.tolist() == counts.tolist()


def test_results_come_in_order_and_errors_come_out() -> None:
    def work(item: int) -> int:
        time.sleep(0.002 * (item % 3))
        return 10 // (item - 20)

    found = side_by_side(2, work, range(30))
    assert [next(found) for _ in range(20)] == [10 // (i - 20) for i in range(20)]
    with pytest.raises(ZeroDivisionError):
        next(found)
