"""No bound may keep out a pair that DuckDB would find alike."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.likeness import letters_of, lists_of

word = st.one_of(
    st.text("abcde", max_size=9),
    st.text("aàbß 李\x00'", max_size=6),
    st.text(max_size=12),
    st.sampled_from(["mohammed", "muhammad", "mahmoud", "a" * 40, "a" * 39 + "b", "ab" * 20]),
)


@st.composite
def likely_pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Two words, often made of one another by a few edits."""
    one = draw(word)
    if draw(st.booleans()):
        return one, draw(word)
    at, more = draw(st.integers(0, len(one))), draw(st.text("abé", max_size=2))
    return one, one[:at] + more + one[at + draw(st.integers(0, 2)) :]


@settings(max_examples=25, deadline=None)
@given(st.lists(likely_pairs(), min_size=20, max_size=60))
def test_the_bounds_hold_for_duckdbs_similarity_and_edit_distance(
    pairs: list[tuple[str, str]],
) -> None:
    left, right = (pa.array(side, pa.string()) for side in zip(*pairs, strict=True))
    with duckdb.connect(":memory:") as con:
        con.register("p", pa.table({"l": left, "r": right}))
        found = con.execute(
            "SELECT jaro_winkler_similarity(l, r) AS alike, damerau_levenshtein(l, r) AS edits FROM p"
        ).fetchnumpy()
    letters = letters_of(pa.concat_arrays([left, right]))
    one = np.arange(len(pairs), dtype=np.int32)
    other = one + np.int32(len(pairs))
    assert (letters.similarity_bound(one, other) >= found["alike"] - 1e-9).all()
    for least in (0.3, 0.7, 0.88):
        assert letters.may_be_similar(one, other, least)[found["alike"].round(6) >= least].all()
    assert letters.may_be_one_edit(one, other)[found["edits"] <= 1].all()
    for count in (1, 3, 7):
        begins = [a.encode()[:count] == b.encode()[:count] for a, b in pairs]
        assert letters.same_beginning(one, other, count)[begins].all()


def test_the_bound_keeps_out_most_unlike_names() -> None:
    names = pa.array(["oliver", "amelia", "george", "isla", "harry", "ava", "noah", "mia", "jack"])
    letters = letters_of(names)
    left, right = (side.astype(np.int32) for side in np.triu_indices(len(names), 1))
    assert letters.may_be_similar(left, right, 0.88).mean() < 0.1
    assert letters_of(pa.array(["long" * 30_000])).length.tolist() == [120_000]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.lists(st.text("abc", max_size=2), max_size=4)), min_size=2))
def test_values_share_an_element_where_their_lists_do(
    lists: list[list[str] | None],
) -> None:
    found = lists_of(pa.array(lists, pa.list_(pa.string())))
    codes = np.arange(-1, len(lists), dtype=np.int32)
    left, right = (side.ravel() for side in np.meshgrid(codes, codes))
    sets = [*(set(one or ()) for one in lists), set()]  # the last is that of the missing value
    expected = [bool(sets[i] & sets[j]) for i, j in zip(left, right, strict=True)]
    assert found.in_common(left, right).tolist() == expected
