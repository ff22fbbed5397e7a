from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.hub import InvalidIdentifierError
from ffp_data.hub.child_id import ALPHABET, LENGTH, check_symbol, from_bits, new_child_id, parse

IDS = st.randoms(use_true_random=False).map(lambda source: from_bits(source.getrandbits))


@given(IDS)
def test_an_identifier_is_letters_and_digits_and_reads_back(child_id: str) -> None:
    assert len(child_id) == LENGTH
    assert set(child_id) <= set(ALPHABET)
    assert check_symbol(child_id[:-1]) == child_id[-1]
    assert parse(child_id) == child_id


@given(IDS, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_symbol_is_found(child_id: str, place: int, symbol: str) -> None:
    wrong = child_id[:place] + symbol + child_id[place + 1 :]
    if wrong != child_id:
        with pytest.raises(InvalidIdentifierError, match="check symbol"):
            parse(wrong)


@given(IDS, st.integers(0, LENGTH - 2))
def test_two_swapped_neighbours_are_found(child_id: str, place: int) -> None:
    swapped = child_id[:place] + child_id[place + 1] + child_id[place] + child_id[place + 2 :]
    if swapped != child_id:
        with pytest.raises(InvalidIdentifierError, match="check symbol"):
            parse(swapped)


@given(IDS)
def test_reading_forgives_case_hyphens_and_letters_like_digits(child_id: str) -> None:
    written = child_id.lower().replace("0", "o").replace("1", "l")
    assert parse(f" {written[:4]}-{written[4:8]}-{written[8:]}") == child_id


@pytest.mark.parametrize("text", ["", "U" * LENGTH, "ABC", "9" * 40, "\u0660" * LENGTH])
def test_other_texts_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(InvalidIdentifierError) as refused:
        parse(text)
    assert not text or text not in str(refused.value)


@pytest.mark.control("B04")
def test_new_identifiers_do_not_repeat() -> None:
    assert len({new_child_id() for _ in range(1000)}) == 1000


@pytest.mark.control("B04")
def test_an_identifier_uses_all_its_random_bits() -> None:
    source = random.Random(3)
    symbols = [from_bits(source.getrandbits) for _ in range(2000)]
    assert all(len({child[place] for child in symbols}) == 32 for place in range(LENGTH))
