"""Filters, tokens, candidates and levels: each against a plain statement of what it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import linkage
from linkage.private import bloom
from linkage.private.candidates import Candidates
from linkage.private.columns import filter_column, in_common, list_column
from linkage.private.plan import plan
from linkage.private.secret import Secret
from linkage.private.settings import ASKABLE, Discovery, Settings
from linkage.spec import TESTS
from tests.linkage.private_town import PARAMETERS, discovery

KEY = b"k" * 32
FEW = settings(max_examples=40, deadline=None)
NAMES = st.text("abcdeéłлм ", min_size=1, max_size=12)
PLAIN = Settings(name="t", version="1", epoch="e", model=Path("m.yaml"))


def filters(texts: list[str], settings: Settings = PLAIN, key: bytes = KEY) -> bloom.Bytes:
    return bloom.filters(texts, [""] * len(texts), key, settings)


def dice(a: str, b: str, settings: Settings = PLAIN) -> float:
    packed = filters([a, b], settings)
    sent = pa.chunked_array([pa.array([r.tobytes() for r in packed], pa.binary(packed.shape[1]))])
    column = filter_column(sent)
    return float(column.dice(np.array([0]), column, np.array([1]))[0])


@FEW
@given(NAMES, NAMES)
def test_the_dice_coefficient_is_that_of_the_bits(a: str, b: str) -> None:
    x, y = (set(np.flatnonzero(np.unpackbits(f))) for f in filters([a, b]))
    assert dice(a, b) == pytest.approx(2 * len(x & y) / (len(x) + len(y)))


@FEW
@given(NAMES, NAMES)
def test_filters_are_nearly_as_alike_as_the_sets_of_q_grams(a: str, b: str) -> None:
    x, y = bloom.grams(a, 2), bloom.grams(b, 2)
    wide = PLAIN.model_copy(update={"bits": 65_536})
    assert dice(a, b, wide) == pytest.approx(2 * len(x & y) / (len(x) + len(y)), abs=0.05)


@FEW
@given(st.lists(NAMES, min_size=2, max_size=8))
def test_a_filter_depends_on_its_own_text_and_the_key_alone(texts: list[str]) -> None:
    together = filters(texts)
    assert all((filters([t])[0] == f).all() for t, f in zip(texts, together, strict=True))
    assert not (filters(texts, key=b"o" * 32) == together).all()


@FEW
@given(NAMES, NAMES, NAMES)
def test_one_name_under_two_salts_has_unrelated_filters(name: str, one: str, two: str) -> None:
    packed = bloom.filters([name, name], [one, two], KEY, PLAIN)
    share = np.bitwise_count(packed[0] & packed[1]).sum() / np.bitwise_count(packed[0]).sum()
    assert (share == 1) if one == two else (share < 0.75)


def test_a_folded_filter_is_half_as_long_and_says_which_bits_differ() -> None:
    packed = np.packbits(np.array([[1] * 8 + [0] * 8, [1, 0] * 8], dtype=bool), axis=1)
    assert bloom.fold(packed).tolist() == [[255], [0]]


def test_noise_turns_its_share_of_bits_and_the_same_ones_again() -> None:
    packed = np.zeros((200, 64), np.uint8)
    ids = [str(i) for i in range(200)]
    noisy = bloom.flip(packed, ids, KEY, 0.05)
    assert np.bitwise_count(noisy).sum() / (200 * 512) == pytest.approx(0.05, abs=0.005)
    assert (bloom.flip(packed, ids, KEY, 0.05) == noisy).all()
    assert len(np.unique(noisy, axis=0)) == 200


@FEW
@given(st.lists(st.lists(st.integers(1, 5), max_size=3), min_size=2, max_size=6))
def test_lists_have_something_in_common_when_their_sets_meet(lists: list[list[int]]) -> None:
    column = list_column(pa.chunked_array([pa.array(lists, pa.list_(pa.uint64()))]))
    left, right = (x.ravel() for x in np.indices((len(lists),) * 2))
    found = in_common(column[left], column[right])
    assert found.tolist() == [
        bool(set(lists[i]) & set(lists[j])) for i, j in zip(left, right, strict=True)
    ]


BLOCKS = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=14)


@FEW
@given(BLOCKS)
def test_candidates_are_the_pairs_that_some_rule_joins_each_once_with_all_its_rules(
    rows: list[tuple[int, int, int]],
) -> None:
    content: dict[str, Any] = {
        "name": "m", "version": "1", "record_id": "id", "columns": {"a": {}, "b": {}},
        "blocking": [{"equal": ["a"]}, {"equal": ["a"], "with": ["b"]}],
        "comparisons": [{"name": "a", "levels": [{"exact": "a"}]}],
    }  # fmt: skip
    keys = np.array(rows, dtype=np.uint64)
    tokens = {
        "rule_0": keys[:, 0].copy(),
        "rule_1": keys[:, 1].copy(),
        "rule_1x": keys[:, 2].copy(),
    }
    candidates = Candidates(linkage.Model.from_dict(content), tokens)
    found = [t for piece in candidates.pairs() for t in zip(*map(list, piece), strict=True)]
    expected = []
    for i, x in enumerate(rows):
        for j, y in enumerate(rows[i + 1 :], i + 1):
            first = bool(x[0] and x[0] == y[0])
            second = bool((x[1] and x[1] == y[2]) or (x[2] and x[2] == y[1]))
            expected += [(i, j, first + 2 * second)] if first or second else []
    assert sorted(found) == expected
    assert candidates.sizes()[0].pairs == sum(1 for _, _, mask in expected if mask & 1)


def test_keys_differ_by_purpose_epoch_parameters_and_secret() -> None:
    secret = Secret(b"s" * 32)
    keys = {
        secret.key("e/f", "filter/name"), secret.key("e/f", "value/name"),
        secret.key("e2/f", "filter/name"), secret.key("e/f2", "filter/name"),
        Secret(b"t" * 32).key("e/f", "filter/name"),
    }  # fmt: skip
    assert len(keys) == 5
    assert secret.check_value() != Secret(b"t" * 32).check_value()


def test_every_column_of_the_plan_has_a_key_that_only_its_domain_shares() -> None:
    domains: dict[str, set[str]] = {}
    for item in plan(discovery()):
        domains.setdefault(item.purpose, set()).add(item.name)
    names = ("filter_given_name", "filter_surname", "filter_other_surname")
    assert {frozenset(n) for n in domains.values() if len(n) > 1} == {
        frozenset(f"{name}__by0" for name in names),
        frozenset(f"{name}__by1" for name in names),
        frozenset({"value_date_of_birth", "date_date_of_birth__swapped"}),
    }


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"thresholds": {"join": 0.8}}, True),
        ({"columns": {"sex": {"steps": ["lower"]}}}, False),
    ],
)
def test_new_tokens_are_needed_when_columns_change_and_not_for_a_threshold(
    change: dict[str, Any], same: bool
) -> None:
    path = discovery().linkage.path
    assert path
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key, value in change.items():
        content[key] = content[key] | value
    other = Discovery.from_dict(_content(), PARAMETERS, linkage.Model.from_dict(content, path))
    assert (other.fingerprint == discovery().fingerprint) is same


def test_a_test_that_tokens_cannot_answer_is_refused_by_name() -> None:
    assert set(ASKABLE) <= set(TESTS)
    path = discovery().linkage.path
    assert path
    model = yaml.safe_load(path.read_text(encoding="utf-8"))
    model["comparisons"][0]["levels"].append({"one_letter_off": "given_name"})
    given_model = linkage.Model.from_dict(model, path)
    with pytest.raises(linkage.LinkageError, match="'given_name' asks 'one_letter_off'"):
        Discovery.from_dict(_content(), Path("t.yaml"), given_model)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bits": 500}, "key 'bits': bits must be a power of two"),
        ({"hashes": 40}, "key 'hashes'"),
        ({"colour": "red"}, "key 'colour'"),
        ({"epoch": "second quarter"}, "key 'epoch'"),
        ({"filters": {}}, "add it under 'filters'"),
        ({"filters": {"given_name": {}, "surname": {}}}, "give the Dice coefficient"),
        ({"salt": {"height": "date_of_birth"}}, "has no column height"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_with_the_key(
    change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(linkage.LinkageError, match=reason):
        Discovery.from_dict(_content() | change, Path("t.yaml"), discovery().linkage)


def _content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))
    return content
