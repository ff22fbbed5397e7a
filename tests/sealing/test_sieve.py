"""The filter knows an id however it is written, and tells nobody else which ids it knows."""

from __future__ import annotations

import pytest

from ffp_data.sealing.sieve import NUMBER, RECORD, Sieve, token

KEY, OTHER = b"k" * 32, b"o" * 32
SIEVE = Sieve.of(KEY, [(RECORD, "health_csv|RXG|4711"), (NUMBER, "9434765919")])


@pytest.mark.parametrize("text", ["9434765919", "943 476 5919", "943-476-5919"])
def test_a_number_is_known_however_it_is_spaced(text: str) -> None:
    assert SIEVE.among(NUMBER, [text, "9434765870"]) == {text}


def test_a_record_key_is_known_exactly() -> None:
    assert SIEVE.holds(RECORD, "health_csv|RXG|4711")
    assert not SIEVE.holds(RECORD, "health_csv|RXG|471")
    assert not SIEVE.holds(NUMBER, "health_csv|RXG|4711"), "kinds are apart"


@pytest.mark.parametrize(
    ("text", "is_of_it"),
    [
        ('{"nhs": "9434765919"}', True),
        ("<NHSNumber>9434765919</NHSNumber>", True),
        ("who is 943 476 5919?", True),
        ('"reference": "Patient/4711"', True),
        ("RXG,4711,Ann", True),
        ("RXG,47110,Ann", False),
        ("", False),
    ],
)
def test_a_text_that_no_reader_takes_is_searched_by_words(text: str, is_of_it: bool) -> None:
    assert SIEVE.speaks_of(text, "health_csv|RXG|") is is_of_it


@pytest.mark.control("B03", "B06")
def test_without_the_key_no_id_can_be_tried() -> None:
    assert token(KEY, NUMBER, "9434765919") != token(OTHER, NUMBER, "9434765919")
    assert not Sieve(OTHER, SIEVE.tokens).holds(NUMBER, "9434765919")
    assert not Sieve(KEY, frozenset())
