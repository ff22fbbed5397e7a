"""Names of clusters depend on the lowest record alone; small array operations against NumPy's."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from linkage.arrays import coded, distinct, distinct_counts
from linkage.output import cluster_ids, hashed

IDS = st.lists(st.text(max_size=40), min_size=1, max_size=8, unique=True)


@given(IDS)
def test_a_clusters_name_is_the_same_in_any_company_and_no_two_are_alike(ids: list[str]) -> None:
    together = hashed(pa.array(ids, pa.string())).to_pylist()
    assert [hashed(pa.array([i], pa.string()))[0].as_py() for i in ids] == together
    assert len(set(together)) == len(ids)
    assert all(re.fullmatch("cluster-[0-9a-f]{16}", name) for name in together)


def test_a_clusters_name_does_not_change_from_release_to_release() -> None:
    ids = pa.array(["r608579269", "r856709736", "z"])
    names = cluster_ids(ids, np.array([0, 0, 2])).to_pylist()
    assert names[0] == names[1] == "cluster-2c94180d1ca4121a"
    assert names[2] != names[0]


@given(st.lists(st.integers(-3, 3)))
def test_distinct_values_are_those_of_numpy(values: list[int]) -> None:
    given_values = np.array(values, dtype=np.int64)
    assert distinct(given_values).tolist() == np.unique(given_values).tolist()
    expected = np.unique(given_values, return_counts=True)
    assert [a.tolist() for a in distinct_counts(given_values)] == [a.tolist() for a in expected]
    some, place = coded(given_values)
    assert some[place].tolist() == values
