"""The fast comparison against the reference in SQL: every kind of test, pattern for pattern."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage import LinkageError, Model
from linkage.duck import open_engine
from tests.linkage.reference import all_pairs

NAMES = [
    "mohammed", "muhammad", "mohamed", "anna", "anne", "ann", "hanna", "zoë", "zoe", "jo", "jor",
    "anna maria", "maria anna", "o connor", "connor", "李", "李明", "müller", "mueller", "muller",
    "x", "łukasz", "lukasz", "abcdefghijklmnopqrstuvwxyz", "aaaaaaaa", "aaaaaaab", "maria", None,
]  # fmt: skip
DAYS = [
    "2001-03-09", "2001-09-03", "2001-03-10", "2002-03-09", "2011-03-09", "1999-12-31",
    "2000-01-01", "2000-01-30", "1968-02-29", "not a date", None,
]  # fmt: skip
COLUMNS = ("given", "surname", "other", "middle", "born", "due", "number", "former", "place")
CONTENT: dict[str, Any] = {
    "name": "every_test",
    "version": "1",
    "record_id": "id",
    "equivalents": {"names": "names.csv"},
    "columns": {
        "given": {"domain": "name", "steps": ["lower"], "equivalents": "names"},
        "surname": {"domain": "name", "steps": ["lower", "trim"]},
        "other": {"domain": "name", "steps": ["lower"]},
        "middle": {"domain": "name"},
        "born": {"type": "date"},
        "due": {"type": "date"},
        "born_or_due": {"type": "date", "first_of": ["born", "due"]},
        "number": {"domain": "number"},
        "former": {"domain": "number"},
        "place": {"steps": ["postcode"]},
    },
    "blocking": [
        {"equal": ["number"]},
        {"equal": ["number"], "with": ["former"]},
        {"equal": [{"surname": "skeleton"}, {"born": "year"}]},
        {"equal": ["given", {"born": "month_day"}]},
        {"name": "crossed", "equal": ["given", "surname"], "with": ["surname", "given"]},
        {"name": "parts", "equal": [{"given": "first3"}], "with": [{"surname": "first_word"}]},
        {"equal": [{"place": "outward"}, "born_or_due"]},
    ],
    "comparisons": [
        {
            "name": "given",
            "levels": [
                {"exact": "given"},
                {"swapped": ["given", "surname"]},
                {"equivalent": "given"},
                {"name": "alias", "alias": {"of": "given", "in": "other"}},
                {"name": "middle", "shares_word": {"column": "given", "in": "middle"}},
                {"name": "word", "shares_word": {"column": "given", "min_letters": 1}},
                {"similar": {"column": "given", "at_least": 0.93}},
                {"name": "sound", "same_part": {"column": "given", "part": "skeleton"}},
                {"starts_with": {"column": "given", "min_letters": 2}},
                {"swapped_similar": {"columns": ["given", "surname"], "at_least": 0.8}},
                {"one_letter_off": "given"},
            ],
        },
        {
            "name": "surname",
            "levels": [
                {"name": "near", "similar": {"column": "surname", "at_least": 0.8}},
                {"name": "both", "all": [{"exact": "surname"}, {"exact": "given"}]},
                {"exact": "surname"},
            ],
        },
        {
            "name": "born",
            "levels": [
                {"exact": "born"},
                {"day_month_swapped": "born"},
                {"one_date_part_differs": "born"},
                {"near": {"column": "born", "within_days": 31}},
                {"name": "year", "same_part": {"column": "born", "part": "year"}},
            ],
        },
        {
            "name": "due",
            "columns": ["born_or_due"],
            "only_if_missing": "born",
            "levels": [{"near": {"column": "born_or_due", "within_days": 28}}],
        },
        {"name": "number", "columns": ["number", "former"], "levels": [{"exact": "number"}]},
        {
            "name": "place",
            "levels": [
                {"exact": "place"},
                {"name": "outward", "same_part": {"column": "place", "part": "outward"}},
            ],
        },
    ],
}

record = st.tuples(
    *[st.one_of(st.sampled_from(NAMES), st.text("aàbz ", max_size=4)) for _ in range(4)],
    *[st.sampled_from(DAYS) for _ in range(2)],
    *[st.sampled_from(["1", "2", "33", None]) for _ in range(2)],
    st.sampled_from(["ab1 2cd", "AB12CD", "ab1 2ce", "zz9", None]),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    rows = ["Mohammed,1", "MUHAMMAD,1", "anna,2", "Hanna,2", "hanna,3", "maria,3", "zoe,4", "Zoë,4"]
    text = "\n".join(["value,group,source", *(f"{row},test" for row in rows)])
    (folder / "names.csv").write_text(text, encoding="utf-8")
    return Model.from_dict(CONTENT, Path(folder / "model.yaml"))


def _table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    ids = [f"r{(i * 37) % 101:03d}" for i in range(len(rows))]  # not in the order of the rows
    data = dict(zip(COLUMNS, map(list, columns), strict=True))
    return pa.table({"id": ids, **{k: pa.array(v, pa.string()) for k, v in data.items()}})


@settings(max_examples=12, deadline=None)
@given(rows=st.lists(record, min_size=12, max_size=40))
def test_every_pair_has_the_pattern_and_the_rules_of_the_reference(
    rows: list[tuple[Any, ...]], model: Model
) -> None:
    known = ("anna", "muller", "anna", None, "2001-03-09", None, "1", None, "zz9")
    table = _table([*rows, known, known])
    with open_engine(table, model) as engine:
        expected = all_pairs(table, model, engine.loaded.packing)
        left, right = (np.array(side) for side in zip(*expected, strict=True))
        found = engine.compare(left, right).tolist()
        assert dict(zip(expected, found, strict=True)) == {p: e[1] for p, e in expected.items()}
        # Proposed are the pairs of some rule, each counted once and kept once.
        grouped = engine.patterns()
        proposed = {pair: both for pair, both in expected.items() if both[0]}
        counts: dict[tuple[int, int], int] = {}
        for both in proposed.values():
            counts[both] = counts.get(both, 0) + 1
        keys = zip(grouped.mask.tolist(), grouped.pattern.tolist(), strict=True)
        assert dict(zip(keys, grouped.count.tolist(), strict=True)) == counts
        l_kept, r_kept, _ = engine.survivors(grouped.pattern)
        kept = list(zip(l_kept.tolist(), r_kept.tolist(), strict=True))
        assert kept == sorted(proposed)


def test_pairs_may_be_given_either_way_round(model: Model) -> None:
    rows = [("anna", "li", None, None, d, None, "1", None, None) for d in DAYS[:6]]
    with open_engine(_table(rows), model) as engine:
        left, right = np.array([0, 1, 2]), np.array([5, 4, 3])
        assert engine.compare(left, right).tolist() == engine.compare(right, left).tolist()
        assert engine.compare(left[:0], right[:0]).tolist() == []


def test_a_date_rule_against_a_text_is_refused(tmp_path: Path) -> None:
    rule = {"name": "mixed", "equal": ["given"], "with": ["born"]}
    content = {**CONTENT, "blocking": [rule], "equivalents": {}}
    content["columns"] = {**CONTENT["columns"], "given": {}, "middle": {}}
    content["comparisons"] = [{"name": "given", "levels": [{"exact": "given"}]}]
    rows = [("anna", "li", None, None, "2001-03-09", None, "1", None, None)] * 2
    with (
        pytest.raises(LinkageError, match="'mixed' sets a text column equal to a date"),
        open_engine(_table(rows), Model.from_dict(content)),
    ):
        pass
