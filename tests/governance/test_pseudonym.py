"""Pseudonyms repeat for one recipient, purpose and epoch, and join across none of them."""

from __future__ import annotations

import base64
import hmac
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.keys import KeyStore
from governance.pseudonym import is_well_formed, pseudonym_key, pseudonymise

IDS = [f"C{number:07d}" for number in range(500)]
KEY = b"k" * 32


def test_the_same_child_has_the_same_pseudonym_in_every_run(keys: KeyStore) -> None:
    key = pseudonym_key(keys, "north", "family_help", "2026")
    assert pseudonymise(key, IDS) == pseudonymise(key, list(IDS))
    assert pseudonymise(key, reversed(IDS)) == pseudonymise(key, IDS)[::-1]


@pytest.mark.control("B02")
def test_no_token_is_shared_between_recipients_purposes_or_epochs(keys: KeyStore) -> None:
    scopes = list(product(["a", "b", "a|b"], ["c", "b|c"], ["2025", "2026"]))
    tokens = [
        token
        for recipient, purpose, epoch in scopes
        for token in pseudonymise(pseudonym_key(keys, recipient, purpose, epoch), IDS)
    ]
    assert len(set(tokens)) == len(scopes) * len(IDS)


@pytest.mark.control("B03")
@given(st.lists(st.text(max_size=12), max_size=5))
def test_a_pseudonym_is_the_base32_of_the_keyed_hash_and_a_check(identifiers: list[str]) -> None:
    for identifier, token in zip(identifiers, pseudonymise(KEY, identifiers), strict=True):
        mac = hmac.digest(KEY, identifier.encode(), "sha256")[:16]
        assert token is not None
        assert token[:-1] == base64.b32encode(mac).decode().rstrip("=").lower()


def test_a_missing_identifier_stays_missing() -> None:
    first, missing = pseudonymise(KEY, ["C1", None])
    assert missing is None
    assert first is not None
    assert len(first) == 27


@given(st.text(max_size=30))
def test_every_pseudonym_is_well_formed(identifier: str) -> None:
    (token,) = pseudonymise(KEY, [identifier])
    assert token is not None
    assert is_well_formed(token)


@given(st.integers(0, 499), st.integers(0, 26), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_wrong_letter_is_noticed_nearly_always(child: int, place: int, letter: str) -> None:
    (token,) = pseudonymise(KEY, [IDS[child]])
    assert token is not None
    wrong = token[:place] + letter + token[place + 1 :]
    values = "abcdefghijklmnopqrstuvwxyz234567"
    differs = (values.index(letter) - values.index(token[place])) % 31 != 0
    if differs:  # the alphabet has 32 letters and the prime is 31: 'a' and '7' weigh the same
        assert not is_well_formed(wrong)


@pytest.mark.parametrize("token", ["", "a", "a" * 26, "A" * 27, "a" * 26 + "!", "a" * 28])
def test_what_is_not_a_pseudonym_is_not_well_formed(token: str) -> None:
    assert not is_well_formed(token)
